"""Keeping a signed text as a model text of a body of the NPM, in one step (adr 96)."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from flask_babel import gettext as _

from tracker.access.actor import Actor, OrganisationKind
from tracker.access.decision import Decision
from tracker.agreements import evidence, frozen_text
from tracker.agreements.evidence import Compared
from tracker.checklist_templates import library, to_decide
from tracker.checklist_templates.schema import Template
from tracker.checklists import encryption, policy
from tracker.checklists.beside import VISIT_READER
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.model_texts import keeping
from tracker.checklists.model_texts import library as model_texts
from tracker.checklists.model_texts.keeping import Signed
from tracker.checklists.models import Checklist, OwnModelText
from tracker.checklists.reuse import own_texts
from tracker.checklists.service import own_organisation
from tracker.signoff import service as signoff_service
from tracker.signoff.models import Revision


def can_keep(
    actor: Actor, loaded: LoadedChecklist, compared: Compared, revision_id: UUID
) -> Decision:
    """Decide whether a person may keep a revision as a model text of their body of the NPM."""
    outcome = compared.outcome(revision_id)
    is_signed = compared.agrees and outcome is not None and outcome.is_signed_by_all
    return policy.can_keep_text(actor, loaded.own_party(actor), is_signed=is_signed)


def keep(actor: Actor, checklist: Checklist, revision: Revision, language: str) -> OwnModelText:
    """Keep a signed revision as a model text, without its people, dates and partners.

    What is to decide is marked in the language.
    """
    loaded = load(checklist)
    can_keep(actor, loaded, evidence.look(checklist), revision.id).require()
    key = encryption.key_for(checklist)
    signoff_service.require_as_frozen(revision, key)
    document = signoff_service.document_of(revision, key)
    version = frozen_text.template_version_of(document)
    template = _template(checklist, version, language)
    values = keeping.model_text_of(template, _signed(actor, loaded, document, language))
    return own_texts.store(actor, checklist, revision.number, version, values)


def _template(checklist: Checklist, version: int, language: str) -> Template:
    """Return the version of the checklist that a text was frozen from, in a language."""
    rows = [row for row in library.versions(checklist.kind) if row.version == version]
    return library.localized(rows[0], language)


def _signed(
    actor: Actor, loaded: LoadedChecklist, document: Mapping[str, Any], language: str
) -> Signed:
    checklist, owner = loaded.checklist, own_organisation(actor)
    csos = [
        UUID(party["id"])
        for party in document["parties"]
        if party.get("side") == OrganisationKind.CSO.value
    ]
    return Signed(
        answers=dict(_answers(document)),
        owner=owner,
        only_cso=csos[0] if len(csos) == 1 else None,
        names=tuple(_names(loaded, document, owner)),
        language=language if language in to_decide.WORDS else "en",
        a_name=_("a name"),
        guide=model_texts.content_of(checklist.kind),
        is_of_visit=encryption.is_restricted(checklist),
    )


def _answers(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for section in document["sections"]:
        for item in section["items"]:
            for answer in item["answers"]:
                if not answer["by"] and "values" in answer:
                    yield item["code"], answer["values"]


def _names(loaded: LoadedChecklist, document: Mapping[str, Any], owner: UUID) -> Iterator[str]:
    """Yield the names that are left out of what was written: of people, partners and the place."""
    yield from (party["name"] for party in document["parties"] if party["id"] != str(owner))
    yield from (person["name"] for person in document.get("people", ()))
    yield from loaded.names.people.values()
    visit_id = loaded.checklist.visit_id
    if visit_id is not None:
        yield VISIT_READER.get()([visit_id])[visit_id].place

"""Where a person goes next after reading and accepting a text, or sending it."""

from dataclasses import dataclass
from uuid import UUID

from flask import redirect, url_for
from werkzeug.wrappers import Response

from tracker.access.actor import Actor, OrganisationKind
from tracker.activity.stale import recompute
from tracker.agreements import accepting
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import policy, queries
from tracker.checklists.deciding import left_to_decide
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.model_texts import library
from tracker.checklists.models import Checklist, ChecklistState
from tracker.checklists.obstacles import to_sending
from tracker.checklists.reuse import beginning
from tracker.cooperations.models import Stage
from tracker.core import clock
from tracker.ui import locale

BEFORE_WORK = frozenset({Stage.EXPLORED, Stage.DRAFT, Stage.REVIEWED, Stage.CLEARED})


@dataclass(frozen=True, slots=True)
class TextToBegin:
    """The confidentiality terms of a cooperation, which nobody has begun yet.

    language is that of the model text that one button begins with; empty if the person has to
    choose, since the NPM keeps texts of its own or the product has none in the reader's language.
    language_words is its name, if there are model texts in other languages too.
    """

    id: UUID
    language: str
    language_words: str = ""


def text_to_begin(actor: Actor, loaded: LoadedChecklist) -> TextToBegin | None:
    """Return the text that follows the terms, if the person can begin it with a model text.

    None once the work has begun: then the text that was needed is in force.
    """
    kind = ChecklistKind.CONFIDENTIALITY
    party, goes_on = loaded.own_party(actor), loaded.goes_on()
    drafting = ChecklistState.DRAFTING
    is_early = loaded.cooperation.stage in BEFORE_WORK
    if (
        loaded.checklist.kind is not ChecklistKind.TERMS
        or not is_early
        or not policy.can_use_model_text(actor, party, drafting, goes_on=goes_on, is_empty=True)
    ):
        return None
    text = beginning.unwritten(actor, loaded.checklist.cooperation_id, kind)
    if text is None:
        return None
    language, offered = locale.language(), {known.code for known in locale.languages()}
    written = offered.intersection(library.languages(kind))
    if language not in written or queries.own_texts(actor, kind):
        return TextToBegin(text.id, "")
    return TextToBegin(text.id, language, locale.name_of(language) if len(written) > 1 else "")


def after_reading(actor: Actor, checklist: Checklist) -> str:
    """Return the page that is next once a party has read and accepted a whole text.

    The other text of the same visit, if that is left to decide or to read; or sending, if nothing
    keeps a coordinator from it. Empty if neither waits for the person, or if this text still has
    items that they have to look at separately.
    """
    recompute()
    if accepting.reading_of(load(checklist), actor).left_out:
        return ""
    for other in _others_of_visit(actor, checklist):
        loaded = load(other)
        if left_to_decide.count(loaded, actor) or left_to_decide.to_write(loaded, actor):
            return url_for("deciding.decide", checklist_id=other.id)
        reading = accepting.reading_of(loaded, actor)
        if reading.acceptable or reading.unread:
            return url_for("reading.show", checklist_id=other.id)
    return _to_send([checklist, *_others_of_visit(actor, checklist)], actor)


def after_sending(actor: Actor, checklist: Checklist) -> Response:
    """Redirect to sending the other text of the same visit, or to the record of this one."""
    recompute()
    record = url_for("signing.record", checklist_id=checklist.id)
    return redirect(_to_send(_others_of_visit(actor, checklist), actor) or record, 303)


def _others_of_visit(actor: Actor, checklist: Checklist) -> list[Checklist]:
    """Return the other texts of a visit that the person may open, or none."""
    if checklist.visit_id is None:
        return []
    texts = queries.of_visit(actor, checklist.visit_id)
    return [text for kind, text in sorted(texts.items()) if kind is not checklist.kind]


def _to_send(checklists: list[Checklist], actor: Actor) -> str:
    """Return the page that sends the first text that can be sent, or nothing."""
    for checklist in checklists:
        if _can_send(load(checklist), actor):
            return url_for("signing.send", checklist_id=checklist.id)
    return ""


def _can_send(loaded: LoadedChecklist, actor: Actor) -> bool:
    """Return whether a coordinator can send a text now, choosing nobody for another party.

    The NPM may choose: mostly it is the one who sends. A CSO goes on to sending only if each party
    has named who signs for it.
    """
    party = loaded.own_party(actor)
    allowed = policy.can_send(actor, party, loaded.checklist.state, goes_on=loaded.goes_on())
    if party is None or not allowed or to_sending(loaded):
        return False
    return party.side is OrganisationKind.NPM or _is_settled_who_signs(loaded)


def _is_settled_who_signs(loaded: LoadedChecklist) -> bool:
    """Return whether the terms name somebody for each party who could sign this text today."""
    named, able = agreements.named_by_m1(loaded), agreements.signatories(loaded)
    today = clock.today()
    return all(
        any(
            signatory.user_id == named.get(party.organisation_id) and signatory.holds_on(today)
            for signatory in able[party.organisation_id]
        )
        for party in loaded.parties
    )

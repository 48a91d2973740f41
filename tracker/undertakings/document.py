"""The frozen text of an undertaking: what a person was asked and answered, by language."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from tracker.agreements.document import Languages, template_of
from tracker.checklist_templates.models import ChecklistTemplate
from tracker.checklist_templates.schema import FieldType
from tracker.core import clock
from tracker.core.localized import LocalizedStr, merged
from tracker.mail.render import in_language
from tracker.organisations.models import Organisation
from tracker.ui.locale import as_date
from tracker.undertakings import labels
from tracker.undertakings.facts import Draft, Questions, Terms
from tracker.undertakings.models import Undertaking


def document(
    undertaking: Undertaking,
    terms: Terms,
    questions: Mapping[str, Questions],
    draft: Draft,
    ties: Mapping[Organisation, AbstractSet[str]],
    *,
    sentence: LocalizedStr,
    template: ChecklistTemplate,
    languages: Languages,
) -> dict[str, Any]:
    """Return what a person signs: the terms by revision and digest, and each of their answers.

    questions are those of the template, by language; ties are activities of the person's parties
    that count as an interest (M1), included if there are any. The sentence is in the language in
    which it was signed.
    """
    return {
        "undertaking": str(undertaking.id),
        "person": {
            "id": str(undertaking.user_id),
            "name": undertaking.user.name,
            "function": undertaking.function,
        },
        "organisation": {
            "id": str(undertaking.organisation_id),
            "name": undertaking.organisation.name,
        },
        "cooperation": {"reference": terms.reference, "title": terms.title},
        "terms": {
            "revision": terms.revision,
            "digest": terms.digest,
            "until": terms.until.isoformat(),
        },
        "template": template_of(template, languages),
        "languages": sorted(languages.codes),
        "binding_language": languages.binding,
        "time_zone": clock.zone().key,
        "sentence": {sentence.language: str(sentence)},
        **merged(
            [
                _documents(questions[code], draft, code)
                | _localized(questions[code], draft, code, _because(ties, code))
                for code in languages.codes
            ]
        ),
    }


def _documents(questions: Questions, draft: Draft, language: str) -> dict[str, Any]:
    """Return what is signed with the undertaking; empty if the terms require no document."""
    if not questions.documents:
        return {}
    with in_language(language):
        documents = [
            {
                "kind": kind,
                "title": document.title,
                "version": document.version,
                "text": document.text,
                "digest": document.digest,
                "sentence": LocalizedStr(labels.document_sentence(document), language),
                "confirmed": document.name in draft.confirmed,
            }
            for kind, document in questions.documents
        ]
    return {"documents": documents}


def _because(
    ties: Mapping[Organisation, AbstractSet[str]], language: str
) -> dict[str, LocalizedStr]:
    with in_language(language):
        words = labels.party_interests(ties)
    return {"because": LocalizedStr(words, language)} if words else {}


def _localized(
    questions: Questions, draft: Draft, language: str, because: Mapping[str, LocalizedStr]
) -> dict[str, Any]:
    return {
        "briefing": _briefing(questions, draft, language),
        "interests": {
            "question": questions.interests.prompt if questions.interests else "",
            "declared": bool(draft.has_interests),
            "text": draft.interests,
            **because,
        },
        "points": [
            {
                "code": point.code,
                "label": point.label,
                "sentence": point.sentence,
                "confirmed": point.name in draft.confirmed,
            }
            for point in questions.points
        ],
    }


def _briefing(questions: Questions, draft: Draft, language: str) -> dict[str, Any]:
    field = questions.briefing_field(FieldType.CONFIRM)
    day = draft.briefed_on if draft.briefed else None
    with in_language(language):
        words = as_date(day)
    return {
        "sentence": field.label if field else "",
        "confirmed": draft.briefed,
        "on": day.isoformat() if day else None,
        "day": LocalizedStr(words, language) if words else "",
    }

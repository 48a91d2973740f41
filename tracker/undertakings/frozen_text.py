"""Reading of frozen undertakings, in one of their languages and in either document format."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from tracker.agreements import frozen_text as texts
from tracker.checklists.localized_values import Part_
from tracker.core.localized import LocalizedStr, LocalizedText, pick_language
from tracker.mail.render import in_language
from tracker.signoff import leaves
from tracker.ui.locale import as_date, as_datetime, with_commas


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """A document that was signed with the undertaking (adr 75)."""

    kind: str
    title: str
    version: str
    text: str
    digest: str
    # The sentence with which the person confirmed it.
    sentence: str


@dataclass(frozen=True, slots=True)
class SignedText:
    """What a person signed, in one language; strings in another language are marked."""

    language: str
    # All languages it can be read in, and the binding one.
    languages: tuple[str, ...]
    binding: str
    name: str
    organisation: str
    sentence: str
    # The sentence that confirms a briefing, and the one that says when; empty if there was none.
    briefing: str
    briefing_held: str
    # What was declared; empty if nothing was.
    interests: str
    # The question about interests.
    question: str
    # Why the NPM decides even if nothing was declared; empty if it doesn't.
    because: str
    # Code, label and sentence of each point that was confirmed.
    points: tuple[tuple[str, str, str], ...]
    documents: tuple[SignedDocument, ...]
    # What it says apart from that: about the person, the cooperation, the terms.
    about: tuple[Part_, ...]
    # What only machines read, with the path of each value.
    technical: tuple[tuple[str, str], ...]


def read(document: Mapping[str, Any], language: str) -> SignedText:
    """Return a frozen undertaking in a language; common-terms/1 has only one."""
    known = texts.languages_of(document)
    shown = language if language in known else known[0]
    own = document["template"]["language"] if "template" in document else known[0]

    def say(text: LocalizedText) -> str:
        if isinstance(text, str) and text and document["format"] == texts.FIRST:
            return LocalizedStr(text, own)
        return pick_language(text, shown, own)

    briefing = document["briefing"]
    with in_language(shown):
        day = say(briefing["day"]) if briefing.get("day") else _as_day(briefing["on"])
        held_on = LocalizedStr(_("Held on %(day)s.", day=day), shown) if day else ""
    return SignedText(
        language=shown,
        languages=known,
        binding=known[0],
        name=document["person"]["name"],
        organisation=document["organisation"]["name"],
        sentence=pick_language(document["sentence"], shown),
        briefing=say(briefing["sentence"]) if briefing["confirmed"] else "",
        briefing_held=held_on,
        interests=document["interests"]["text"] if document["interests"]["declared"] else "",
        question=say(document["interests"]["question"]),
        because=say(document["interests"].get("because") or ""),
        points=tuple(
            (point["code"], say(point["label"]), say(point["sentence"]))
            for point in document["points"]
        ),
        documents=tuple(
            SignedDocument(
                kind=say(part["kind"]),
                title=part["title"],
                version=part["version"],
                text=part["text"],
                digest=part["digest"],
                sentence=say(part["sentence"]),
            )
            for part in document.get("documents", ())
        ),
        about=_about(document, shown),
        technical=tuple(leaves.technical(document, known)),
    )


def _about(document: Mapping[str, Any], language: str) -> tuple[Part_, ...]:
    cooperation, terms = document["cooperation"], document["terms"]
    with in_language(language):
        title = with_commas((cooperation["title"], cooperation["reference"]))
        parts = [
            (_("Person"), document["person"]["name"]),
            (_("Function"), document["person"].get("function", "")),
            (_("Organisation"), document["organisation"]["name"]),
            (_("Cooperation"), LocalizedStr(title, language)),
            (
                _("Terms it's based on"),
                _(
                    "Revision %(number)s, until %(day)s",
                    number=terms["revision"],
                    day=_as_day(terms["until"]),
                ),
            ),
            (_("Text"), _frozen_on(document.get("frozen_at"))),
            (_("Time zone of all days"), document.get("time_zone", "")),
        ]
        return tuple((LocalizedStr(str(label), language), words) for label, words in parts if words)


def _frozen_on(moment: str | None) -> str:
    """Return when the text was frozen; nothing for one that is about to be."""
    if not moment:
        return ""
    when = as_datetime(dt.datetime.fromisoformat(moment))
    return str(_("Frozen on %(when)s.", when=when))


def _as_day(day: str | None) -> str:
    return as_date(dt.date.fromisoformat(day)) if day else ""

"""A frozen undertaking read back in one of the languages it is said in; of both shapes."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracker.checklists import frozen as texts
from tracker.core.spoken import Said, Spoken, said
from tracker.ui.locale import as_date


@dataclass(frozen=True, slots=True)
class SignedText:
    """What a person signed as it reads in one language; words in another know that they are."""

    language: str
    # All that it can be read in, and the one that counts where they differ.
    languages: tuple[str, ...]
    binding: str
    name: str
    organisation: str
    sentence: str
    # The sentence that says a briefing was held, and when; empty where none was.
    briefing: str
    briefed_on: str
    # What was declared; empty where nothing was.
    interests: str
    points: tuple[tuple[str, str], ...]


def read(document: Mapping[str, Any], language: str) -> SignedText:
    """Read a frozen undertaking, of common-terms/1 too: that was said in one language."""
    known = texts.languages_of(document)
    shown = language if language in known else known[0]
    own = document["template"]["language"] if "template" in document else known[0]

    def say(text: Said) -> str:
        if isinstance(text, str) and text and document["format"] == texts.FIRST:
            return Spoken(text, own)
        return said(text, shown, own)

    briefing = document["briefing"]
    day = as_date(dt.date.fromisoformat(briefing["on"])) if briefing["on"] else ""
    return SignedText(
        language=shown,
        languages=known,
        binding=known[0],
        name=document["person"]["name"],
        organisation=document["organisation"]["name"],
        sentence=said(document["sentence"], shown),
        briefing=say(briefing["sentence"]) if briefing["confirmed"] else "",
        briefed_on=day,
        interests=document["interests"]["text"] if document["interests"]["declared"] else "",
        points=tuple((point["code"], say(point["sentence"])) for point in document["points"]),
    )

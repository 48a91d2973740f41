"""The record of a review as plain values: what is written, frozen by version and confirmed."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tracker.reviews.models import Outcome, Verdict

FORMAT = "common-terms/review/1"
# The items whose promises are compared with what became of them (domain.md, issue 10, line 8).
PROMISES = ("M2", "M7", "M11", "M17", "M18")


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody who took part in the review, as named when the record was saved."""

    user_id: UUID
    name: str
    organisation_id: UUID
    organisation_name: str


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one promise, and a remark."""

    verdict: Verdict | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """The record of a review; whatever is not known yet is empty.

    absent are the parties of which nobody took part, by organisation id. next_on is the next
    review; starts_on and ends_on are the new term if it is renewed; items are those to be amended;
    reason is why it is renewed, amended or ended.
    """

    held_on: dt.date | None = None
    people: tuple[Participant, ...] = ()
    absent: tuple[UUID, ...] = ()
    results: Mapping[str, Result] = field(default_factory=dict)
    other_points: str = ""
    outcome: Outcome | None = None
    next_on: dt.date | None = None
    starts_on: dt.date | None = None
    ends_on: dt.date | None = None
    items: tuple[str, ...] = ()
    reason: str = ""

    def content(self) -> dict[str, Any]:
        """Return the values as a version stores them.

        A record in which no party is absent says nothing about it, as records did before a party
        could be: the digest of the same record stays the same.
        """
        absent = {"absent": [str(party_id) for party_id in self.absent]} if self.absent else {}
        return {
            "held_on": _iso(self.held_on),
            "people": [
                {
                    "user": str(person.user_id),
                    "name": person.name,
                    "organisation": str(person.organisation_id),
                    "organisation_name": person.organisation_name,
                }
                for person in self.people
            ],
            **absent,
            "results": {
                code: {
                    "verdict": result.verdict.value if result.verdict else "",
                    "words": result.words,
                }
                for code, result in self.results.items()
            },
            "other_points": self.other_points,
            "outcome": self.outcome.value if self.outcome else "",
            "next_on": _iso(self.next_on),
            "starts_on": _iso(self.starts_on),
            "ends_on": _iso(self.ends_on),
            "items": list(self.items),
            "reason": self.reason,
        }


def read(content: Mapping[str, Any]) -> Record:
    """Return the record that a version stores."""
    return Record(
        held_on=_day(content["held_on"]),
        people=tuple(
            Participant(
                UUID(person["user"]),
                person["name"],
                UUID(person["organisation"]),
                person["organisation_name"],
            )
            for person in content["people"]
        ),
        absent=tuple(UUID(party_id) for party_id in content.get("absent", ())),
        results={
            code: Result(Verdict(result["verdict"]) if result["verdict"] else None, result["words"])
            for code, result in content["results"].items()
        },
        other_points=content["other_points"],
        outcome=Outcome(content["outcome"]) if content["outcome"] else None,
        next_on=_day(content["next_on"]),
        starts_on=_day(content["starts_on"]),
        ends_on=_day(content["ends_on"]),
        items=tuple(content["items"]),
        reason=content["reason"],
    )


def _iso(day: dt.date | None) -> str:
    return day.isoformat() if day else ""


def _day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None

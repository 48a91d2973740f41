"""The true state of a checklist, computed naively from what its parties did, for comparison."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from tests.factories.templates import KINDS, a_column, a_field, a_table, an_item

# How certain a condition is: no, not known yet, yes. *Any* takes the highest, *all* the lowest.
NO, NOT_KNOWN, YES = 0, 1, 2
# The statuses of work, as they are stored.
HIDDEN, UNKNOWN, NOT_STARTED, IN_PROGRESS, WAITING, AGREED = (
    "hidden",
    "not_known",
    "not_started",
    "in_progress",
    "waiting",
    "agreed",
)
ACCEPTS = "accepts"

# Conditions ---------------------------------------------------------------------------------------

GIVEN = [
    {"modes": ["VISIT"]},
    {"modes": ["PROJ", "ADVIS"]},
    {"question": "personal_data"},
    {"item": "M1", "field": "kind", "in": ["prison"]},
    {"item": "M2", "field": "risks", "in": ["police", "other"]},
]
# An answer that may itself be hidden.
CHAINED = {"item": "M3", "field": "decision", "in": ["prison", "other"]}


def conditions(*leaves: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw any condition on what is given, and on these as well."""
    return st.recursive(
        st.sampled_from([*GIVEN, *leaves]),
        lambda part: (
            st.lists(part, min_size=1, max_size=3).map(lambda parts: {"any": parts})
            | st.lists(part, min_size=1, max_size=3).map(lambda parts: {"all": parts})
            | part.map(lambda condition: {"not": condition})
        ),
        max_leaves=4,
    )


@st.composite
def checklists(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw a checklist with an item for each kind of rule, on any conditions."""
    first, later = conditions(), conditions(CHAINED)
    npm = {"sets": "npm", "accepts": "none"}
    each_cso = {"sets": "npm", "accepts": "each_cso"}
    own = {"sets": "each_party", "accepts": "none"}
    wing = a_column("wing", shown_when=draw(later), required=draw(st.booleans()))
    return [
        an_item("M1", a_field("kind", "choice", **npm, options=KINDS)),
        an_item("M2", a_field("risks", "choices", options=KINDS), required="recommended"),
        an_item(
            "M3", a_field("decision", "choice", **each_cso, options=KINDS), shown_when=draw(first)
        ),
        an_item("M4", shown_when=draw(later)),
        an_item("M5", a_field("second_reader", "person", **npm)),
        an_item("M6", required="conditional", required_when=draw(later)),
        an_item("M7", a_table("places", a_column("place"), wing)),
        an_item("M8", a_field(**each_cso), a_field("received", "confirm", **own)),
        an_item("M9", a_field(**own), shown_when=draw(later)),
        an_item("M10", a_field(sets="cso", accepts="npm"), required="recommended"),
        an_item("M11", a_field(**each_cso), part="people"),
    ]


VALUES = [kind["value"] for kind in KINDS]
WORDS = st.sampled_from(["", "One", "Two"])
# Each party's own answer.
OWN: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "M8": {"received": st.booleans()},
    "M9": {"words": WORDS},
}


def answers(code: str, people: Iterable[UUID]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw a shared answer to an item: complete, incomplete or empty."""
    row = st.fixed_dictionaries({"place": WORDS, "wing": WORDS})
    drawn: dict[str, st.SearchStrategy[Any]] = {
        "M1": st.sampled_from([*VALUES, ""]),
        "M2": st.lists(st.sampled_from(VALUES), unique=True),
        "M3": st.sampled_from([*VALUES, ""]),
        "M5": st.sampled_from([str(person_id) for person_id in people]),
        "M7": st.lists(row, max_size=2),
    }
    keys = {"M1": "kind", "M2": "risks", "M3": "decision", "M5": "second_reader", "M7": "places"}
    return st.fixed_dictionaries({keys.get(code, "words"): drawn.get(code, WORDS)})


# Actions ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Version:
    """One version of an answer; one that is left out has a reason instead of values."""

    number: int
    values: Mapping[str, Any]
    left_out: bool = False


@dataclass
class Story:
    """The history of one item: all versions, positions, and each party's own answer."""

    versions: list[Version] = field(default_factory=list)
    stances: dict[UUID, tuple[int, str]] = field(default_factory=dict)
    own: dict[UUID, list[Mapping[str, Any]]] = field(default_factory=dict)
    # Parties with a proposal that nobody has answered yet.
    proposers: set[UUID] = field(default_factory=set)

    @property
    def now(self) -> Version | None:
        """The current version, unless it is empty."""
        last = self.versions[-1] if self.versions else None
        return last if last and (last.left_out or has_words(last.values)) else None


def has_words(value: Any) -> bool:
    """Return whether anything was entered; an unticked box is nothing."""
    if isinstance(value, Mapping):
        return any(has_words(part) for part in value.values())
    if isinstance(value, list):
        return any(has_words(part) for part in value)
    return value not in (None, "", False)


@dataclass
class Book:
    """A checklist's content, its parties, and what they did."""

    items: list[dict[str, Any]]
    # The parties in order, each with its side.
    parties: dict[UUID, str]
    people: set[UUID]
    modes: set[str] = field(default_factory=set)
    questions: dict[str, str] = field(default_factory=dict)
    stories: dict[str, Story] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_code = {item["code"]: item for item in self.items}
        for code in self.by_code:
            self.stories.setdefault(code, Story())

    # Conditions

    def sure(self, condition: Mapping[str, Any] | None) -> int:
        """Return how certain a condition is; one on an answer that does not apply is not known."""
        match condition:
            case None:
                return YES
            case {"any": parts}:
                return max(self.sure(part) for part in parts)
            case {"all": parts}:
                return min(self.sure(part) for part in parts)
            case {"not": part}:
                return YES - self.sure(part)
            case {"modes": modes}:
                return YES if self.modes & set(modes) else NO
            case {"question": question}:
                return NO if self.questions.get(question) == "no" else YES
            case {"item": code, "field": key, "in": values}:
                return self._sure_of_answer(code, key, values)
        raise ValueError(condition)

    def _sure_of_answer(self, code: str, key: str, values: list[str]) -> int:
        now = self.stories[code].now
        given = now.values.get(key) if now and not now.left_out else None
        if not given or self.shown(code) != YES:
            return NOT_KNOWN
        return YES if set(values) & set([given] if isinstance(given, str) else given) else NO

    def shown(self, code: str) -> int:
        return self.sure(self.by_code[code].get("shown_when"))

    def is_required(self, code: str) -> bool:
        item = self.by_code[code]
        needed = item["required"]
        if needed == "conditional":
            needed = "always" if self.sure(item["required_when"]) == YES else "recommended"
        return self.shown(code) == YES and needed == "always"

    # Who

    def setters(self, code: str) -> list[UUID]:
        """Return who sets the shared answer."""
        return self._sides({field["sets"] for field in self.fields(code)})

    def accepters(self, code: str) -> list[UUID]:
        """Return whose acceptance the answer needs."""
        names = {"all": "both", "each_cso": "cso"}
        wanted = {names.get(field["accepts"], field["accepts"]) for field in self.fields(code)}
        return self._sides(wanted)

    def _sides(self, names: set[str]) -> list[UUID]:
        return [party for party, side in self.parties.items() if names & {side, "both"}]

    def fields(self, code: str, *, own: bool = False) -> list[dict[str, Any]]:
        """Return the fields of an item's shared answer, or of each party's own."""
        return [
            field
            for field in self.by_code[code]["fields"]
            if (field["sets"] == "each_party") is own
        ]

    # Answers

    def visible(self, code: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values without cells of columns that are not shown."""
        columns = {
            column["key"]
            for field in self.fields(code)
            for column in field.get("columns", ())
            if self.sure(column.get("shown_when")) == YES
        }
        return {
            key: [{k: v for k, v in row.items() if k in columns} for row in value]
            if isinstance(value, list) and value and isinstance(value[0], dict)
            else value
            for key, value in values.items()
        }

    def is_whole(self, code: str) -> bool:
        """Return whether the shared answer is complete."""
        now = self.stories[code].now
        if now is None:
            return False
        if now.left_out:
            return not self.is_required(code)
        return all(self.is_full(code, field, now.values) for field in self.fields(code))

    def is_whole_own(self, code: str, party: UUID) -> bool:
        given = self.stories[code].own.get(party, [{}])[-1]
        return all(has_words(given.get(field["key"])) for field in self.fields(code, own=True))

    def is_full(self, code: str, field: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
        value = self.visible(code, values).get(field["key"])
        if field["type"] == "person":
            return value is not None and UUID(value) in self.people
        if field["type"] != "table":
            return has_words(value)
        rows = [row for row in value or [] if has_words(row)]
        wanted = [
            column["key"]
            for column in field["columns"]
            if column.get("required", True) and self.sure(column.get("shown_when")) == YES
        ]
        return bool(rows) and all(has_words(row.get(key)) for row in rows for key in wanted)

    # The result

    def lacking(self, code: str) -> list[UUID]:
        """Return who does not accept exactly the current version."""
        now = self.stories[code].now
        stances = self.stories[code].stances
        return [
            party
            for party in self.accepters(code)
            if now is None or stances.get(party) != (now.number, ACCEPTS)
        ]

    def silent(self, code: str) -> list[UUID]:
        """Return who has not given their own answer; nobody if the item was left out for all."""
        now = self.stories[code].now
        if not self.fields(code, own=True) or (now and now.left_out):
            return []
        return [party for party in self.parties if not self.is_whole_own(code, party)]

    def is_begun(self, code: str) -> bool:
        now = self.stories[code].now
        is_left_out = now is not None and now.left_out
        return now is not None or (
            not is_left_out
            and any(
                has_words(given[-1])
                for party, given in self.stories[code].own.items()
                if party in self.parties
            )
        )

    def state(self, code: str) -> str:
        """Return the status of the work on an item."""
        if self.shown(code) != YES:
            return HIDDEN if self.shown(code) == NO else UNKNOWN
        if not self.is_begun(code):
            return NOT_STARTED
        if self._is_shared(code) and not self.is_whole(code):
            return IN_PROGRESS
        if self.silent(code):
            return IN_PROGRESS
        return WAITING if self.lacking(code) else AGREED

    def waits_for(self, code: str) -> set[UUID]:
        """Return the parties that have something to do on an item."""
        if self.shown(code) != YES or not (self.is_begun(code) or self.is_required(code)):
            return set()
        if not self._is_shared(code):
            return set(self.silent(code))
        others = self.to_agree(code) if self.is_whole(code) else set(self.setters(code))
        return {*self.silent(code), *others}

    def to_agree(self, code: str) -> set[UUID]:
        """Return whose turn it is on a complete answer; proposals wait for those who may answer."""
        lacking = set(self.lacking(code))
        proposers = lacking & self.stories[code].proposers
        answering = {
            party
            for party in self.parties
            for other in proposers
            if party != other and {party, other} & set(self.setters(code))
        }
        return answering | (lacking - proposers) or lacking

    def _is_shared(self, code: str) -> bool:
        return bool(self.fields(code))

    def counted(self) -> list[str]:
        return [code for code in self.by_code if self.shown(code) == YES]

    def agreed(self) -> list[str]:
        return [code for code in self.counted() if self.state(code) == AGREED]

    def in_the_way(self) -> list[str]:
        """Return what blocks sending: items that are required or started, and not agreed."""
        return [
            code
            for code in self.counted()
            if self.by_code[code]["part"] == "terms"
            and self.state(code) != AGREED
            and (self.is_required(code) or self.is_begun(code))
        ]

    def text(self) -> dict[str, Mapping[str, Any]]:
        """Return what may be in the document: for each item in it the shown shared values."""
        return {
            code: self.visible(code, now.values) if (now := self.stories[code].now) else {}
            for code in self.agreed()
            if self.by_code[code]["part"] == "terms"
        }

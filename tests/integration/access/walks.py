"""Walks over all pages as all people, before and after one side wrote to itself, each done once."""

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import sqlalchemy as sa
from flask import Flask

from tests import starting_points
from tests.effort import is_long
from tests.factories.demonstration import Demonstration
from tests.factories.demonstration import make as make_demonstration
from tests.factories.own_side import SIDES, Side, Written, draft_roles_again, post, share_out
from tests.factories.visits import JointVisit
from tests.integration.access.codes import codes_on
from tests.integration.access.crawl import Found, Selection, crawl
from tests.integration.access.places import COLUMNS, KINDS
from tests.moments import standing_at
from tests.pages import Page, without_tokens
from tracker.checklist_templates import library
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklist_templates.schema import Item
from tracker.core import clock
from tracker.core.db import db

# The items on which comments are written, M18 and V8, end in this digit: everybody opens them.
EVERYBODYS_ITEMS = 8
# People who, in the long form, each open the items of one more digit and the filters of one more
# checklist, so that together they open all.
INSIDERS = (
    "ilena",
    "tomas",
    "milan",
    "pavo",
    "nadia",
    "samira",
    "henrik",
    "dina",
    "joana",
    "leyla",
)
# In the short form the people who together reach every page walk. The others open the same pages by
# the same rules; test_permissions compares what each may open.
LONG_ALONE = {
    "auditor",
    "NPM signatory",
    "NPM team lead",
    "NPM member",
    "other CSO",
}
WALKERS = [column for column in COLUMNS if is_long() or column not in LONG_ALONE]
# Who, in the short form, also walks of the people of cooperations in other states.
OF_OTHER_KINDS = {"CSO coordinator", "CSO signatory"}
# Everybody who walks before anything is written.
PEOPLE = {
    key
    for kind, who in KINDS.items()
    for column, key in who.items()
    if column in (WALKERS if kind == "complete" or is_long() else OF_OTHER_KINDS)
}
# Whose pages are searched for codes of items: they see different parts of them.
READS_TITLES = ("NPM coordinator", "CSO coordinator", "CSO expert, cleared", "NPM manager")
# Pages besides comments that mention reading and mail, whoever wrote what: the read log has the
# walk's own reading; the administrator's list of mail has a line for each mail, whose text is the
# same whoever may read the comment (tested with the verbs).
TELLS_OF_READING = re.compile(r"/reads(\?|$)|\A/administration/mail(\?|$)")
DEMONSTRATION = "demonstration"
BEFORE = "before"
# After both sides wrote: for people of neither, who look for it all in one walk.
BOTH = "both"


@dataclass
class Walks:
    """Walks as the people of the demonstration, cached in memory; all at the same moment."""

    app: Flask
    demonstration: Demonstration
    written: dict[str, Written]
    moment: dt.datetime
    edited: frozenset[str]
    crawls: dict[tuple[str, str | None], Found] = field(default_factory=dict)
    changed_by_reading: dict[str | None, set[str]] = field(default_factory=dict)
    # What each page says with a code, of those who read titles.
    coded: dict[str | None, dict[str, list[str]]] = field(default_factory=dict)
    _rows: dict[str, str] = field(default_factory=dict)

    def walk(self, key: str | None, after: str = BEFORE) -> Found:
        """Return everything that a person finds by following every link.

        after names the side that has written to itself, or says that both have or nobody has. In
        the walk before that, pages are checked like every page by the checked client, and each
        person opens items and filters of their own.
        """
        if (after, key) not in self.crawls:
            is_before = after == BEFORE
            with self.fresh(after):
                if is_before and not self._rows:
                    self._rows = _digests()
                self.crawls[after, key] = crawl(
                    self.demonstration.browser(self.app, key),
                    selection=self._selection(key, is_before=is_before),
                    starts=["/" if key else "/guidance"],
                    read=is_before,
                    look=self._note_codes(key) if is_before else None,
                )
                if is_before:
                    now = _digests()
                    self.changed_by_reading[key] = {
                        table for table in now if now[table] != self._rows[table]
                    }
        return self.crawls[after, key]

    def _note_codes(self, key: str | None) -> Callable[[str, Page], None] | None:
        """Return what notes the codes on each page while it is parsed, for who reads titles."""
        if key not in {KINDS["complete"][column] for column in READS_TITLES}:
            return None
        coded = self.coded.setdefault(key, {})

        def note(address: str, page: Page) -> None:
            coded[address] = codes_on(page)

        return note

    def walk_within(self, key: str, after: str, checklists: Iterable[tuple[str, str]]) -> Found:
        """Return everything that a person finds on the pages of some checklists."""
        ids = frozenset(str(self.demonstration.checklists[checklist]) for checklist in checklists)
        with self.fresh(after):
            return crawl(
                self.demonstration.browser(self.app, key),
                selection=Selection(ids, ids, EVERYBODYS_ITEMS, within=ids),
                starts=[f"/checklists/{checklist_id}" for checklist_id in sorted(ids)],
                read=False,
            )

    def has_opened(self, key: str | None, address: str) -> bool:
        """Return whether a person opened this page of the demonstration on a walk.

        The roles of the visit don't count: people walk while they are drafted again.
        """
        walked = self.crawls.get((BEFORE, key))
        roles = str(self.demonstration.checklists["complete", "visit_roles"])
        return walked is not None and roles not in address and walked.statuses.get(address) == 200

    def differing(self, key: str | None, after: str) -> list[str]:
        """Return the addresses at which a person finds something different than before.

        Pages are compared byte by byte, except for the tokens of forms, so that a missing link is
        found too.
        """
        old, new = _comparable(self.walk(key)), _comparable(self.walk(key, after))
        return sorted(address for address in new if old.get(address) != new[address])

    def _selection(self, key: str | None, *, is_before: bool) -> Selection:
        """Return what everybody opens of what a side writes on, and what an insider opens besides.

        What a side writes on checklists is in no article, so afterwards only outsiders open these.
        In the short form, of links that differ only in what they are about, the first is opened,
        except about the complete cooperation, whose visit is secret, and what a side writes on.
        """
        selection = self._long_selection(key, is_before=is_before)
        if is_long() or key is None:
            return selection
        known = self.demonstration.checklists
        return replace(
            selection,
            always=selection.filtered | {self.demonstration.references["complete"]},
            kinds={str(checklist_id): kind for (_of, kind), checklist_id in known.items()},
            edited=self.edited,
        )

    def _long_selection(self, key: str | None, *, is_before: bool) -> Selection:
        known = self.demonstration.checklists
        written = {checklist for side in SIDES.values() for checklist in side.comments}
        watched = frozenset(str(known[checklist]) for checklist in written)
        if not is_before:
            return Selection(watched, watched, EVERYBODYS_ITEMS, library=key not in INSIDERS)
        if key not in INSIDERS or not is_long():
            return Selection(watched, watched, EVERYBODYS_ITEMS)
        place, others = INSIDERS.index(key), sorted(set(known) - written)
        own = str(known[others[place % len(others)]])
        return Selection(watched | {own}, watched, EVERYBODYS_ITEMS, digit=place)

    @contextmanager
    def fresh(self, state: str = BEFORE) -> Iterator[None]:
        """Put the application on a fresh copy of a state, at the moment of all walks."""
        self.reset(state)
        clock.use_source(standing_at(self.moment))
        with self.app.app_context():
            yield

    def reset(self, state: str = BEFORE) -> None:
        """Replace the database by a fresh copy of a state."""
        starting_points.of(self.app).reset(state if state == DEMONSTRATION else _name(state))


def prepare(app: Flask) -> Walks:
    """Create the states in which people walk: before, and after one side or both have written."""
    points = starting_points.of(app)
    demonstration = points.use(DEMONSTRATION, make_demonstration)
    before = _name(BEFORE)
    points.use(
        before,
        lambda: draft_roles_again(JointVisit(db.session(), demonstration)),
        on=DEMONSTRATION,
    )

    def write(side: Side) -> Written:
        joint_visit = JointVisit(db.session(), demonstration)
        written_by_side = post(joint_visit, side)
        assert share_out(joint_visit, side)
        return written_by_side

    written = {
        name: points.use(_name(name), partial(write, side), on=before)
        for name, side in SIDES.items()
    }
    first, second = SIDES
    on_top = points.use(_name(BOTH), partial(write, SIDES[second]), on=_name(first))
    written[BOTH] = Written.together(written[first], on_top)
    points.reset(before)
    with app.app_context():
        edited = _of_every_kind()
    return Walks(app, demonstration, written, clock.now(), edited)


def _of_every_kind() -> frozenset[str]:
    """Return the codes of a few items that together contain everything an item may contain."""
    items = [
        (item, {(kind, ""), *((None, trait) for trait in _traits(item))})
        for kind in ChecklistKind
        for item in library.parsed(library.newest(kind)).items
    ]
    missing = {trait for _item, traits in items for trait in traits}
    chosen = []
    while missing:
        item, traits = max(items, key=lambda each: len(each[1] & missing))
        chosen.append(item.code)
        missing -= traits
    return frozenset(chosen)


def _traits(item: Item) -> Iterator[str]:
    """Yield the types of an item's fields and columns, and what an item or field may lack."""
    for part in (item, *item.fields, *(row for each in item.fields for row in each.columns)):
        yield from (f"{type(part).__name__} {name}" for name, value in part if value)
        yield f"{type(part).__name__} {getattr(part, 'type', '')}"
    yield from (
        f"rows {each.rows.more} {bool(each.rows.fixed)}" for each in item.fields if each.rows
    )


def _name(state: str) -> str:
    return f"walked_{state}"


def _comparable(walked: Found) -> dict[str, tuple[int, str]]:
    return {
        address: (status, without_tokens(walked.texts.get(address, "")))
        for address, status in walked.statuses.items()
        if not TELLS_OF_READING.search(address)
    }


def _digests() -> dict[str, str]:
    """Return the digest of each table's rows."""
    digests = {}
    with db.engine.connect() as connection:
        for name, table in db.metadata.tables.items():
            rows = sorted(map(repr, connection.execute(sa.select(table))))
            digests[name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return digests

"""The timeline of an item: the history of its answer, with the differences.

In one file: each kind of row about an item becomes an entry, and the entries depend on each other.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import Item
from tracker.checklists import encryption, localized_values
from tracker.checklists.history.item_events import ItemEvents
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.localized_values import Part_, PartDifference
from tracker.checklists.models import (
    Answer,
    CopyReading,
    CopySource,
    Flag,
    HintAnswer,
    Position,
    Proposal,
    ProposalState,
    Stance,
    TalkEnd,
)
from tracker.checklists.negotiation import warnings
from tracker.checklists.rules import party_rows

BY_RULE = ""
# What happened when a version came from elsewhere.
CAME_FROM = {
    CopySource.CHECKLIST: _l("%(party)s copied an answer from an earlier checklist"),
    CopySource.PRODUCT: _l("%(party)s began with the model text that comes with the product"),
    CopySource.OWN: _l("%(party)s began with a model text of its own"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the timeline: what happened, by whom, the reason and the change."""

    when: dt.datetime
    words: str
    name: str
    reason: str = ""
    # The whole of a first version; for others the differences.
    parts: list[Part_] = field(default_factory=list)
    differences: list[PartDifference] = field(default_factory=list)
    # What the differences are compared with, if that has to be said.
    since: str = ""
    # Whether the text was only proposed.
    proposed: bool = False


def tell(loaded: LoadedChecklist, item: Item, events: ItemEvents) -> list[Entry]:
    """Return the entries of an item's timeline, the oldest first."""
    teller = _Teller(loaded, item, events)
    return sorted(teller.entries(), key=lambda entry: entry.when)


def of_version(
    loaded: LoadedChecklist, item: Item, events: ItemEvents, number: int
) -> Entry | None:
    """Return the entry of one version of the shared answer: its values, before and after."""
    shared = [version for version in events.versions if version.scope is AnswerScope.SHARED]
    by_number = {version.version: version for version in shared}
    if number not in by_number:
        return None
    return _Teller(loaded, item, events).of_version(by_number[number], by_number.get(number - 1))


def _is_rest(whole: Any, rest: Any) -> bool:
    """Return whether a value is the same, or a table in whose rows only cells are missing."""
    if not (isinstance(whole, list) and isinstance(rest, list) and len(whole) == len(rest)):
        return bool(whole == rest)
    return all(
        before.items() <= other.items() if isinstance(before, dict) else before == other
        for before, other in zip(rest, whole, strict=True)
    )


class _Teller:
    def __init__(self, loaded: LoadedChecklist, item: Item, events: ItemEvents) -> None:
        self.loaded, self.item, self.events = loaded, item, events
        self.cooperation_id = loaded.checklist.cooperation_id
        self.by_id = {version.id: version for version in events.versions}
        self.proposals = {proposal.id: proposal for proposal in events.proposals}
        # The proposal that became a version: it ended when the version was saved.
        self.made_of = {
            version.id: proposal
            for version in events.versions
            for proposal in events.proposals
            if proposal.state is ProposalState.ACCEPTED
            and proposal.author_id == version.author_id
            and self._follows(version, proposal)
        }

        self.came_back = {version.id for version in events.versions if self._came_back(version)}

    def entries(self) -> Iterator[Entry]:
        earlier: dict[UUID, Answer] = {}
        for version in self.events.versions:
            yield self._version(version, earlier.get(version.owner_id))
            earlier[version.owner_id] = version
        for proposal in self.events.proposals:
            yield self._proposal(proposal)
            if proposal.state in {ProposalState.TURNED_DOWN, ProposalState.WITHDRAWN}:
                yield self._end(proposal)
        for position in self._positions_once():
            if not self._is_told(position):
                yield self._position(position)
            if position.ended_as is TalkEnd.SETTLED:
                yield self._settled(position)
        yield from self._warnings()
        # A version made from a copied one, without what no longer fits, counts as read by the same
        # people.
        readings = {
            (reading.organisation_id, reading.read_at): reading for reading in self.events.readings
        }
        for reading in readings.values():
            yield self._reading(reading)

    def _positions_once(self) -> Iterator[Position]:
        """Yield each position once, though it may be stored for several parts of an answer.

        Of a wish to discuss, yield the row that says that it was settled, if one does.
        """
        taken: set[tuple[UUID, dt.datetime]] = set()
        settled_first = sorted(
            self.events.positions,
            key=lambda row: (row.taken_at, row.ended_as is not TalkEnd.SETTLED),
        )
        for position in settled_first:
            key = (position.organisation_id, position.taken_at)
            if key not in taken:
                taken.add(key)
                yield position

    def _follows(self, version: Answer, proposal: Proposal) -> bool:
        """Return whether a version directly follows the one that a proposal was to change.

        A proposal for the rows of some parties may be accepted after others changed theirs.
        """
        wanted = self.by_id.get(proposal.answer_id)
        if proposal.part_ids is not None and proposal.ended_at is not None:
            before = [row for row in self.events.versions if row.saved_at <= proposal.ended_at]
            return version is max(before, key=lambda row: row.saved_at, default=None)
        return (
            wanted is not None
            and wanted.owner_id == version.owner_id
            and wanted.version + 1 == version.version
        )

    def _came_back(self, version: Answer) -> bool:
        """Return whether a version repeats an earlier one of its author.

        That happens when an amendment is called off: nobody writes or accepts anything then.
        """
        if not version.taken_over:
            return False
        values = encryption.values_of(self.cooperation_id, version)
        return any(
            earlier.owner_id == version.owner_id
            and earlier.version < version.version
            and earlier.author_id == version.author_id
            and earlier.not_applicable == version.not_applicable
            and encryption.values_of(self.cooperation_id, earlier) == values
            for earlier in self.events.versions
        )

    def _parts(self, answer: Answer) -> list[Part_]:
        values = encryption.values_of(self.cooperation_id, answer)
        if answer.not_applicable:
            return localized_values.left_out(values.get("reason", ""))
        return localized_values.parts(self.item.fields_of(answer.scope), values, self.loaded.names)

    def _proposed(self, proposal: Proposal) -> list[Part_]:
        values = encryption.values_of(self.cooperation_id, proposal)
        return localized_values.parts(
            self.item.fields_of(AnswerScope.SHARED), values, self.loaded.names
        )

    def of_version(self, version: Answer, before: Answer | None) -> Entry:
        return self._version(version, before)

    def _version(self, version: Answer, before: Answer | None) -> Entry:
        made_of = self.made_of.get(version.id)
        organisation = version.organisation.name
        if made_of is not None and made_of.ended_for is not None:
            words = _(
                "%(other)s accepted the change that %(party)s suggested: version %(version)s",
                other=made_of.ended_for.name,
                party=organisation,
                version=version.version,
            )
        elif version.id in self.came_back:
            words = _(
                "The answer is again what %(party)s wrote before: version %(version)s",
                party=organisation,
                version=version.version,
            )
        elif version.id in self.events.copied:
            words = str(CAME_FROM[self.events.copied[version.id]]) % {"party": organisation}
        elif before is None:
            words = _("%(party)s wrote the first answer", party=organisation)
        elif self._only_hidden(before, version):
            words = _(
                "What does not apply here was left out: version %(version)s",
                version=version.version,
            )
        elif self._is_own_row(before, version):
            words = _(
                "%(party)s changed its own row: version %(version)s",
                party=organisation,
                version=version.version,
            )
        else:
            words = _(
                "%(party)s changed the answer: version %(version)s",
                party=organisation,
                version=version.version,
            )
        parts = self._parts(version)
        ended_by = made_of.ended_by if made_of else None
        return Entry(
            when=version.saved_at,
            words=words,
            name="" if version.id in self.came_back else (ended_by or version.author).name,
            parts=parts if before is None else [],
            differences=localized_values.differences(self._parts(before), parts) if before else [],
            since=_("What changed since version %(version)s:", version=before.version)
            if before
            else "",
        )

    def _is_own_row(self, before: Answer, version: Answer) -> bool:
        """Return whether a party changed nothing but its own row, or added it."""
        if self.item.party_table is None or before.not_applicable or version.not_applicable:
            return False
        parts = [
            party_rows.parts_of(
                self.item,
                encryption.values_of(self.cooperation_id, row),
                self.loaded.sheet,
                self.loaded.surroundings,
            )
            for row in (before, version)
        ]
        return party_rows.changed(*parts) == {version.organisation_id}

    def _only_hidden(self, before: Answer, version: Answer) -> bool:
        """Return whether a version differs only in columns that are hidden here.

        It was made when somebody accepted the previous one without seeing these columns.
        """
        values_before, values_after = (
            encryption.values_of(self.cooperation_id, version) for version in (before, version)
        )
        return (
            values_before != values_after
            and values_before.keys() == values_after.keys()
            and all(_is_rest(values_before[key], values_after[key]) for key in values_before)
        )

    def _proposal(self, proposal: Proposal) -> Entry:
        replied = self.proposals.get(proposal.replies_to_id) if proposal.replies_to_id else None
        changed = self.by_id.get(proposal.answer_id)
        organisation = proposal.organisation.name
        if replied is not None:
            words = _(
                "%(party)s suggested something else than %(other)s",
                party=organisation,
                other=replied.organisation.name,
            )
            base = self._proposed(replied)
            since = _("Compared with the suggestion of %(party)s:", party=replied.organisation.name)
        else:
            words = _("%(party)s suggested a change", party=organisation)
            base = self._parts(changed) if changed else []
            since = (
                _("Compared with version %(version)s:", version=changed.version) if changed else ""
            )
        return Entry(
            when=proposal.made_at,
            words=words,
            name=proposal.author.name,
            reason=encryption.reason_of(self.cooperation_id, proposal),
            differences=localized_values.differences(base, self._proposed(proposal)),
            since=since,
            proposed=True,
        )

    def _end(self, proposal: Proposal) -> Entry:
        if proposal.state is ProposalState.WITHDRAWN:
            words = _("%(party)s withdrew its suggestion", party=proposal.organisation.name)
        else:
            words = _(
                "%(other)s declined the change that %(party)s suggested",
                other=proposal.ended_for.name if proposal.ended_for else "",
                party=proposal.organisation.name,
            )
        return Entry(
            when=proposal.ended_at or proposal.made_at,
            words=words,
            name=proposal.ended_by.name if proposal.ended_by else "",
            reason=encryption.ended_reason_of(self.cooperation_id, proposal),
        )

    def _is_told(self, position: Position) -> bool:
        """Return whether a position is already covered by another entry: a save or a proposal."""
        if position.stance is Stance.ACCEPTS:
            if position.part_id is not None:  # its own row, or what is left of an acceptance
                return True
            version = self.by_id.get(position.answer_id) if position.answer_id else None
            return version is not None and (
                version.organisation_id == position.organisation_id
                or self._accepted_it(version, position)
                or self._accepts_again(version, position)
            )
        return position.stance is Stance.WANTS_CHANGE and any(
            proposal.organisation_id == position.organisation_id
            and proposal.answer_id == position.answer_id
            for proposal in self.events.proposals
        )

    def _accepts_again(self, version: Answer, position: Position) -> bool:
        """Return whether a party's acceptance was restored together with an earlier version."""
        return version.id in self.came_back and position is next(
            row
            for row in self.events.positions
            if (row.answer_id, row.organisation_id) == (version.id, position.organisation_id)
        )

    def _accepted_it(self, version: Answer, position: Position) -> bool:
        made_of = self.made_of.get(version.id)
        return made_of is not None and made_of.ended_for_id == position.organisation_id

    def _position(self, position: Position) -> Entry:
        party = self.loaded.names.parties.get(position.organisation_id, "")
        version = self.by_id.get(position.answer_id) if position.answer_id else None
        number = version.version if version else 0
        words_by_stance = {
            Stance.ACCEPTS: _l("%(party)s accepted version %(version)s"),
            Stance.WANTS_CHANGE: _l("%(party)s asked for a change of version %(version)s"),
            Stance.WANTS_TALK: _l("%(party)s asked to discuss version %(version)s"),
        }
        words = str(words_by_stance[position.stance]) % {"party": party, "version": number}
        row_of = self.loaded.names.parties.get(position.part_id) if position.part_id else None
        if row_of and position.stance is Stance.WANTS_TALK:
            words = _(
                "%(party)s asked to discuss the row of %(other)s in version %(version)s",
                party=party,
                other=row_of,
                version=number,
            )
        return Entry(
            when=position.taken_at,
            words=words,
            name=position.author.name,
            reason=encryption.reason_of(self.cooperation_id, position),
        )

    def _settled(self, position: Position) -> Entry:
        return Entry(
            when=position.ended_at or position.taken_at,
            words=_(
                "%(party)s settled the discussion it had asked for",
                party=self.loaded.names.parties.get(position.organisation_id, ""),
            ),
            name=position.ended_by.name if position.ended_by else "",
            reason=encryption.outcome_of(self.cooperation_id, position),
        )

    def _reading(self, reading: CopyReading) -> Entry:
        words = _("%(party)s has read the prepared answer", party=reading.organisation.name)
        return Entry(when=reading.read_at, words=words, name=reading.reader.name)

    def _warnings(self) -> Iterator[Entry]:
        for flag in self.events.flags:
            yield from self._flag(flag)
        for answer in self.loaded.hint_answers_on.get(self.item.code, ()):
            if not answer.limits:  # the flag shows it
                yield self._hint(answer)

    def _hint(self, answer: HintAnswer) -> Entry:
        words = (
            _("The second reader accepted words that may limit the NPM")
            if answer.as_reader
            else _("%(party)s said why words don't limit the NPM", party=answer.organisation.name)
        )
        reason = encryption.hint_reason_of(self.cooperation_id, answer)
        return Entry(answer.answered_at, words, answer.author.name, reason)

    def _flag(self, flag: Flag) -> Iterator[Entry]:
        by = warnings.raised_by(flag) or _("A rule of this checklist")
        yield Entry(
            when=flag.raised_at,
            words=_("%(party)s raised a flag: limits the NPM's independence", party=by),
            name=flag.author.name if flag.author else BY_RULE,
            reason=encryption.flag_content(self.cooperation_id, flag).reason,
        )
        if flag.closed_at is None:
            return
        words = (
            _("The flag was closed by an explanation")
            if flag.is_explained
            else _("The flag was closed because the term changed")
        )
        closed_by = self.loaded.names.people.get(flag.closed_by_id, "") if flag.closed_by_id else ""
        explanation = encryption.explanation_of(self.cooperation_id, flag)
        yield Entry(when=flag.closed_at, words=words, name=closed_by, reason=explanation)

"""View models for the register of undertakings: the lines of its page and its export."""

import datetime as dt
from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from tracker.access.actor import Actor
from tracker.core import clock
from tracker.oversight.undertaking_register.facts import Access, Filters
from tracker.oversight.undertaking_register.labels import ACCESS, SCOPES, VERSIONS
from tracker.oversight.undertaking_register.queries import GoneLine, RegisteredUndertaking
from tracker.signoff.labels import DISAGREES, METHODS, SignedWhen
from tracker.ui.locale import with_semicolons
from tracker.undertakings import pages as undertakings
from tracker.undertakings import scope
from tracker.undertakings.models import UndertakingState

# The column of the export that says whether an undertaking gives access.
_ACCESS = 13


@dataclass(frozen=True, slots=True)
class LineView:
    """An undertaking as the page shows it."""

    person: str
    organisation: str
    function: str
    # The page of the undertaking, for its person and those who decide for the NPM; else empty.
    url: str
    reference: str
    title: str
    covers: object
    revision: int | None
    # What to say about whether its terms are in force.
    terms_note: object
    signed: SignedWhen | None
    method: object
    # Title and version of each document signed with it.
    documents: tuple[str, ...]
    state: tuple[object, str]
    closed_at: dt.datetime | None
    agrees: bool


def view(actor: Actor, line: RegisteredUndertaking) -> LineView:
    """Return an undertaking for display; if it disagrees with its evidence, only that is said.

    Its state is worded as the cooperation's own list shows it to people who decide on nothing: what
    a person declared isn't shown to anybody here. Only those who decide on it read that access is
    closed for some places; of a clearance for one visit they read nothing more either.
    """
    undertaking = line.line.undertaking
    return LineView(
        person=undertaking.person_name,
        organisation=undertaking.organisation_name,
        function=undertaking.function,
        url=_url(actor, line),
        reference=line.reference,
        title=line.title,
        covers=_covers(line),
        revision=line.revision,
        terms_note="" if line.is_current else _is_current(line, no=_("no longer in force")),
        signed=line.line.signed,
        method=_method(line),
        documents=_documents(line),
        state=undertakings.access(
            line.line, in_full=line.is_for_reader and not line.is_for_one_visit
        ),
        closed_at=_closed_at(line),
        agrees=line.line.agrees,
    )


def summary(counts: dict[str, int]) -> list[str]:
    """Return sentences saying how many there are, and how many give access."""
    total, is_open = counts[""], counts[Access.OPEN]
    if not total:
        return [_("No undertaking.")]
    sentences = [ngettext("One undertaking.", "%(num)s undertakings.", total)]
    if is_open:
        sentences.append(ngettext("One gives access today.", "%(num)s give access today.", is_open))
    return sentences


def narrowed_by(filters: Filters) -> list[str]:
    """Return in words which undertakings the filters leave in the register, for its print."""
    words = [_("“%(item)s”", item=filters.cooperation)] if filters.cooperation else []
    if filters.organisation:
        words.append(f"{_('Organisation of the person')}: {filters.organisation}")
    if filters.person:
        words.append(f"{_('Person')}: {filters.person}")
    if filters.access:
        words.append(str(ACCESS[filters.access]))
    if filters.version:
        words.append(f"{_('Terms')}: {VERSIONS[filters.version]}")
    if filters.ends_within:
        days = _("Within %(number)s days", number=filters.ends_within)
        words.append(f"{_('Access ends')}: {days}")
    return words


def export_heads() -> list[object]:
    """Return the column headings of the export."""
    return [
        _("Reference"),
        _("Title"),
        _("Person"),
        _("Organisation"),
        _("Function"),
        _("Covers"),
        _("Revision of the terms"),
        _("Terms in force"),
        _("Asked on"),
        _("Signed on"),
        _("Method of signing"),
        _("Other documents signed"),
        _("Countersigned on"),
        _("Access"),
        _("Closed on"),
        _("Until"),
    ]


def export_row(line: RegisteredUndertaking) -> list[object]:
    """Return an undertaking as a row of the export; dates in ISO 8601, in the NPM's time zone."""
    undertaking = line.line.undertaking
    agrees = line.line.agrees
    return [
        line.reference,
        line.title,
        undertaking.person_name,
        undertaking.organisation_name,
        undertaking.function,
        _covers(line),
        line.revision or "",
        _is_current(line, no=_("no")),
        _day(undertaking.asked_at),
        _signed_on(line.line.signed),
        _method(line),
        with_semicolons(_documents(line)),
        _day(undertaking.countersigned_at if agrees else None),
        undertakings.access(line.line, in_full=False)[0],
        _day(_closed_at(line)),
        line.until_on.isoformat() if line.until_on and agrees else "",
    ]


def gone_row(line: GoneLine) -> list[object]:
    """Return an undertaking that was deleted as a row of the export."""
    row: list[object] = [""] * len(export_heads())
    row[:3] = line.reference, line.title, line.person
    row[_ACCESS] = DISAGREES[0]
    return row


def _is_current(line: RegisteredUndertaking, *, no: str) -> object:
    """Return whether its terms are in force; if they disagree with the evidence, only that."""
    if line.is_current is None:
        return DISAGREES[0]
    return _("yes") if line.is_current else no


def _url(actor: Actor, line: RegisteredUndertaking) -> str:
    undertaking = line.line.undertaking
    if line.line.is_own:
        return url_for("undertakings.show", undertaking_id=undertaking.id)
    if scope.decides(actor):
        return url_for(
            "undertakings.check", reference=line.reference, undertaking_id=undertaking.id
        )
    return ""


def _covers(line: RegisteredUndertaking) -> object:
    clearance = line.line.clearance
    return SCOPES[clearance.scope] if clearance is not None and line.line.agrees else ""


def _method(line: RegisteredUndertaking) -> object:
    return METHODS[line.method] if line.method is not None and line.line.agrees else ""


def _documents(line: RegisteredUndertaking) -> tuple[str, ...]:
    return line.documents if line.line.agrees else ()


def _closed_at(line: RegisteredUndertaking) -> dt.datetime | None:
    """Return when it was closed; not for one visit, since that would reveal when the visit was."""
    undertaking = line.line.undertaking
    is_closed = undertaking.state is UndertakingState.CLOSED
    is_told_when = line.line.agrees and not line.is_for_one_visit
    return undertaking.closed_at if is_closed and is_told_when else None


def _signed_on(signed: SignedWhen | None) -> str:
    if signed is None:
        return ""
    if signed.is_on_paper:
        return signed.on.isoformat() if signed.on else ""
    return _day(signed.at)


def _day(moment: dt.datetime | None) -> str:
    return moment.astimezone(clock.zone()).date().isoformat() if moment else ""

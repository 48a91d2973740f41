"""View models for the register: the rows of its page and its export."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import ngettext

from tracker.access.actor import Actor
from tracker.agreements import evidence
from tracker.agreements.pages import signature_line
from tracker.checklists.labels import KINDS
from tracker.checklists.models import Checklist
from tracker.cooperations.models import Mode
from tracker.cooperations.modes import MODE_LABELS
from tracker.core.db import db
from tracker.oversight.facts import (
    AgreementState,
    Narrowing,
    Overview,
    Question,
    RegisterLine,
    VisitMark,
)
from tracker.oversight.labels import FORMS, NARROWINGS, state_words
from tracker.signoff.models import Revision
from tracker.ui.filters import PAGE, FilterLink, here
from tracker.ui.locale import as_date, with_semicolons
from tracker.visits.labels import STAGES
from tracker.visits.stages import PREPARED


@dataclass(frozen=True, slots=True)
class LineView:
    """An agreement as the page shows it."""

    line: RegisterLine
    kind: str
    form: str
    # All parties except the one whose register it is.
    others: tuple[tuple[UUID, str], ...]
    state: tuple[object, str]
    notes: tuple[str, ...]

    @property
    def disagrees(self) -> bool:
        """Whether its rows contradict its signatures and events."""
        return self.line.state is AgreementState.DISAGREES


def view(actor: Actor, line: RegisterLine) -> LineView:
    """Return an agreement in words."""
    own = {actor.organisation_id, *actor.audited_ids}
    others = tuple(party for party in line.parties if party[0] not in own)
    return LineView(
        line=line,
        kind=kind_words(line),
        form=form_words(line),
        others=others or tuple(line.parties),
        state=state_words(line),
        notes=tuple(_notes(line)),
    )


def kind_words(line: RegisterLine) -> str:
    """Return the kind of checklist, and of which visit."""
    if line.visit is None:
        return str(KINDS[line.kind])
    return str(_("%(kind)s, visit %(number)s", kind=KINDS[line.kind], number=line.visit.number))


def form_words(line: RegisterLine) -> str:
    """Return the form of the agreement (M3)."""
    return str(FORMS.get(line.form, line.form))


def all_parties(line: RegisterLine) -> str:
    """Return the names of all parties."""
    return with_semicolons(name for _id, name in line.parties)


def signature_lines(revision: Revision) -> list[dict[str, object]]:
    """Return the signatures of a revision as the page shows them."""
    return [signature_line(signature) for signature in revision.signatures]


def revision_states(checklist_id: UUID, revisions: Iterable[Revision]) -> dict[UUID, object]:
    """Return the status of each revision of an agreement, in words."""
    compared = evidence.look(db.session.get_one(Checklist, checklist_id))
    return {revision.id: evidence.words_of(compared, revision.id)[0] for revision in revisions}


# What the overview counts: the filters that a manager looks at first.
ATTENTION = (
    Narrowing.DECLINED,
    Narrowing.REVIEW_OVERDUE,
    Narrowing.LACKS_SIGNATURES,
    Narrowing.FLAGGED,
    Narrowing.ENDS_SOON,
    Narrowing.OVERRIDDEN,
)


def summary(counts: Mapping[str, int]) -> str:
    """Return a sentence saying how many agreements there are."""
    total = counts[""]
    if not total:
        return str(_("No agreement."))
    return str(ngettext("One agreement.", "%(num)s agreements.", total))


def narrowed_by(question: Question) -> list[str]:
    """Return in words which agreements a question leaves in the register, for its print."""
    words = [_("“%(item)s”", item=question.words)] if question.words else []
    if question.narrowing:
        words.append(str(NARROWINGS[question.narrowing]))
    if question.party:
        words.append(f"{_('Party')}: {question.party}")
    if question.kind:
        words.append(str(KINDS[question.kind]))
    if question.mode:
        words.append(str(MODE_LABELS[question.mode]))
    if question.from_on:
        words.append(_("in force on or after %(day)s", day=as_date(question.from_on)))
    if question.until_on:
        words.append(_("in force on or before %(day)s", day=as_date(question.until_on)))
    return words


def attention(overview: Overview) -> list[FilterLink]:
    """Return what needs attention, each with its count and a link to exactly these agreements."""
    links = []
    for narrowing in ATTENTION:
        label = NARROWINGS[narrowing]
        since = overview.waiting_since
        if narrowing is Narrowing.LACKS_SIGNATURES and since is not None:
            label = _(
                "Waiting for signatures, the oldest since %(day)s", day=as_date(since, "medium")
            )
        url = here({"state": narrowing.value, PAGE: None})
        links.append(counted(label, overview.counts[narrowing], url))
    return links


def counted(label: object, count: int, url: str) -> FilterLink:
    """Return a count that is a link, unless it is zero."""
    return FilterLink(
        label=label,
        url=url,
        count=count,
        current=url == here({PAGE: None}),
        note="" if count else "0",
    )


def without_drafts(
    views: list[LineView], question: Question
) -> tuple[list[LineView], list[LineView]]:
    """Return the rows of a page to show, and the drafts to fold below them.

    Drafts come last. A page of nothing else shows them, and drafts with an open flag are no less
    urgent than other agreements.
    """
    drafts = [
        view
        for view in views
        if view.line.state is AgreementState.DRAFTING and not view.line.is_flagged
    ]
    others = [view for view in views if view not in drafts]
    if not others or question.narrowing is Narrowing.DRAFTING:
        return views, []
    return others, drafts


def _notes(line: RegisterLine) -> list[str]:
    """Return the notes beside the status."""
    notes = []
    since = as_date(line.since, "medium")
    if line.waiting_for:
        names = with_semicolons(line.waiting_for)
        notes.append(_("Waiting for %(names)s since %(day)s", names=names, day=since))
    elif line.state is AgreementState.DECLINED and since:  # not shown of a visit's text
        notes.append(_("Since %(day)s. To be changed, then sent again", day=since))
    notes += [
        _(
            "%(former)s: taken over by %(successor)s on %(day)s",
            former=body.former,
            successor=body.successor,
            day=as_date(body.since, "medium"),
        )
        for body in line.taken_over
    ]
    notes += _marks(line)
    if line.state is AgreementState.REVIEW_OVERDUE:
        notes.append(
            _(
                "It was due on %(day)s. No new visit until it's held",
                day=as_date(line.review_on, "medium"),
            )
        )
    elif line.review_on and line.state is not AgreementState.ENDED:
        notes.append(_("Review %(day)s", day=as_date(line.review_on, "medium")))
    if line.reviewed_on:
        notes.append(_("Last review %(day)s", day=as_date(line.reviewed_on, "medium")))
    if line.visit:
        notes += _visit_notes(line, line.visit)
    return notes


def _marks(line: RegisterLine) -> list[str]:
    """Return what else is true of an agreement, whatever its status."""
    marks = []
    if line.made_before:
        marks.append(
            _(
                "Made on paper before this tool was in use; not reviewed here, not signed "
                "electronically"
            )
        )
    if line.is_flagged:
        marks.append(_("A flag is open"))
    if line.is_amended:
        marks.append(_("An amendment is being drafted"))
    return marks


def _visit_notes(line: RegisterLine, visit: VisitMark) -> list[str]:
    stage = [] if line.state is AgreementState.DISAGREES else [visit_words(visit)]
    return [*stage, *override_words(visit)]


def visit_words(visit: VisitMark) -> str:
    """Return the stage of a visit; neither place nor date, nor whether its days have passed (K2).

    So the text is true before and after those days.
    """
    if visit.stage not in PREPARED:
        return str(_("The visit: %(stage)s", stage=STAGES[visit.stage]))
    if visit.is_ready:
        return str(_("The visit is ready, or its days have passed"))
    return str(_("The visit: %(stage)s, or its days have passed", stage=STAGES[visit.stage]))


def override_words(visit: VisitMark) -> list[str]:
    """Return who overrode what was missing for a visit, and why."""
    return [
        _(
            "%(name)s overrode what was missing: %(reason)s",
            name=override.name,
            reason=override.reason,
        )
        for override in visit.overrides
    ]


def export_heads() -> list[object]:
    """Return the column headings of the export."""
    return [
        _("Reference"),
        _("Title"),
        _("Agreement"),
        _("Parties"),
        _("Form"),
        _("Ways of working"),
        _("State"),
        _("Remarks"),
        _("Revision"),
        _("Signed"),
        _("To sign"),
        _("From"),
        _("Until"),
        _("Review"),
    ]


def export_row(line: RegisterLine) -> list[object]:
    """Return an agreement as a row of the export; dates in ISO 8601."""
    return [
        line.reference,
        line.title,
        kind_words(line),
        all_parties(line),
        form_words(line),
        with_semicolons(str(MODE_LABELS[Mode(mode)]) for mode in line.modes),
        state_words(line)[0],
        ". ".join(_notes(line)),
        *(_or_empty(value) for value in (line.revision, line.signed, line.to_sign)),
        *(_or_empty(value) for value in (line.from_on, line.until_on, line.review_on)),
    ]


def _or_empty(value: object) -> object:
    return "" if value is None else value

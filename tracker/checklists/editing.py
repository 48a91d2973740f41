"""Shared code of checklist views: find the checklist in scope, check a form, redirect back.

Pages on which people write begin with the person's draft (Writing) and store it. In one file: a
view finds, checks, stores a draft and redirects in one sequence.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID

from flask import current_app, g, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.decision import Decision, no
from tracker.access.gate import (
    SAFE_METHODS,
    current_actor,
    found_or_404,
    note_reading,
    read_actor_again,
    require,
)
from tracker.access.page_tokens import OtherOrganisationError
from tracker.access.reading import has_opened
from tracker.activity import service as trail
from tracker.checklist_templates import library, risky_phrases
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.risky_phrases import SHORTEST_REMEMBERED
from tracker.checklist_templates.schema import Item
from tracker.checklists import (
    drafts,
    encryption,
    heads,
    labels,
    localized_values,
    pages,
    policy,
    queries,
)
from tracker.checklists.drafts import DraftKey, DraftValues, SavedDraft
from tracker.checklists.heads import lock
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.models import Checklist, DraftKind
from tracker.checklists.negotiation import hints
from tracker.checklists.negotiation.text_digest import item_token, question_token
from tracker.checklists.negotiation.warnings import FlagView
from tracker.checklists.reuse import recorded_selection
from tracker.checklists.rules.facts import Filled, PartyFact
from tracker.checklists.rules.values import MAX_ANSWER, Fit
from tracker.core.db import db, reading
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.ui import locale
from tracker.ui.form_base import Form
from tracker.ui.perform import perform
from tracker.ui.proof_fields import ShownFields
from tracker.ui.words import tidy_text

# What a page sends in addition to the typed text.
BESIDE = frozenset(
    {
        "add_row",
        "base_version",
        "csrf_token",
        "draft_base",
        "draft_known",
        "draft_number",
        "draft_page",
        "numbers_shown",
        "page_token",
        "remove_row",
        "then",
    }
)
# The query parameter that fills a form with the record of how partners were chosen.
RECORDED = "selection"
# The endpoint that stores what is typed and not saved yet.
DRAFT = "draft"
# The blueprints whose verbs lock the checklist themselves.
# The page that shows what was signed.
RECORD = "record"
LOCKED_BY_THE_VERB = frozenset({DRAFT, "sign", "record_paper", "record_prior_agreement"})
NUMBER = re.compile(r"[0-9]{1,12}")
# How many seconds a page may wait to be sent after its session has ended.
PAGE_LASTS = 24 * 60 * 60
# Set for a request whose form was sent with the token of another session.
SENT_LATE = "form_was_sent_late"


# Decides by a person's role and party alone.
ByParty = Callable[[Actor, PartyFact | None], Decision]


def get_or_404(actor: Actor, checklist_id: UUID, page: str) -> Checklist:
    """Return a checklist the person may open, or abort with 404; log opening class K2.

    In a request that writes, it is locked, so that the verb needn't read it again; but not while a
    proof of identity or a scan is checked, which takes long, nor for storing a draft.
    """
    if request.method == "POST":
        checklist = found_or_404(queries.find(actor, checklist_id))
        note_opening(actor, checklist, page)
        if page not in LOCKED_BY_THE_VERB:
            lock(checklist)
        return checklist
    checklist = found_or_404(heads.find(actor, checklist_id))
    note_opening(actor, checklist, page)
    return checklist


def require_ahead(actor: Actor, checklist: Checklist, may: ByParty) -> None:
    """Raise RefusedError before a checklist is loaded, if a person's role and party say it already.

    Only where a page is opened: with what was sent, it is shown again with the reason
    (perform.require_for), for which the checklist has to be loaded.
    """
    if request.method in SAFE_METHODS:
        require(may(actor, heads.own_party(actor, checklist)))


def note_opening(actor: Actor, checklist: Checklist, page: str) -> None:
    """Log that a person opens a page with class K2 of a checklist; nothing for class K8."""
    if encryption.is_restricted(checklist):
        log = partial(
            trail.log_read,
            actor,
            cooperation_id=checklist.cooperation_id,
            subject_type="checklist",
            subject_id=checklist.id,
            page=page,
        )
        is_own_plan = (
            page == RECORD
            and checklist.kind is ChecklistKind.URGENT_PLAN
            and has_opened(actor, checklist.visit_id)
        )
        note_reading(log, f"{page} {checklist.id}", is_own_part=is_own_plan)


def get_item_or_404(
    actor: Actor, checklist_id: UUID, code: str, page: str, may: ByParty | None = None
) -> tuple[Checklist, LoadedChecklist, Item]:
    """Return a fully loaded checklist the person may open, and an item; or abort with 404.

    may is asked first, as by require_ahead().
    """
    checklist = get_or_404(actor, checklist_id, page)
    if may is not None and library.parsed(checklist.template).item(code) is not None:
        require_ahead(actor, checklist, may)
    loaded = load_localized(checklist)
    return checklist, loaded, item_of(loaded, code)


def search_ahead(actor: Actor, checklist_id: UUID) -> Actor:
    """Search long texts that were sent for phrases, before the checklist is locked.

    What is in them is remembered (risky_phrases), so that nobody else waits for it while they are
    saved. Where a form is only shown, all answers are searched (hints.search_all), for the same
    reason. Return the actor, read again after a search: a role may have ended meanwhile. For
    somebody who can't open the checklist, nothing is searched.
    """
    sent = (text for name, text in request.form.items(multi=True) if name not in BESIDE)
    texts = [text for text in map(tidy_text, sent) if len(text) >= SHORTEST_REMEMBERED]
    if not hints.LONG < sum(map(len, texts)) < 2 * MAX_ANSWER:
        return actor
    with reading():
        checklist = found_or_404(queries.find(actor, checklist_id))
        names = hints.names_of(load(checklist))
    risky_phrases.search_ahead(texts, names)
    return read_actor_again()


def load_localized(checklist: Checklist) -> LoadedChecklist:
    """Load a whole checklist in the reader's language, as far as it is translated."""
    return load(checklist, locale.language())


def item_of(loaded: LoadedChecklist, code: str) -> Item:
    """Return an item; abort with 404 if the template has none with that code (item_or_gone)."""
    return item_or_gone(loaded.template.item(code), loaded.checklist, code)


def item_or_gone(item: Item | None, checklist: Checklist, code: str) -> Item:
    """Return the item with a code; abort with 404 if there is none.

    Raise RuleBrokenError instead if a form about it was sent and another version of the checklist
    has it: the checklist was upgraded while somebody was writing, and their text is shown.
    """
    if item is None and request.method == "POST":
        others = library.versions(checklist.kind)
        if row := next((row for row in others if library.parsed(row).item(code)), None):
            label = library.localized(row, locale.language()).by_code[code].label
            raise RuleBrokenError(
                _l(
                    "The checklist moved to a version without “%(item)s” after you opened the "
                    "page, so nothing was done.",
                    item=label,
                )
            )
    return found_or_404(item)


def back(checklist_id: UUID, code: str = "") -> Response:
    """Redirect to the list, at an item and with the filter that the person came from."""
    chosen = request.args.get("filter")
    return redirect(
        url_for(
            "checklists.show",
            checklist_id=checklist_id,
            filter=chosen if chosen in labels.FILTERS else None,
            open=code or None,
            _anchor=code.lower() or None,
        ),
        303,
    )


def is_sent(form: Form) -> bool:
    """Return whether a form was submitted to be saved, and is valid.

    A form that was sent with the token of another session, or for another organisation than its
    page was opened for, is shown again with what was typed, so that nothing is saved in the wrong
    person's name.
    """
    if not form.is_submitted():
        return False
    has_other_rows = form.changed_rows()
    if _is_for_another():
        form.refuse(OtherOrganisationError())
        return False
    if has_other_rows:
        return False
    if g.get(SENT_LATE):
        form.refuse(
            RuleBrokenError(
                _l(
                    "You signed in again after this page was opened, so nothing was saved yet. "
                    "What you typed is below: check it and press the button again."
                )
            )
        )
        return False
    return bool(form.validate())


def shows_anew(form: Form) -> bool:
    """Return whether a form has to store what its page shows now.

    It does when it is opened, or shown again because the person acts for another organisation now.
    Any other form that was sent says what its page showed.
    """
    return not form.is_submitted() or _is_for_another()


def _is_for_another() -> bool:
    """Return whether a form was sent from a page that was opened for another organisation."""
    whose = opened_here()
    return whose is not None and not is_own(current_actor(), whose)


def show_version(form: Form, current: Filled | None) -> None:
    """Store in a form that is being opened which version of the answer it shows."""
    if not form.is_submitted():
        form["base_version"].data = current.version if current else 0


def show_item(form: ShownFields, actor: Actor, loaded: LoadedChecklist, item: Item) -> None:
    """Store in a form the digest of the item that its page shows."""
    form.page_token.data = item_token(loaded, actor, item)


def show_question(form: ShownFields, actor: Actor, loaded: LoadedChecklist, item: Item) -> None:
    """Store in a form the digest of the question that its page asks."""
    form.page_token.data = question_token(loaded, actor, item)


def open_form(
    form: ShownFields, actor: Actor, loaded: LoadedChecklist, item: Item, current: Filled | None
) -> None:
    """Store in an answer's form that is being opened which answer and question it shows.

    One that was sent says what its page showed.
    """
    show_version(form, current)
    if shows_anew(form):
        show_question(form, actor, loaded, item)


def values_now(current: Filled | None) -> Mapping[str, Any]:
    """Return the values of the current answer; none if the item was left out."""
    return {} if current is None or current.not_applicable else current.values


def from_record(
    actor: Actor, loaded: LoadedChecklist, item: Item, current: Filled | None
) -> Fit | None:
    """Return the recorded values to fill the form with, if the URL asks for them (P0, M1)."""
    if request.args.get("recorded") != RECORDED:
        return None
    return recorded_selection.fitted(actor, loaded, item, values_now(current))


def record_url(actor: Actor, loaded: LoadedChecklist, item: Item, current: Filled | None) -> str:
    """Return the URL that fills the form with what was recorded; empty if that adds nothing."""
    if not recorded_selection.adds_something(actor, loaded, item, values_now(current)):
        return ""
    return url_for(
        "checklists.answer",
        checklist_id=loaded.checklist.id,
        code=item.code,
        recorded=RECORDED,
    )


def seen_version(form: Form) -> int:
    """Return the version the person saw; an unreadable number counts as an old version."""
    seen = form["base_version"].data
    return seen if isinstance(seen, int) else -1


def uuid_or_nil(text: str) -> UUID:
    """Parse an id from a form; an invalid one becomes the nil UUID, which nothing has."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def may_go_on(
    form: Form, allowed: object, why_not: object, otherwise: str, *, is_draft: bool = False
) -> bool:
    """Return whether the person may do something now; otherwise refuse it with the reason.

    If something was typed into the form, it stays on its page with the reason above: the text may
    have been sent for signature while they wrote, or since they saved a draft (is_draft). If
    nothing was typed, RefusedError is raised.
    """
    if allowed:
        return True
    if not ((form.is_submitted() or is_draft) and form.has_words):
        require(no(why_not or otherwise))
    form.refuse(RuleBrokenError(why_not or otherwise))
    return False


def guidance_beside(loaded: LoadedChecklist, item: Item) -> pages.Guide:
    """Return the guidance beside the form of one item, in the reader's language."""
    return pages.guide_beside(loaded, current_actor(), item)


def checklist_page(template: str, loaded: LoadedChecklist, /, **values: Any) -> str:
    """Render a page about a checklist, with what each such page names: its cooperation, its kind.

    And the number of its visit, if it is a visit's.
    """
    return render_template(
        template,
        checklist=loaded.checklist,
        cooperation=loaded.cooperation,
        kind_words=labels.KINDS[loaded.checklist.kind],
        visit_number=loaded.visit_number,
        **values,
    )


def proposal_page(
    loaded: LoadedChecklist,
    item: Item,
    form: Form,
    fields: list[Any],
    writing: "Writing",
    *,
    action: str = "",
    own: Sequence[localized_values.Part_] = (),
    is_from_record: bool = False,
) -> str:
    """Show the page for suggesting a change to an answer; action is where it is sent.

    own is the text in the form, for comparison if the answer has changed meanwhile. is_from_record
    says that the form was filled with what was recorded.
    """
    current = loaded.sheet.shared(item.code)
    has_answer = current is not None and not current.is_empty
    shown = pages.answer_parts(loaded, item, AnswerScope.SHARED, current) if current else []
    return checklist_page(
        "checklists/propose.html",
        loaded,
        item=item,
        form=form,
        fields=fields,
        action=action,
        current=shown,
        has_answer=has_answer,
        draft=on_page(writing),
        theirs=writing.theirs,
        own_parts=own,
        is_from_record=is_from_record,
        recorded_url="" if is_from_record else record_url(current_actor(), loaded, item, current),
        has_draft=writing.typed is not None,
        changes=localized_values.differences(shown, own) if writing.is_filled else [],
        guidance=guidance_beside(loaded, item),
    )


def reason_page(
    loaded: LoadedChecklist,
    item: Item,
    form: Form,
    *,
    title: str,
    button: str,
    lede: str = "",
    about: pages.ProposalView | FlagView | None = None,
) -> str:
    """Show a page that asks for a reason: about an item, a proposal or a flag on it."""
    return checklist_page(
        "checklists/reason.html",
        loaded,
        item=item,
        form=form,
        title_words=title,
        button=button,
        lede_words=lede,
        proposal=about if isinstance(about, pages.ProposalView) else None,
        flag=about if isinstance(about, FlagView) else None,
        answers=pages.answers_of(loaded, item),
    )


def act_with_reason(
    form: ShownFields,
    verb: Callable[..., object],
    *,
    success: str,
    next: Response,  # noqa: A002 -- as for perform()
    conflict: Callable[[StaleError], str],
) -> str | Response | None:
    """Act with the reason that was typed, on the item as its page showed it (see show_item).

    verb is given the reason, and the token of what was shown. Return None if the form has to be
    shown.
    """
    if not form.validate_on_submit():
        return None
    return perform(
        form,
        lambda: verb(form["reason"].data or "", token=form.page_token.data or ""),
        success=success,
        next=next,
        conflict=conflict,
    )


# Writing, and the writer's draft ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Writing:
    """A person writing on an item: their draft, and a conflicting answer saved meanwhile."""

    checklist: Checklist
    # None for people who may only read.
    whose: DraftKey | None
    saved: SavedDraft = field(default_factory=SavedDraft)
    # The values that fill the form when its page is opened.
    typed: DraftValues | None = None
    # The answer that somebody else has saved since this was begun.
    theirs: Filled | None = None
    # The version of the answer on which the text is based, even if a newer one is shown.
    base: int = 0
    # The numbers of the drafts on which the page is based.
    known: frozenset[int] = frozenset()

    @property
    def has_conflict(self) -> bool:
        """Whether the answer saved meanwhile differs from the one that the page showed."""
        return self.theirs is not None and self.theirs.version != self.base

    @property
    def is_filled(self) -> bool:
        """Whether the page shows unsaved text to compare with the answer."""
        return self.typed is not None or self.theirs is not None

    def finish(self) -> None:
        """Erase the draft, in the transaction that saves its text."""
        if self.whose:
            number = sent_number("draft_number")
            drafts.finish(self.checklist, self.whose, number=number, known=self.known)


@dataclass(frozen=True, slots=True)
class DraftOnPage:
    """What a page needs to store a draft: the URL, the number, and whose it is."""

    page: str
    number: int
    base: int
    known: str
    key: str
    keep: str
    discard: str
    back: str
    here: str
    sign_in: str
    # Whether the page responds to a submitted form: then it shows the newest text.
    is_answer: bool
    is_kept: bool
    # When the draft that fills the form was stored.
    kept_at: dt.datetime | None


def begin_writing(
    actor: Actor, loaded: LoadedChecklist, item: Item, kind: DraftKind, current: Filled | None
) -> Writing:
    """Return a person's draft on an item, with any conflicting answer saved since."""
    scope = AnswerScope.PARTY if kind is DraftKind.PARTY else AnswerScope.SHARED
    checklist = loaded.checklist
    may_write = policy.can_write(actor, loaded.own_party(actor), item, scope)
    if not may_write or actor.organisation_id is None:
        return Writing(checklist, None)
    whose = DraftKey(actor.user_id, actor.organisation_id, item.code, kind)
    saved = drafts.find(checklist, whose)
    now = current.version if current else 0
    if request.method == "POST":
        base, known = sent_number("draft_base"), known_numbers()
        return Writing(checklist, whose, saved, base=base, known=known)
    known = frozenset({saved.number})
    if saved.typed is None:
        return Writing(checklist, whose, saved, base=now, known=known)
    theirs = current if saved.base_version != now else None
    return Writing(checklist, whose, saved, saved.typed, theirs, saved.base_version, known)


def begin_deciding(actor: Actor, loaded: LoadedChecklist) -> Writing:
    """Return a person's draft of what is left to decide in all items of a checklist.

    The versions on which it is based are among its words, one for each item.
    """
    checklist = loaded.checklist
    may_write = policy.can_take_part(actor, loaded.own_party(actor)) and loaded.goes_on()
    if not may_write or actor.organisation_id is None:
        return Writing(checklist, None)
    whose = DraftKey(actor.user_id, actor.organisation_id, drafts.LEFT_TO_DECIDE, DraftKind.SHARED)
    saved = drafts.find(checklist, whose)
    if request.method == "POST":
        return Writing(checklist, whose, saved, known=known_numbers())
    return Writing(checklist, whose, saved, saved.typed, known=frozenset({saved.number}))


def keep_aside(writing: Writing) -> Writing:
    """Keep the text of a person whose save conflicted with another as a draft (product.md, 4.6).

    Not if the page was opened for another organisation than they act for now.
    """
    whose = writing.whose
    if whose is None or _is_for_another():
        return writing
    saved = drafts.keep_aside(
        writing.checklist, whose, sent_words(), base_version=sent_number("draft_base")
    )
    db.session.commit()  # not performed: the answer is the page with the text, no redirect
    return replace(writing, saved=saved, known=writing.known | {saved.number})


def current_of(
    loaded: LoadedChecklist, actor: Actor, item: Item, scope: AnswerScope
) -> Filled | None:
    """Return the current answer: the shared one, or the person's own party's."""
    if scope is AnswerScope.PARTY and actor.organisation_id:
        return loaded.sheet.of_party(item.code, actor.organisation_id)
    return loaded.sheet.shared(item.code)


def handle_conflict(
    actor: Actor,
    writing: Writing,
    form: ShownFields,
    show: Callable[[ShownFields, Actor, LoadedChecklist, Item], None],
) -> tuple[LoadedChecklist, Writing]:
    """Keep the text of a person whose save conflicted with another as a draft (product.md, 4.6).

    Return the checklist as it is now, and the writing with the answer saved before it. The form
    takes that answer's version, so that sending it again is a choice made with both in view. show
    stores in it what its page shows: show_item, or show_question in a form for answers.
    """
    checklist = found_or_404(queries.find(actor, writing.checklist.id))
    loaded = load_localized(checklist)
    whose = found_or_404(writing.whose)
    scope = AnswerScope.PARTY if whose.kind is DraftKind.PARTY else AnswerScope.SHARED
    item = item_of(loaded, whose.item)
    theirs = current_of(loaded, actor, item, scope)
    saved = drafts.keep_aside(checklist, whose, sent_words(), base_version=seen_version(form))
    show(form, actor, loaded, item)
    db.session.commit()  # not performed: the answer is the page with both texts, no redirect
    form["base_version"].data = theirs.version if theirs else 0
    return loaded, replace(
        writing,
        checklist=checklist,
        saved=saved,
        theirs=theirs,
        base=saved.base_version,
        known=writing.known | {saved.number},
    )


def on_page(writing: Writing) -> DraftOnPage | None:
    """Return what the page needs to store a draft; None for people who may only read."""
    whose = writing.whose
    if whose is None:
        return None
    place: dict[str, Any] = {"checklist_id": writing.checklist.id, "code": whose.item}
    parts = (whose.user_id, whose.organisation_id, writing.checklist.id, whose.item, whose.kind)
    return DraftOnPage(
        page=page_token(writing.checklist.id, whose),
        number=writing.saved.number,
        base=writing.base,
        known=" ".join(map(str, sorted(writing.known))),
        key=":".join(map(str, parts)),
        keep=url_for("drafts.keep", **place),
        discard=url_for("drafts.discard", **place),
        back=url_for("checklists.show", checklist_id=writing.checklist.id),
        here=here(),
        sign_in=url_for("security.login", next=here()),
        is_answer=request.method == "POST",
        is_kept=writing.saved.typed is not None,
        kept_at=writing.saved.kept_at if writing.typed is not None else None,
    )


def here() -> str:
    """Return the requested URL."""
    return request.full_path if request.query_string else request.path


def sent_words() -> dict[str, list[str]]:
    """Return everything typed into the form of this request, unchanged."""
    return {name: texts for name, texts in request.form.lists() if name not in BESIDE}


def sent_number(name: str) -> int:
    """Return a whole number that a page sent; 0 if it is invalid."""
    typed = request.form.get(name, "")
    return int(typed) if NUMBER.fullmatch(typed) else 0


def known_numbers() -> frozenset[int]:
    """Return the numbers of the drafts a page is based on: the one it showed, and its own."""
    given = request.form.get("draft_known", "").split()
    return frozenset(int(number) for number in given if NUMBER.fullmatch(number))


def is_own(actor: Actor, whose: DraftKey) -> bool:
    """Return whether a draft is the actor's, for the organisation they are acting for now."""
    return (actor.user_id, actor.organisation_id) == (whose.user_id, whose.organisation_id)


def page_token(checklist_id: UUID, whose: DraftKey) -> str:
    """Return a token that proves that a page was opened by this person, for this organisation."""
    signed = [whose.user_id.hex, whose.organisation_id.hex, whose.kind.value]
    return str(_signer(checklist_id, whose.item).dumps(signed))


def opened_by(checklist_id: UUID, code: str, *, lasts: int | None = None) -> DraftKey | None:
    """Return who opened the page that was sent, from its token; None without a valid one."""
    try:
        user, organisation, kind = _signer(checklist_id, code).loads(
            request.form.get("draft_page", ""), max_age=lasts
        )
        return DraftKey(UUID(hex=user), UUID(hex=organisation), code, DraftKind(kind))
    except (BadSignature, TypeError, ValueError):  # the latter two: signed by an older version
        return None


def opened_here(*, lasts: int | None = None) -> DraftKey | None:
    """Return who opened the page whose form this request sends; None without a valid token."""
    args = request.view_args or {}
    return opened_by(args["checklist_id"], args.get("code", drafts.LEFT_TO_DECIDE), lasts=lasts)


def _signer(checklist_id: UUID, code: str) -> URLSafeTimedSerializer:
    secret = str(current_app.secret_key)
    return URLSafeTimedSerializer(secret, salt=f"draft-page:{checklist_id}:{code}")

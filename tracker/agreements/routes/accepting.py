"""Pages for reading a draft like a document, and for accepting a section of it as shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, signed_in
from tracker.agreements import accepting
from tracker.agreements.accepting import Accepted, Reading
from tracker.agreements.routes import going_on
from tracker.checklist_templates.conditions import Truth
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import Item, Section
from tracker.checklists import localized_values, pages
from tracker.checklists.deciding import left_to_decide
from tracker.checklists.editing import checklist_page, get_or_404, load_localized
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.negotiation import undoing
from tracker.checklists.negotiation.text_digest import item_token
from tracker.checklists.obstacles import item_names
from tracker.checklists.pages import AnswerView
from tracker.ui.perform import perform

blueprint = Blueprint("reading", __name__, url_prefix="/checklists/<uuid:checklist_id>/read")


@dataclass(frozen=True, slots=True)
class ItemToRead:
    """An item as the agreement will have it, with what changed since the reader's party read it."""

    item: Item
    answers: list[AnswerView]
    # Of what can be accepted or confirmed as read here: the token of the item as the page shows it.
    token: str = ""
    # Whether it needs no acceptance, only to be read.
    is_only_read: bool = False
    # Why it has to be looked at by itself; empty if it hasn't.
    left_out: object = ""
    # Whether the party's own row or answer is missing.
    is_to_write: bool = False
    changes: list[localized_values.PartDifference] | None = None


@dataclass(frozen=True, slots=True)
class SectionToRead:
    """A section with its items; to_accept are those that the reader's party can accept."""

    section: Section
    views: list[ItemToRead]

    @property
    def to_confirm(self) -> list[ItemToRead]:
        """The items that can be accepted, or confirmed as read, together."""
        return [view for view in self.views if view.token]

    @property
    def to_accept(self) -> list[ItemToRead]:
        """The items that can be accepted together."""
        return [view for view in self.to_confirm if not view.is_only_read]

    @property
    def to_read(self) -> list[ItemToRead]:
        """The items that can be confirmed as read together."""
        return [view for view in self.to_confirm if view.is_only_read]

    @property
    def left_out(self) -> list[ItemToRead]:
        """The items that the party has not accepted and has to look at by themselves."""
        return [view for view in self.views if view.left_out]


@dataclass(frozen=True, slots=True)
class WholeDraft:
    """The labels of the items of all sections, to be accepted at the end of the text."""

    accept: list[object]
    read: list[object]
    left_out: list[object]


@blueprint.get("")
@signed_in
def show(checklist_id: UUID) -> str:
    """Show a draft as the text it will be, section by section."""
    actor = current_actor()
    loaded = load_localized(get_or_404(actor, checklist_id, "read"))
    sections = _sections(loaded, actor)
    undoable = undoing.undoable(loaded, actor)
    return checklist_page(
        "checklists/read.html",
        loaded,
        loaded=loaded,
        sections=sections,
        undoable=undoable,
        undoable_names=item_names(loaded, undoable),
        links=[
            (f"#section-{part.section.key}", part.section.title, "", False) for part in sections
        ],
        left=sum(len(part.to_confirm) for part in sections),
        left_out=sum(len(part.left_out) for part in sections),
        to_write=sum(view.is_to_write for part in sections for view in part.views),
        whole=_whole(sections),
        to_decide=left_to_decide.count(loaded, actor),
    )


def _whole(sections: list[SectionToRead]) -> WholeDraft | None:
    """Return what can be accepted at the end of the text, if it is in more than one section."""
    to_confirm = [part for part in sections if part.to_confirm]
    if to_confirm[1:] == []:  # the section has a button of its own
        return None
    return WholeDraft(
        accept=[view.item.label for part in sections for view in part.to_accept],
        read=[view.item.label for part in sections for view in part.to_read],
        left_out=[view.item.label for part in sections for view in part.left_out],
    )


@blueprint.post("/accept")
@signed_in
def accept(checklist_id: UUID) -> Response:
    """Accept the items of a section, or of the whole draft, as the page showed them."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "accept_items")
    section = request.form.get("section", "")
    anchor = f"section-{section}" if section else None
    back = url_for("reading.show", checklist_id=checklist_id, _anchor=anchor)

    def next_page(accepted: Accepted | None) -> Response:
        is_whole = accepted is not None and not section and not accepted.changed
        return redirect((is_whole and going_on.after_reading(actor, checklist)) or back, 303)

    return perform(
        None,
        lambda: accepting.accept_items(actor, checklist, _seen()),
        success=lambda accepted: _words(load_localized(checklist), accepted, actor),
        next=next_page,
    )


def _words(loaded: LoadedChecklist, accepted: Accepted, actor: Actor) -> str:
    words = []
    if accepted.items:
        words.append(
            ngettext(
                "You accepted %(num)s item for %(party)s.",
                "You accepted %(num)s items for %(party)s.",
                len(accepted.items),
                party=actor.organisation_name,
            )
        )
    if accepted.read:
        words.append(_("Read: %(items)s.", items=item_names(loaded, accepted.read)))
    if accepted.changed:
        words.append(
            _(
                "Not accepted, since they changed after you opened the page: %(items)s.",
                items=item_names(loaded, accepted.changed),
            )
        )
    return " ".join(words)


def _seen() -> Mapping[str, str]:
    """Return the items on the page, each with the token of what the page showed."""
    codes, tokens = request.form.getlist("item"), request.form.getlist("page_token")
    return dict(zip(codes, tokens, strict=True)) if len(codes) == len(tokens) else {}


def _sections(loaded: LoadedChecklist, actor: Actor) -> list[SectionToRead]:
    reading = accepting.reading_of(loaded, actor)
    waiting = reading.acceptable | reading.left_out.keys()
    earlier = accepting.earlier_values(loaded, actor, waiting) if waiting else {}
    statuses = loaded.standing().items
    sections = []
    for section in loaded.template.sections:
        views = [
            _view(loaded, actor, item, reading, earlier)
            for item in section.items
            if (status := statuses.get(item.code)) and status.shown is Truth.TRUE
        ]
        with_text = [view for view in views if view.answers]
        if with_text:
            sections.append(SectionToRead(section, with_text))
    return sections


def _view(
    loaded: LoadedChecklist,
    actor: Actor,
    item: Item,
    reading: Reading,
    earlier: Mapping[str, Mapping[str, object]],
) -> ItemToRead:
    changes = None
    if item.code in earlier:
        current = loaded.sheet.shared(item.code)
        now = pages.answer_parts(loaded, item, AnswerScope.SHARED, current) if current else []
        before = pages.parts(item.fields_of(AnswerScope.SHARED), earlier[item.code], loaded)
        changes = localized_values.differences(before, now)
    offered = reading.acceptable | reading.unread
    return ItemToRead(
        item,
        pages.answers_of(loaded, item),
        token=item_token(loaded, actor, item) if item.code in offered else "",
        is_only_read=item.code in reading.unread,
        left_out=reading.left_out.get(item.code, ""),
        is_to_write=item.code in reading.to_write,
        changes=changes or None,
    )

"""Service functions for this instance's checklists: import a draft, publish, retire, discard."""

from collections import Counter
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from tracker.access.actor import Actor
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.authoring import policy, queries
from tracker.authoring.checklists.strictness import loosenings
from tracker.authoring.models import TemplateDraft
from tracker.authoring.recording import record
from tracker.checklist_templates import library, translations
from tracker.checklist_templates.languages import ChecklistWords
from tracker.checklist_templates.library import TemplateFile
from tracker.checklist_templates.models import (
    ChecklistKind,
    ChecklistTemplate,
    TemplateOrigin,
    TemplateState,
    TemplateWords,
    WordsOrigin,
)
from tracker.checklist_templates.schema import Template
from tracker.core import canonical, clock
from tracker.core.db import db, let_others_write
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.core.mistakes import ContentError, Mistake
from tracker.guidance import queries as guidance

# The longest shipped one has 65,000.
MAX_TEXT = 200_000
CHECKLIST = "checklist"
MAX_REASON = 2000


def read(text: str) -> TemplateFile:
    """Parse an uploaded checklist; raise ContentError with all mistakes by line and item.

    A long text takes seconds; others can write in the meantime.
    """
    _require_length(text, CHECKLIST)
    let_others_write()
    return library.read_one(text, CHECKLIST)


def checked(file: TemplateFile, *, kind: ChecklistKind | None = None) -> ChecklistTemplate:
    """Check a changed checklist as strictly as a file; return the version it was derived from.

    Its number names that version; publishing gives it its own. Beyond the schema, everything an
    item is based on must exist, and items based on a *must* of the source can't be loosened. Raises
    ContentError with all mistakes by line and item.
    """
    template = file.template
    if kind is not None and template.kind is not kind:
        message = _("the kind is %(kind)s, and stays so", kind=kind.value)
        advice = _("Write %(word)s instead.", word=kind.value)
        raise ContentError([file.text.mistake(("kind",), message, advice)])
    rows = library.versions(template.kind)
    base = next((row for row in rows if row.version == template.version), None)
    if base is None:
        message = _(
            "there is no version %(number)s: leave the number of the one you changed",
            number=template.version,
        )
        raise ContentError([file.text.mistake(("version",), message)])
    mistakes = _broken(file) + _same_names(file, base) + _loosenings(file, base, rows)
    if mistakes:
        raise ContentError(mistakes)
    return base


def _broken(file: TemplateFile) -> list[Mistake]:
    items = file.template.items
    refs = {ref for item in items for ref in item.rests_on.passages}
    refs |= {limit.passage for item in items for limit in item.limits}
    passages = {
        ref: set(passage.statements) for ref, passage in guidance.passages_for(sorted(refs)).items()
    }
    return library.broken_references((file,), queries.statement_codes(), passages)


def _places(file: TemplateFile) -> dict[str, tuple[str | int, ...]]:
    """Return where each item is in the text, by its code."""
    return {
        item["code"]: ("sections", s, "items", i)
        for s, section in enumerate(file.text.tree["sections"])
        for i, item in enumerate(section["items"])
    }


def comparable(name: str) -> str:
    """Return the name of an item without the differences that readers overlook."""
    return " ".join(name.casefold().split())


def _same_names(file: TemplateFile, base: ChecklistTemplate) -> list[Mistake]:
    """Return the new names that another item has too: pages and mails name items by them alone."""
    before = {code: comparable(item.label) for code, item in library.parsed(base).by_code.items()}
    names = {code: comparable(item.label) for code, item in file.template.by_code.items()}
    places = _places(file)
    count = Counter(names.values())
    return [
        file.text.mistake(
            places[code],
            _("item %(code)s: another item has the same name", code=code),
            _("Give each item its own name."),
        )
        for code, name in names.items()
        if count[name] > 1 and before.get(code) != name
    ]


def _loosenings(
    file: TemplateFile, base: ChecklistTemplate, rows: list[ChecklistTemplate]
) -> list[Mistake]:
    """Return what is looser than in the version it was derived from, or the latest shipped one."""
    places = _places(file)
    musts = queries.musts()
    mistakes = []
    for old in compared_with(base, rows):
        for change in loosenings(old, file.template, musts):
            words = change.message
            if change.code:
                words = _("item %(code)s: %(problem)s", code=change.code, problem=words)
            place = places.get(change.code, ("sections",))
            advice = _("Put back what the version you changed has there.")
            mistakes.append(file.text.mistake(place, words, advice))
    return mistakes


def compared_with(base: ChecklistTemplate, rows: list[ChecklistTemplate]) -> list[Template]:
    """Return what a change may not be looser than: its base version, and the latest shipped one."""
    shipped = max(
        (row for row in rows if row.origin is TemplateOrigin.SHIPPED),
        key=lambda row: row.version,
        default=base,
    )
    return [library.parsed(row) for row in {base.id: base, shipped.id: shipped}.values()]


def take_in(actor: Actor, text: str) -> TemplateDraft:
    """Store a changed checklist as a draft, which only administrators see.

    Raises ContentError with all mistakes, RefusedError, or RuleBrokenError if it is equal to the
    version it was derived from.
    """
    policy.can_look_after_checklists(actor).require()
    file = read(text)
    base = checked(file)
    _require_different(file.template, base)
    draft = TemplateDraft(
        id=uuid4(),
        kind=file.template.kind,
        base_id=base.id,
        text=text,
        content=library.content_of(file.template),
        version=1,
        author_id=actor.user_id,
        changed_at=clock.now(),
    )
    db.session.add(draft)
    db.session.flush()
    _record_draft(actor, draft, base)
    return draft


def change(actor: Actor, draft_id: UUID, text: str, *, seen_version: int | None) -> TemplateDraft:
    """Replace a draft's text.

    Raises ContentError, RefusedError, or StaleError if somebody changed it in the meantime.
    """
    policy.can_look_after_checklists(actor).require()
    file = read(text)
    draft = _locked(draft_id)
    if draft.version != seen_version:
        raise StaleError(
            _l("Somebody else changed this draft in the meantime. Compare, then save again.")
        )
    base = checked(file, kind=draft.kind)
    _require_different(file.template, base)
    draft.base_id = base.id
    draft.text = text
    draft.content = library.content_of(file.template)
    draft.version += 1
    draft.author_id = actor.user_id
    draft.changed_at = clock.now()
    db.session.flush()
    _record_draft(actor, draft, base)
    return draft


def publish(
    actor: Actor, draft_id: UUID, *, seen_version: int | None, reason: str
) -> ChecklistTemplate:
    """Publish a draft under the next number; new checklists start on it.

    It is checked again: guidance and the latest shipped version may have changed in the meantime.
    """
    policy.can_look_after_checklists(actor).require()
    text = db.session.scalar(sa.select(TemplateDraft.text).where(TemplateDraft.id == draft_id))
    file = read(text) if text is not None else None
    draft = _locked(draft_id)
    if draft.version != seen_version or draft.text != text or file is None:
        raise StaleError(_l("Somebody else changed this draft. Look at it again, then publish."))
    reason = tidy_reason(reason)
    base = checked(file, kind=draft.kind)
    number = library.versions(draft.kind)[0].version + 1
    try:
        with db.session.begin_nested():
            row = library.add(
                file.template.model_copy(update={"version": number}), TemplateOrigin.DERIVED
            )
    except IntegrityError as error:
        raise StaleError(
            _l("Another version was published at the same moment. Try again.")
        ) from error
    db.session.delete(draft)
    db.session.flush()
    record(verbs.TEMPLATE_PUBLISHED, actor, row, base=base.version, reason=reason)
    library.carry_on(base, row, actor)
    library.say_uses(row.kind)
    return row


def change_words(
    actor: Actor, template_id: UUID, language: str, text: str, *, seen_number: int, reason: str
) -> TemplateWords:
    """Replace a version's translation into a language immediately (adr 38).

    From then on it belongs to this instance. Raises ContentError with all mistakes, RefusedError,
    RuleBrokenError if nothing differs, and StaleError if somebody changed it in the meantime.
    """
    policy.can_look_after_checklists(actor).require()
    words = read_words(
        text, library.parsed(db.session.get_one(ChecklistTemplate, template_id)), language
    )
    row = _locked_template(template_id)
    current = translations.current(row.id).get(language)
    if (current.number if current else 0) != seen_number:
        raise StaleError(_l("Somebody else changed this wording. Look at it again, then save."))
    reason = tidy_reason(reason)
    if current is not None and translations.parsed(current) == words:
        raise RuleBrokenError(_l("That's the same wording as before. Change something."))
    words_row = translations.take_in(row, words, WordsOrigin.OWN)
    if words_row is None:  # its own translation, before a shipped one
        raise RuleBrokenError(_l("That's the same wording as before. Change something."))
    library.say_uses(row.kind)
    trail.record(
        verbs.TEMPLATE_WORDS_CHANGED,
        actor=actor,
        subject_type="checklist_words",
        subject_id=words_row.id,
        evidence=words_row.digest,
        kind=row.kind.value,
        version=row.version,
        language=language,
        number=words_row.number,
        digest=words_row.digest,
        reason=reason,
    )
    return words_row


def read_words(text: str, template: Template, language: str) -> ChecklistWords:
    """Check an uploaded translation as strictly as a file; raise ContentError with all mistakes.

    Others can write in the meantime.
    """
    name = "words"
    _require_length(text, name)
    let_others_write()
    file = translations.read_one(text, name, template)
    if file.words.language != language:
        message = _("the language is %(language)s, and stays so", language=language)
        advice = _("Write %(word)s instead.", word=language)
        raise ContentError([file.text.mistake(("language",), message, advice)])
    return file.words


def publish_shipped(actor: Actor, template_id: UUID, *, reason: str) -> ChecklistTemplate:
    """Publish a shipped version that awaits a decision; new checklists start on it."""
    row = _locked_template(template_id)
    policy.can_publish(actor, row.state).require()
    reason = tidy_reason(reason)
    row.published_at = clock.now()
    db.session.flush()
    library.say_uses(row.kind)
    record(verbs.TEMPLATE_PUBLISHED, actor, row, base=None, reason=reason)
    return row


def retire(actor: Actor, template_id: UUID, *, reason: str) -> None:
    """Retire a version for new checklists; those that use it continue."""
    row = _locked_template(template_id)
    published = [
        version
        for version in library.versions(row.kind)
        if version.state is TemplateState.PUBLISHED
    ]
    policy.can_retire(actor, row.state, len(published)).require()
    reason = tidy_reason(reason)
    row.retired_at = clock.now()
    db.session.flush()
    library.say_uses(row.kind)
    record(verbs.TEMPLATE_RETIRED, actor, row, reason=reason)


def discard(actor: Actor, draft_id: UUID) -> None:
    """Discard a draft."""
    policy.can_look_after_checklists(actor).require()
    draft = _locked(draft_id)
    trail.record(
        verbs.TEMPLATE_DISCARDED,
        actor=actor,
        subject_type="template_draft",
        subject_id=draft.id,
        kind=draft.kind.value,
        digest=canonical.digest_of(draft.content),
    )
    db.session.delete(draft)
    db.session.flush()


def _require_different(template: Template, base: ChecklistTemplate) -> None:
    if template == library.parsed(base):
        raise RuleBrokenError(
            _l("This says the same as version %(number)s. Change something.", number=base.version)
        )


def tidy_reason(reason: str) -> str:
    """Return a reason without outer spaces; raise RuleBrokenError if it is missing or too long."""
    tidy = reason.strip()
    if not tidy:
        raise RuleBrokenError(_l("Give the reason."), "reason")
    if len(tidy) > MAX_REASON:
        raise RuleBrokenError(
            _l("Write a reason of at most %(most)s characters.", most=MAX_REASON), "reason"
        )
    return tidy


def _require_length(text: str, name: str) -> None:
    if len(text) > MAX_TEXT:
        message = _("the text is longer than %(most)s characters", most=MAX_TEXT)
        raise ContentError([Mistake(name, 1, message, _("Shorten it."))])


def _locked(draft_id: UUID) -> TemplateDraft:
    draft = db.session.scalar(
        sa.select(TemplateDraft)
        .where(TemplateDraft.id == draft_id)
        .options(joinedload(TemplateDraft.base))
        .with_for_update(of=TemplateDraft)
        .execution_options(populate_existing=True)
    )
    if draft is None:
        raise StaleError(_l("This draft no longer exists: it was published or discarded."))
    return draft


def _locked_template(template_id: UUID) -> ChecklistTemplate:
    """Lock all versions of the kind, so that two people can't retire the last two together."""
    row = db.session.get_one(ChecklistTemplate, template_id)
    db.session.scalars(
        sa.select(ChecklistTemplate)
        .where(ChecklistTemplate.kind == row.kind)
        .order_by(ChecklistTemplate.version)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    return row


def _record_draft(actor: Actor, draft: TemplateDraft, base: ChecklistTemplate) -> None:
    trail.record(
        verbs.TEMPLATE_DRAFTED,
        actor=actor,
        subject_type="template_draft",
        subject_id=draft.id,
        kind=draft.kind.value,
        base=base.version,
        digest=canonical.digest_of(draft.content),
    )

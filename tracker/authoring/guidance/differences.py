"""Differences between two texts of an article: its head, and passage by passage. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l

from tracker.authoring.facts import ArticleParts
from tracker.checklist_templates import value_differences
from tracker.checklist_templates.compare import Change
from tracker.guidance.library import PassageText
from tracker.ui.locale import with_commas


@dataclass(frozen=True, slots=True)
class PassageDifference:
    """How a passage changed; passages are matched by key."""

    number: int
    title: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class ArticleDifference:
    """The differences between two texts of an article."""

    head: tuple[Change, ...] = ()
    new: tuple[PassageText, ...] = ()
    gone: tuple[PassageText, ...] = ()
    changed: tuple[PassageDifference, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.head or self.new or self.gone or self.changed)


def between(
    old: ArticleParts,
    new: ArticleParts,
    names: Mapping[str, str],
    *,
    codes: object = _l("Statements"),
) -> ArticleDifference:
    """Return what changed from one text to another, word by word.

    names are the labels of categories and topics by slug; codes explains the codes in a passage's
    heading.
    """
    before = {passage.key: passage for passage in old.passages}
    after = {passage.key: passage for passage in new.passages}
    changed = tuple(
        PassageDifference(passage.number, passage.title, passage_change)
        for passage in new.passages
        if passage.key in before
        and (passage_change := tuple(_passage(before[passage.key], passage, codes)))
    )
    return ArticleDifference(
        head=tuple(_head(old, new, names)),
        new=tuple(passage for passage in new.passages if passage.key not in before),
        gone=tuple(passage for passage in old.passages if passage.key not in after),
        changed=changed,
    )


def _head(old: ArticleParts, new: ArticleParts, names: Mapping[str, str]) -> Iterator[Change]:
    topics = [with_commas(names.get(slug, slug) for slug in text.topics) for text in (old, new)]
    category = [names.get(text.category, text.category) for text in (old, new)]
    shared = {passage.key for passage in old.passages} & {passage.key for passage in new.passages}
    keys = [[p.key for p in text.passages if p.key in shared] for text in (old, new)]
    # By the current titles, so that a new title does not look like a new order.
    titles = {passage.key: passage.title for passage in new.passages}
    order = ["\n".join(titles[key] for key in order) for order in keys]
    for name, before, after in (
        (_l("Question"), old.question, new.question),
        (_l("Summary"), old.summary, new.summary),
        (_l("Category"), *category),
        (_l("Topics"), *topics),
        (_l("Text before the first passage"), old.lead, new.lead),
        (_l("Order of the passages"), *order),
    ):
        if before != after:
            yield Change(name, value_differences.words(before, after))


def _passage(old: PassageText, new: PassageText, codes: object) -> Iterator[Change]:
    for name, before, after in (
        (_l("Title"), old.title, new.title),
        (_l("Text"), old.markdown, new.markdown),
        (codes, with_commas(old.statements), with_commas(new.statements)),
        (_l("Concerns items"), with_commas(old.items), with_commas(new.items)),
    ):
        if before != after:
            yield Change(name, value_differences.words(before, after))

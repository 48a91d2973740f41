"""Differences between two texts of an article: its head, and passage by passage. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l

from tracker.authoring.facts import ArticleParts
from tracker.checklist_templates import value_differences
from tracker.checklist_templates.compare import Change
from tracker.guidance.library import PassageText


@dataclass(frozen=True, slots=True)
class PassageDifference:
    """How a passage changed; passages go by their keys."""

    number: int
    title: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class ArticleDifference:
    """What one text of an article has that another does not."""

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
    codes: object = _l("Carries statements"),
) -> ArticleDifference:
    """Return what changed from one text to another, word by word.

    names are the words of categories and topics by their slugs; codes says what the codes in a
    passage's heading mean.
    """
    before = {one.key: one for one in old.passages}
    after = {one.key: one for one in new.passages}
    changed = tuple(
        PassageDifference(one.number, one.title, found)
        for one in new.passages
        if one.key in before and (found := tuple(_passage(before[one.key], one, codes)))
    )
    return ArticleDifference(
        head=tuple(_head(old, new, names)),
        new=tuple(one for one in new.passages if one.key not in before),
        gone=tuple(one for one in old.passages if one.key not in after),
        changed=changed,
    )


def _head(old: ArticleParts, new: ArticleParts, names: Mapping[str, str]) -> Iterator[Change]:
    topics = [", ".join(names.get(slug, slug) for slug in one.topics) for one in (old, new)]
    category = [names.get(one.category, one.category) for one in (old, new)]
    kept = {one.key for one in old.passages} & {one.key for one in new.passages}
    keys = [[p.key for p in one.passages if p.key in kept] for one in (old, new)]
    # Told by the titles of now, so that a new title is not told as another order.
    titles = {one.key: one.title for one in new.passages}
    order = ["\n".join(titles[key] for key in one) for one in keys]
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
        (codes, ", ".join(old.statements), ", ".join(new.statements)),
        (_l("Concerns items"), ", ".join(old.items), ", ".join(new.items)),
    ):
        if before != after:
            yield Change(name, value_differences.words(before, after))

"""An article as its author wrote it, and split into the parts to show and compare. Pure."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from tracker.core import canonical
from tracker.guidance.library import PassageText


@dataclass(frozen=True, slots=True)
class ArticleWords:
    """An article as somebody wrote it: its head, and its text in Markdown."""

    question: str
    summary: str
    category: str
    topics: tuple[str, ...]
    body: str

    @property
    def digest(self) -> str:
        """A value that changes with any character of the article."""
        return canonical.digest_of(asdict(self) | {"topics": list(self.topics)})


@dataclass(frozen=True, slots=True)
class ArticleParts:
    """An article whose text is split into lead and passages.

    In an organisation's own article, a passage's statements are the items it is paired with.
    """

    question: str
    summary: str
    category: str
    topics: tuple[str, ...]
    lead: str
    passages: tuple[PassageText, ...]


def parted(words: ArticleWords, lead: str, passages: Iterable[PassageText]) -> ArticleParts:
    """Return an article split as it was parsed."""
    return ArticleParts(
        words.question, words.summary, words.category, words.topics, lead, tuple(passages)
    )

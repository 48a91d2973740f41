"""Requirements for an article's head: a question, a summary, lengths, topics in order."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from tracker.authoring.facts import ArticleWords
from tracker.core.errors import RuleBrokenError
from tracker.core.mistakes import ContentError, Mistake
from tracker.guidance.queries import taxonomy

# In characters.
MAX_QUESTION = 300
MAX_SUMMARY = 1000
MAX_TEXT = 50_000
# The text including its head.
MAX_FILE = 60_000


def require_head(words: ArticleWords, *, needs_summary: bool) -> None:
    """Raise RuleBrokenError if an article's head is invalid.

    Category and topics must be in the taxonomy, each topic once, at least one of them.
    """
    _require_text("question", words.question, MAX_QUESTION, is_needed=True)
    _require_text("summary", words.summary, MAX_SUMMARY, is_needed=needs_summary)
    known = taxonomy()
    if words.category not in known.categories:
        raise RuleBrokenError(
            _l("The category %(slug)s doesn't exist.", slug=words.category), "category"
        )
    if not words.topics:
        raise RuleBrokenError(_l("Choose at least one topic."), "topics")
    unknown = [topic for topic in words.topics if topic not in known.topics]
    if unknown:
        raise RuleBrokenError(_l("The topic %(slug)s doesn't exist.", slug=unknown[0]), "topics")
    if len(set(words.topics)) < len(words.topics):
        raise RuleBrokenError(_l("Choose each topic once."), "topics")


def _require_text(field: str, text: str, most: int, *, is_needed: bool) -> None:
    if is_needed and not text:
        raise RuleBrokenError(_l("Enter an answer"), field)
    if len(text) > most:
        raise RuleBrokenError(_l("Use at most %(most)s characters here.", most=most), field)


def require_length(words: ArticleWords) -> None:
    """Raise ContentError if a text is too long."""
    if len(words.body) > MAX_TEXT:
        message = _("the text is longer than %(most)s characters", most=MAX_TEXT)
        raise ContentError([Mistake("text", 1, message, _("Shorten it."))])


def in_order(topics: tuple[str, ...], before: tuple[str, ...]) -> tuple[str, ...]:
    """Return topics in their previous order, followed by new ones."""
    remaining = [topic for topic in before if topic in topics]
    return tuple(dict.fromkeys([*remaining, *topics]))

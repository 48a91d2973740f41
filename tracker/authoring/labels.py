"""Labels for versions of checklists and revisions of articles: their origin and status."""

from flask_babel import lazy_gettext as _l

from tracker.authoring.models import OwnArticle
from tracker.checklist_templates.models import TemplateOrigin, TemplateState, WordsOrigin
from tracker.guidance.models import Article, ArticleOrigin

ORIGINS: dict[TemplateOrigin, object] = {
    TemplateOrigin.SHIPPED: _l("Supplied with the software"),
    TemplateOrigin.DERIVED: _l("Derived here"),
}

WORDS_ORIGINS: dict[WordsOrigin, object] = {
    WordsOrigin.SHIPPED: _l("Supplied with the software"),
    WordsOrigin.CARRIED: _l("Carried over from another version"),
    WordsOrigin.OWN: _l("Changed here"),
}

# Each with its style mark (data-s).
STATES: dict[TemplateState, tuple[object, str]] = {
    TemplateState.WAITING: (_l("Not published yet"), "todo"),
    TemplateState.PUBLISHED: (_l("Published"), "held"),
    TemplateState.RETIRED: (_l("Retired"), "off"),
}

# An item of a draft beside its base version.
CHANGED_ITEM, NEW_ITEM = (_l("Changed"), "half"), (_l("New"), "half")

ARTICLE_ORIGINS: dict[ArticleOrigin, object] = {
    ArticleOrigin.SHIPPED: _l("Supplied with the software"),
    ArticleOrigin.EDITED: _l("Edited here"),
}


def article_state(row: Article) -> tuple[object, str]:
    """Return the status of a revision as label and style mark."""
    if row.is_current:
        return _l("Current"), "held"
    if row.waits:
        return _l("Waiting for your decision"), "wait"
    return _l("Not current"), "off"


def own_state(row: OwnArticle) -> tuple[object, str]:
    """Return who can read an organisation's own article, as label and style mark."""
    if row.withdrawn_at is not None:
        return _l("Withdrawn"), "off"
    if row.for_partners:
        return _l("For us and our partners"), "held"
    return _l("For our organisation only"), "held"

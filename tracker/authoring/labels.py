"""Words of versions of checklists: where they come from, and whether they are offered."""

from flask_babel import lazy_gettext as _l

from tracker.checklists.models import TemplateOrigin, TemplateState, WordsOrigin

ORIGINS: dict[TemplateOrigin, object] = {
    TemplateOrigin.SHIPPED: _l("Brought along"),
    TemplateOrigin.DERIVED: _l("Derived here"),
}

WORDS_ORIGINS: dict[WordsOrigin, object] = {
    WordsOrigin.SHIPPED: _l("Brought along"),
    WordsOrigin.CARRIED: _l("Carried over from another version"),
    WordsOrigin.OWN: _l("Changed here"),
}

# Each with its mark (data-s).
STATES: dict[TemplateState, tuple[object, str]] = {
    TemplateState.WAITING: (_l("Not published yet"), "todo"),
    TemplateState.PUBLISHED: (_l("Published"), "held"),
    TemplateState.RETIRED: (_l("Retired"), "off"),
}

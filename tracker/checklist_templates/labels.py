"""Labels for what a checklist says about its items, in plain words."""

from flask_babel import lazy_gettext as _l

from tracker.checklist_templates.schema import Required

REQUIRED: dict[Required, object] = {
    Required.ALWAYS: _l("Required"),
    Required.RECOMMENDED: _l("Recommended"),
    Required.OPTIONAL: _l("Optional"),
    Required.CONDITIONAL: _l("Required on a condition"),
}

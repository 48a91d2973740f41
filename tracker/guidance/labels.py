"""Labels for how strongly the source puts a statement."""

from flask_babel import lazy_gettext as _l

from tracker.guidance.models import Force

FORCE: dict[Force, object] = {
    Force.MUST: _l("must"),
    Force.SHOULD: _l("should"),
    Force.MAY: _l("may"),
    Force.FACT: _l("is so"),
    Force.WARN: _l("beware"),
}

"""Labels for the register of undertakings."""

from flask_babel import lazy_gettext as _l

from tracker.cooperations.models import ClearanceScope
from tracker.oversight.undertaking_register.facts import Access, TextVersion

ACCESS: dict[Access, object] = {
    Access.OPEN: _l("With access"),
    Access.NOT_YET: _l("No access yet"),
    Access.CLOSED: _l("Access ended"),
}
VERSIONS: dict[TextVersion, object] = {
    TextVersion.IN_FORCE: _l("The terms in force"),
    TextVersion.EARLIER: _l("Earlier terms"),
}
# Which visit it is belongs to planning (K2), and so does its place.
SCOPES: dict[ClearanceScope, object] = {
    ClearanceScope.ALL: _l("All work"),
    ClearanceScope.PROJECT: _l("One project"),
    ClearanceScope.VISIT: _l("One joint visit"),
}

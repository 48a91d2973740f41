"""Flask extensions that belong to no feature: CSRF protection, Babel."""

from flask_babel import Babel

from tracker.core.csrf import MaskedCSRFProtect

csrf = MaskedCSRFProtect()
babel = Babel()

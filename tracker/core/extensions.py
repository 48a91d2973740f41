"""Flask extensions that belong to no feature: migrations, CSRF protection, Babel."""

from flask_babel import Babel
from flask_migrate import Migrate

from config import ROOT
from tracker.core.csrf import MaskedCSRFProtect
from tracker.core.db import db

migrate = Migrate(db=db, directory=str(ROOT / "migrations"), render_as_batch=True)
csrf = MaskedCSRFProtect()
babel = Babel()

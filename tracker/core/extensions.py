"""Flask extensions that belong to no feature: migrations, CSRF protection, Babel."""

from flask_babel import Babel
from flask_migrate import Migrate
from flask_wtf import CSRFProtect

from config import ROOT
from tracker.core.db import db

migrate = Migrate(db=db, directory=str(ROOT / "migrations"), render_as_batch=True)
csrf = CSRFProtect()
babel = Babel()

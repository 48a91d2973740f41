"""A bare view for comparison: it loads the user and 20 rows, and renders as many bytes."""

import sqlalchemy as sa
from flask import Flask, render_template_string, session

from tracker.accounts.models import User
from tracker.activity.models import Event
from tracker.core.db import db, will_write
from tracker.core.security import init_signing

ROWS = 20
_USER = sa.select(User).where(User.fs_uniquifier == sa.bindparam("mark"))
_EVENTS = sa.select(Event).limit(ROWS)
# A line is about a hundred bytes long, as lines of real pages are.
_PAGE = """<!doctype html><html lang="en"><title>Bare</title><h1>{{ user.email }}</h1>
{%- for line in range(lines) %}{% set row = rows[line % rows|length] %}
<li class="row" id="line-{{ line }}">
  <span>{{ row.number }}</span> <b>{{ row.verb }}</b> {{ row.at }}</li>
{%- endfor %}</html>"""
_A_LINE = 110


def bare_app(product: Flask) -> Flask:
    """Return the least that renders a page, on the database of an application."""
    app = Flask("bare")
    app.config.update(
        SECRET_KEY=product.config["SECRET_KEY"],
        SESSION_COOKIE_NAME=product.config["SESSION_COOKIE_NAME"],
        SQLALCHEMY_DATABASE_URI=product.config["SQLALCHEMY_DATABASE_URI"],
    )
    init_signing(app)
    db.init_app(app)

    @app.get("/<int:size>")
    def show(size: int) -> str:
        """Respond with about as many bytes as requested."""
        will_write.set(False)
        user = db.session.scalars(_USER, {"mark": session["_user_id"]}).one()
        rows = db.session.scalars(_EVENTS).all()
        return render_template_string(_PAGE, user=user, rows=rows, lines=max(1, size // _A_LINE))

    return app

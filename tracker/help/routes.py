"""Pages that explain how this works, for each role, and what words mean.

All are public, as the guides are: whoever was invited can read what is expected before they accept.
"""

from flask import Blueprint, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from tracker.access.gate import optional_actor, public
from tracker.help import pages, pictures, rules, texts
from tracker.ui import locale

blueprint = Blueprint("help", __name__, url_prefix="/help")


@blueprint.get("")
@public
def index() -> str:
    """List the pages, one for each kind of reader."""
    own = rules.own_page(optional_actor())
    return render_template("help/index.html", lines=pages.lines(own), contact=pages.contact())


@blueprint.get("/mine")
@public
def mine() -> Response:
    """Redirect to the page of one's own role; without one, to the list."""
    own = rules.own_page(optional_actor())
    if own is None:
        return redirect(url_for("help.index"))
    return redirect(url_for("help.reader", help_page=own))


@blueprint.get("/words")
@public
def words() -> str:
    """Show what the words of the product mean."""
    return render_template("help/words.html", text=texts.text(texts.WORDS, locale.language()))


@blueprint.get("/<help_page>")
@public
def reader(help_page: str) -> str:
    """Show how this works for one kind of reader."""
    if help_page not in rules.READERS:
        abort(404)
    return render_template(
        "help/reader.html",
        text=texts.text(help_page, locale.language()),
        picture=pictures.picture(help_page, locale.language()),
        contact=pages.contact(),
    )

"""A crawl as each kind of person: every link opens, every page is valid, nothing is written."""

import hashlib

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories.demonstration import Demonstration
from tests.integration.access.crawl import crawl, reachable
from tests.integration.access.places import ANYBODY, COLUMNS, KINDS
from tracker.core.db import db

# Where the demonstration's visit goes, of class K2: for those alone who are cleared and listed.
PLACE = "Lower Harbour police station"
LISTED = {
    "NPM coordinator",
    "NPM signatory",
    "NPM team lead",
    "CSO coordinator",
    "CSO signatory",
    "CSO expert, cleared",
}
# The one table that reading may write to (product.md, section 7).
READ_LOG = "read_log_entry"
# Between them they may open every page.
WALKERS = (
    "ilena",
    "tomas",
    "milan",
    "samira",
    "joana",
    "otto",
    "leyla",
    "dina",
    "celia",
    "nadia",
    "iris",
)
# Pages that no link leads to: machines, files, and links that come by mail or from a form.
WITHOUT_LINK = {
    "running.healthz",
    "static",
    "evidence.checkpoint",
    "evidence.consistency",
    "evidence.newest_checkpoint",
    "evidence.public_keys",
    "accounts.accept_invitation",
    "security.reset_password",
    "security.two_factor_token_validation",
    "security.mf_recovery",
    "security.wan_signin",
    "security.wan_verify",
    "gallery.show",
}
# Pages that are led to in a state that the demonstration is not in: acting for two organisations,
# page 2 of a form, a comment of one's own, a suspended person, a second factor that is needed and
# not there, terms that are ready to be read or sent, that ended or that a party gave notice of, a
# scan that waits, a visit not ready, more than one version of a checklist, an article shipped over
# an edit.
IN_ANOTHER_STATE = {
    "accounts.second_factor_needed",
    "accounts.switch",
    "authoring.publish_shipped",
    "authoring.retire",
    "comments.edit",
    "comments.withdraw",
    "ending.agree_anew",
    "ending.close",
    "guidance_editing.pass_over",
    "guidance_editing.use",
    "moving.move",
    "organisations.add_kind",
    "paper.refuse",
    "paper.withdraw",
    "people.restore",
    "safeguards.review",
    "signing.send",
    "undertakings.countersign",
    "undertakings.sign",
    "visits.override",
}


def digests() -> dict[str, str]:
    """Return the digest of each table's rows."""
    found = {}
    with db.engine.connect() as connection:
        for name, table in db.metadata.tables.items():
            rows = sorted(map(repr, connection.execute(sa.select(table))))
            found[name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


@pytest.mark.parametrize("column", COLUMNS)
def test_every_link_opens_and_reading_writes_nothing(
    app: Flask, demonstration: Demonstration, column: str
) -> None:
    with app.app_context():
        before = digests()
    client = demonstration.browser(app, KINDS["complete"][column])
    start = "/guidance" if column == ANYBODY else "/"
    found = crawl(client, share=COLUMNS.index(column), shares=5, start=start)
    assert found.bad() == []
    assert len(found.statuses) > 10
    with app.app_context():
        after = digests()
    changed = {name for name, digest in before.items() if after[name] != digest}
    assert changed - {READ_LOG} == set()
    tell = [address for address, text in found.texts.items() if PLACE in text]
    assert bool(tell) == (column in LISTED), tell


def test_every_page_can_be_reached_by_links(app: Flask, demonstration: Demonstration) -> None:
    reached = reachable(app, demonstration.browser(app, None), "/guidance")
    for key in WALKERS:
        reached |= reachable(app, demonstration.browser(app, key))
    pages = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or set()) and not rule.rule.startswith("/closed/")
    }
    assert pages - reached == WITHOUT_LINK | IN_ANOTHER_STATE

"""The data under torture: an instance with some agreements of three parties."""

from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from tests.factories.agreements import COORDINATORS, checklist_of
from tests.factories.cooperations import Country, load_checklists, make_country, open_one
from tests.factories.templates import a_template, an_item, publish
from tests.servers.ports import free_port
from tests.torture.acts import ITEM, Agreement, Party
from tracker import create_app
from tracker.access.actor import Role
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service
from tracker.cooperations.models import Mode
from tracker.core.db import db
from tracker.settings import Settings
from tracker.worker import schema

# Few enough that many want the same one, many enough to keep everybody busy.
AGREEMENTS = 8
PARTNERS = ("door", "lantern")
SIGNATORIES = {"npm": "tomas", "door": "henrik", "lantern": "sela"}


@dataclass(frozen=True)
class Instance:
    """An instance: its settings, and the agreements in it."""

    environment: dict[str, str]
    agreements: tuple[Agreement, ...]

    @property
    def settings(self) -> Settings:
        return Settings.from_environment(self.environment)

    def app(self) -> Flask:
        """Return an application on this instance."""
        return create_app(self.settings)


def build(data_dir: Path, database_url: str | None = None) -> Instance:
    """Create an instance in a folder; on SQLite unless a database URL is given."""
    environment = {
        "TRACKER_DATA_DIR": str(data_dir),
        "TRACKER_BASE_URL": f"http://127.0.0.1:{free_port()}",
        "TRACKER_WORKERS": "2",
        **({"TRACKER_DATABASE_URL": database_url} if database_url else {}),
    }
    app = create_app(Settings.from_environment(environment))
    with app.app_context():
        schema.upgrade()
        load_checklists()
        publish(a_template(an_item(ITEM), kind="urgent_plan"))
        country = with_signatories(make_country(db.session()))
        agreements = tuple(add_agreement(country) for _number in range(AGREEMENTS))
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    return Instance(environment, agreements)


def with_signatories(country: Country) -> Country:
    """Add the signatory that a party lacks."""
    country.person("Sela Morin", "lantern", Role.SIGNATORY, power="Statutes, article 4")
    return country


def add_agreement(country: Country) -> Agreement:
    """Open a cooperation with an answered text that has yet to be accepted."""
    cooperation = open_one(country, *PARTNERS, modes=(Mode.OMB_PLUS,))
    checklist = checklist_of(cooperation, ChecklistKind.URGENT_PLAN)
    service.save_answer(
        country.actor("ilena"),
        checklist,
        ITEM,
        AnswerScope.SHARED,
        {"words": "Whoever hears of something serious calls the NPM at once."},
        base_version=0,
    )
    parties = (
        Party(country.id(key), country.users[COORDINATORS[key]].id, country.users[first].id)
        for key, first in SIGNATORIES.items()
    )
    return Agreement(checklist.id, tuple(parties))

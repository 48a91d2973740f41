"""Health checks for /healthz and `tracker check`."""

import datetime as dt
from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from tracker.accounts.factors import refused_accounts
from tracker.checklist_templates.models import ChecklistKind, ChecklistTemplate
from tracker.core import clock
from tracker.core.db import db, get_or_add
from tracker.core.paths import MIGRATIONS
from tracker.evidence import disagreements
from tracker.evidence.certificates import service as certificates
from tracker.guidance.models import Article
from tracker.key_changes import queries as key_changes
from tracker.worker import failures, storage, timestamps
from tracker.worker.models import Heartbeat

WORKER = "worker"
BACKUP = "backup"
WELL = "well"
NOT_CHECKED = "not checked"
NOT_LOOKED_AT = (NOT_CHECKED,) * 10
SOME_REFUSED = "some are refused"
NO_FAULTS = {"keys", "timestamps"}
# A worker finishes a round every few seconds; after three minutes without one it isn't running.
STANDSTILL = dt.timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Health:
    """The state of each part in a few words: "well", or what is wrong."""

    database: str
    content: str
    worker: str
    certificates: str
    accounts: str
    texts: str
    jobs: str
    storage: str
    backup: str
    keys: str
    timestamps: str

    @property
    def parts(self) -> dict[str, str]:
        """The state of each part by name, without those that are no fault.

        All is well while a key is changed, and when timestamps in certificates end some day.
        """
        return {name: words for name, words in asdict(self).items() if name not in NO_FAULTS}

    @property
    def is_well(self) -> bool:
        """Whether all parts are well."""
        return set(self.parts.values()) == {WELL}


def look(*, backup_days: int = 0, tries_to_write: bool = False) -> Health:
    """Check database, storage, content, worker, certificates, and read what the worker found.

    The worker reports accounts and texts as it last compared them, and its failed jobs. The last
    backup is too old after backup_days; with 0 nobody asks for one.
    """
    try:
        database = WELL if schema_revision() == newest_revision() else "needs tracker db upgrade"
        if database != WELL:
            return Health(database, *NOT_LOOKED_AT)
        certificate_state = "some can't be made" if certificates.is_any_failing() else WELL
        bound = SOME_REFUSED if refused_accounts.is_any() else WELL
        texts = "some do not agree with their signatures" if disagreements.is_any() else WELL
        jobs = "some could not be done" if failures.is_any() else WELL
        stored = storage.look(tries_to_write=tries_to_write)
        return Health(
            database,
            _content(),
            _worker(),
            certificate_state,
            bound,
            texts,
            jobs,
            stored,
            _backup(backup_days),
            _keys(),
            _timestamps(),
        )
    except SQLAlchemyError:
        db.session.rollback()
        return Health("can't be reached", *NOT_LOOKED_AT)


def schema_revision() -> str | None:
    """Return the revision of the database schema, or None for an empty database."""
    if not sa.inspect(db.session.connection()).has_table("alembic_version"):
        return None
    revision: str | None = db.session.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return revision


def newest_revision() -> str | None:
    """Return the revision this code needs: the name of the migration with the highest number.

    Revisions are named like their files. Alembic would have to import all of them, and only
    commands import Alembic.
    """
    return max(
        (migration.stem for migration in (MIGRATIONS / "versions").glob("[0-9]*.py")), default=None
    )


def beat() -> None:
    """Record that the worker finished a round."""
    _note_now(WORKER)


def note_backup() -> None:
    """Record that a backup was made."""
    _note_now(BACKUP)


def _note_now(name: str) -> None:
    row = get_or_add(db.session(), Heartbeat(name=name, at=clock.now()))
    row.at = clock.now()


def _content() -> str:
    published = sa.select(ChecklistTemplate.kind).where(ChecklistTemplate.published_at.is_not(None))
    kinds = set(db.session.scalars(published.distinct()))
    articles = db.session.scalar(sa.select(sa.func.count(Article.id)).where(Article.is_current))
    if kinds != set(ChecklistKind) or not articles:
        return "needs tracker content load"
    return WELL


def _worker() -> str:
    beaten = last(WORKER)
    if beaten is None:
        return "has not run yet"
    return WELL if clock.now() - beaten < STANDSTILL else "not responding"


def _backup(days: int) -> str:
    if not days:
        return WELL
    backed_up = last(BACKUP)
    if backed_up is None:
        return "has not been made yet"
    return WELL if clock.now() - backed_up <= dt.timedelta(days) else "is too old"


def _keys() -> str:
    """Return which keys are being changed, and how far that is."""
    states = key_changes.states()
    changing = (
        f"{state.word} is only prepared"
        if state.is_prepared
        else f"{state.word} is being changed, {state.percent} % done"
        for state in states
    )
    return ", ".join(changing) or WELL


def _timestamps() -> str:
    """Return the day on which timestamps in certificates end, around that day."""
    end = timestamps.reminded_of()
    if end is None or clock.now() > end + timestamps.AHEAD:
        return WELL
    return f"some in certificates end on {end:%Y-%m-%d}"


def last(name: str) -> dt.datetime | None:
    """Return when a worker last finished a round (WORKER), or a backup was last made (BACKUP)."""
    return db.session.scalar(sa.select(Heartbeat.at).where(Heartbeat.name == name))

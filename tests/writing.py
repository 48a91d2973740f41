"""Writing during a request, to see whether the request prevents others from saving."""

from typing import Any

import pytest
import sqlalchemy as sa

from tracker.accounts.models import User
from tracker.core.db import db, writing


def write_elsewhere() -> None:
    """Write in another transaction without waiting; raise if somebody else is writing."""
    with writing(), db.engine.connect() as other:
        if other.dialect.name == "sqlite":
            other.exec_driver_sql("PRAGMA busy_timeout=0")
        other.execute(sa.update(User).values(language="en"))
        other.commit()


def write_during(patch: pytest.MonkeyPatch, *places: tuple[object, str]) -> list[str]:
    """Have somebody write before each call of these functions; return the list of the calls."""
    calls: list[str] = []
    for owner, name in places:
        _watch(patch, owner, name, calls)
    return calls


def _watch(patch: pytest.MonkeyPatch, owner: object, name: str, calls: list[str]) -> None:
    do = getattr(owner, name)

    def watched(*given: Any, **more: Any) -> Any:
        write_elsewhere()
        calls.append(name)
        return do(*given, **more)

    patch.setattr(owner, name, watched)

"""The demonstration's answers: read from files, with people, parties and dates filled in."""

import datetime as dt
from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

from ruamel.yaml import YAML

from tracker.checklist_templates.models import ChecklistKind
from tracker.core import clock
from tracker.core.paths import DEMO_ANSWERS


class AbsentError(LookupError):
    """Raised when an answer names somebody who does not take part."""


@cache
def _read(kind: ChecklistKind) -> dict[str, Any]:
    answers: dict[str, Any] = YAML(typ="safe").load(
        (DEMO_ANSWERS / f"{kind.value}.yaml").read_text()
    )
    return answers


def answers(
    kind: ChecklistKind, ids: Mapping[str, UUID], takes_part: frozenset[UUID]
) -> dict[str, dict[str, Any]]:
    """Return the answers by item, without rows that name somebody who does not take part."""
    return {item: _filled(values, ids, takes_part) for item, values in _read(kind).items()}


def _filled(value: Any, ids: Mapping[str, UUID], takes_part: frozenset[UUID]) -> Any:
    if isinstance(value, dict):
        return {
            _key(key, ids): _filled(entry, ids, takes_part)
            for key, entry in value.items()
            if not (
                isinstance(key, str) and key.startswith("party:") and ids[key] not in takes_part
            )
        }
    if isinstance(value, list):
        return [
            entry for entry in (_row(row, ids, takes_part) for row in value) if entry is not None
        ]
    if isinstance(value, str):
        return _text(value, ids, takes_part)
    return value


def _key(key: str, ids: Mapping[str, UUID]) -> str:
    return str(ids[key]) if key.startswith("party:") else key


def _row(value: Any, ids: Mapping[str, UUID], takes_part: frozenset[UUID]) -> Any:
    try:
        return _filled(value, ids, takes_part)
    except AbsentError:
        return None


def _text(text: str, ids: Mapping[str, UUID], takes_part: frozenset[UUID]) -> str:
    if text.startswith("day:"):
        return (clock.today() + dt.timedelta(days=int(text.removeprefix("day:")))).isoformat()
    if text.startswith(("person:", "party:")):
        identity = ids[text]
        if identity not in takes_part:
            raise AbsentError(text)
        return str(identity)
    return text

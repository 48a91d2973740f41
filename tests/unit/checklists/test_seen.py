"""The mark of an assignment, by which a form detects that somebody changed it meanwhile."""

import datetime as dt

from tests.factories.templates import ILENA, OREN
from tracker.checklists.rules.facts import Holding, seen_of

DAY = dt.date(2027, 3, 1)


def test_the_mark_is_the_same_for_the_same_and_another_for_anything_else() -> None:
    holdings = {"M1": Holding(OREN, DAY), "M2": Holding(ILENA)}
    assert seen_of(holdings) == seen_of(dict(reversed(holdings.items())))
    others = [
        {},
        {"M1": holdings["M1"]},
        {"M1": Holding(OREN), "M2": holdings["M2"]},
        {"M1": Holding(OREN, DAY + dt.timedelta(days=1)), "M2": holdings["M2"]},
        {"M1": Holding(ILENA, DAY), "M2": holdings["M2"]},
        {"M2": holdings["M1"], "M1": holdings["M2"]},
    ]
    assert len({seen_of(holdings) for holdings in (holdings, *others)}) == len(others) + 1


def test_a_mark_tells_nobodys_id() -> None:
    mark = seen_of({"M1": Holding(OREN)})
    assert str(OREN) not in mark
    assert OREN.hex not in mark

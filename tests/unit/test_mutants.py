"""Mutants: each has one change, and the run reports those that the tests don't notice."""

import ast
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.effort import tries
from tests.mutants import running
from tests.mutants.mutations import mutants, spread
from tests.mutants.policies import ENOUGH, POLICIES, Equivalent, MutantsError, Policy
from tracker.core.paths import ROOT

ENUM = """\
import enum


class Colour(enum.Enum):
    RED = 1
    GREEN = 2
    BLUE = 3


"""


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("x = a == b", {"x = a != b"}),
        ("x = a is not b", {"x = a is b"}),
        ("x = (a) not in b", {"x = (a) in b"}),
        ("x = a < b", {"x = a <= b", "x = a >= b"}),
        (
            "x = a <= b > c",
            {"x = a < b > c", "x = a > b > c", "x = a <= b >= c", "x = a <= b <= c"},
        ),
        ("x = a and b", {"x = a or b", "x = True and b", "x = a and True"}),
        ("x = (a or b)", {"x = (a and b)", "x = (False or b)", "x = (a or False)"}),
        ("x = not (a)", {"x = (a)"}),
        ("x = a + b", {"x = a - b"}),
        ("x = a if b else c", {"x = a if not (b) else c"}),
        (
            "x = [a for a in b if a]",
            {f"x = [a for a in b if {condition}]" for condition in ("True", "not (a)")},
        ),
        ("x = any(a)", {"x = all(a)"}),
        ("x = False", {"x = True"}),
        ("x = 2", {"x = 3"}),
        ("x = 'V2'", {"x = 'V2x'"}),
        ("x: int = 2", {"x: int = 3"}),
        ("x = (a, b)", {"x = (b,)", "x = (a,)"}),
        ("x = (a,)", {"x = ()"}),
        ("x = {a, b}", {"x = {b}", "x = {a}"}),
        ("x = {a: b}", {"x = {}"}),
        ("x = Colour.RED", {"x = Colour.GREEN"}),
        (
            "x = {Colour.GREEN, Colour.BLUE}",
            {
                "x = {Colour.BLUE}",
                "x = {Colour.GREEN}",
                "x = {Colour.RED, Colour.BLUE}",
                "x = {Colour.GREEN, Colour.RED}",
            },
        ),
        ("if a: x()", {"if not (a): x()", "if a: pass"}),
        ("for a in b: x += a", {"for a in b: pass"}),
        (
            "def f() -> Decision: return no(a)",
            {f"def f() -> Decision: return {value}" for value in ("YES", 'no("")')},
        ),
        ("def f() -> Decision: return YES", {'def f() -> Decision: return no("")'}),
        (
            "def f() -> bool: return a",
            {f"def f() -> bool: return {value}" for value in (True, False)},
        ),
        ("def f() -> int | None: return a", {"def f() -> int | None: return None"}),
        ("def f() -> tuple[int, ...]: return a", {"def f() -> tuple[int, ...]: return ()"}),
        (
            "def f() -> tuple[int, bool]: return a, True",
            {"def f() -> tuple[int, bool]: return a, False"},
        ),
        ("def f(): a(); b()", {"def f(): pass; b()", "def f(): a(); pass"}),
    ],
)
def test_each_kind_of_change_is_made(line: str, changed: set[str]) -> None:
    tried = mutants(ENUM + line)
    assert {mutant.source for mutant in tried} == {ENUM + text for text in changed}
    assert {mutant.diff for mutant in tried} == {(f"- {line}", f"+ {text}") for text in changed}
    assert {mutant.line for mutant in tried} == {len(ENUM.splitlines()) + 1}


@pytest.mark.parametrize(
    "text",
    [
        '"""A docstring."""',
        "def f(a: Literal[1]) -> Literal[2]:\n    'A docstring.'\n    return a",
        "__all__ = ['a']",
        "from a import b",
        "@a(frozen=True)\nclass B(C):\n    pass",
        "x = _l('Words for people.')",
        "x: Literal[1]",
    ],
)
def test_text_types_and_imports_are_left_as_they_are(text: str) -> None:
    assert mutants(ENUM + text) == []


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_there_are_enough_mutants_of_each_policy_and_each_has_one_change(policy: Policy) -> None:
    before = policy.source.splitlines()
    tried = policy.mutants()
    assert len(tried) >= ENOUGH
    assert len({mutant.source for mutant in tried}) == len(tried)
    for change in spread(tried, tries(3 * ENOUGH, len(tried))):
        compile(change.source, policy.file, "exec")
    for change in tried:
        old = [line[2:] for line in change.diff if line.startswith("- ")]
        new = [line[2:] for line in change.diff if line.startswith("+ ")]
        start, end = change.line - 1, change.line - 1 + len(old)
        assert before[start:end] == old != new
        assert change.source.splitlines() == [*before[:start], *new, *before[end:]]
    functions = [
        node for node in ast.parse(policy.source).body if isinstance(node, ast.FunctionDef)
    ]
    for function in functions:
        assert function.end_lineno
        assert any(function.lineno <= mutant.line <= function.end_lineno for mutant in tried)


def test_a_short_run_tries_changes_from_the_whole_file() -> None:
    tried = mutants("\n".join(f"x{number} = True" for number in range(100)))
    assert [mutant.line for mutant in spread(tried, 4)] == [13, 38, 63, 88]
    assert spread(tried, 100) == spread(tried, 200) == tried


MODULE = """\
LIMITS = {"town": 50}
TOWN = LIMITS["town"]


def is_too_fast(speed):
    return speed > TOWN


def is_full(seats, taken):
    return taken >= seats


def count_down(start):
    while start > 0:
        start -= 1
    return start
"""
TESTS = """\
import speed


def test_speed():
    assert [speed.is_too_fast(one) for one in (50, 51)] == [False, True]


def test_seats():
    assert speed.is_full(4, 5)
    assert not speed.is_full(4, 3)


def test_count_down():
    assert [speed.count_down(one) for one in (-1, 0, 1, 2)] == [-1, 0, 0, 0]
"""
RUN = """\
import sys
from pathlib import Path

from tests.mutants import __main__, policies, running

folder = Path(sys.argv[1])
sys.path.insert(0, str(folder))
running.SECONDS = 1
policy = policies.Policy("speed", "speed", folder / "speed.py", folder / "test_speed.py")
sys.exit(0 if __main__.try_policies([policy]) else 1)
"""


@pytest.fixture
def speed(tmp_path: Path) -> Policy:
    """A small module instead of a policy, and tests that miss one case: as many taken as seats."""
    policy = Policy("speed", "speed", tmp_path / "speed.py", tmp_path / "test_speed.py")
    policy.file.write_text(MODULE)
    policy.tests.write_text(TESTS)
    return policy


def run(policy: Policy) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", RUN, str(policy.file.parent)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_run_reports_the_change_that_no_test_notices(speed: Policy) -> None:
    result = run(speed)
    assert result.returncode == 1, result.stderr
    words = re.sub(r"\d+ s\n", "", result.stdout)
    assert words.startswith("speed: 13 mutants, 9 noticed, 1 survived, 3 not loaded, ")
    reports = re.findall(r"speed\.py:(\d+): (.*)\n    - (.*)\n    \+ (.*)\n", words)
    # Nothing on line 6: the tests notice each change to the comparison with the limit.
    assert reports == [
        ("1", "not loaded", 'LIMITS = {"town": 50}', "LIMITS = {}"),
        ("1", "not loaded", 'LIMITS = {"town": 50}', "LIMITS = {'townx': 50}"),
        ("2", "not loaded", 'TOWN = LIMITS["town"]', "TOWN = LIMITS['townx']"),
        ("10", "survived", "    return taken >= seats", "    return taken > seats"),
        ("14", "timed out", "    while start > 0:", "    while start <= 0:"),
        ("15", "timed out", "        start -= 1", "        pass"),
    ]
    assert "Only 10 changes can be made" in words
    assert speed.source == MODULE


def test_a_run_stops_when_tests_fail_without_a_change(speed: Policy) -> None:
    speed.tests.write_text(TESTS.replace("[False, True]", "[True, True]"))
    result = run(speed)
    assert result.returncode == 1
    assert "Tests fail on speed without any change" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (partial(signal.raise_signal, signal.SIGKILL), "The tests were ended by SIGKILL."),
        (partial(signal.raise_signal, signal.SIGALRM), "The tests were ended by SIGALRM."),
        (partial(os._exit, pytest.ExitCode.INTERNAL_ERROR), "Pytest itself failed."),
    ],
)
def test_a_run_stops_when_the_tests_of_a_change_end_without_a_result(
    speed: Policy, monkeypatch: pytest.MonkeyPatch, end: Callable[[], None], words: str
) -> None:
    """Nobody knows whether they would have noticed it."""
    monkeypatch.setattr(running, "_run_tests", lambda *_of: end())
    with pytest.raises(MutantsError, match=f"speed, line 1: {words}"):
        list(running.outcomes(speed, speed.mutants()))


def test_a_listed_equivalent_is_left_out_and_has_to_be_among_the_mutants(speed: Policy) -> None:
    given = Equivalent("return taken >= seats", "return taken > seats", "Nobody counts seats.")
    listed = replace(speed, equivalents=(given,))
    left_out = [mutant for mutant in speed.mutants() if mutant not in listed.mutants()]
    assert [mutant.diff for mutant in left_out] == [
        ("-     return taken >= seats", "+     return taken > seats")
    ]
    stale = replace(speed, equivalents=(replace(given, after="return True"),))
    with pytest.raises(MutantsError, match="no longer a mutant of speed"):
        stale.mutants()

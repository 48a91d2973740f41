"""Runs the tests of a policy on a mutant, loaded from memory in its own process."""

import ast
import contextlib
import enum
import gc
import importlib
import importlib.util
import os
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import NoReturn

import pytest

from tests.mutants.mutations import Mutant
from tests.mutants.policies import MutantsError, Policy
from tracker.core.paths import ROOT

# How many processes run tests at a time.
PROCESSES = 2
# The tests of a policy take less than a second of CPU time; a change that makes them hang is
# stopped after this many seconds of it.
SECONDS = 10
# After so many times as many by the clock the run ends with an error: the tests wait for something.
_PATIENCE = 100
# Pytest without plugins and without conftest.py, which would load most of the application each
# time: tests of a policy need neither.
ARGUMENTS = (
    "-x",
    "-q",
    "--tb=line",
    "--assert=plain",
    "--noconftest",
    f"--rootdir={ROOT}",
    f"--config-file={ROOT / 'pyproject.toml'}",
    "--override-ini=addopts=",
    "-pno:cacheprovider",
    "-pno:randomly",
)


class Outcome(enum.Enum):
    """What became of a mutant. The tests noticed it only if one failed or never ended."""

    SURVIVED = "survived"
    NOTICED = "noticed"
    TIMED_OUT = "timed out"
    # No test began: the module, or what the tests import with it, couldn't be loaded.
    NOT_LOADED = "not loaded"


class _Substitute(SourceFileLoader):
    """Loads one module from a given source, or refuses to load it where there is none."""

    def __init__(self, module: str, file: Path, source: str | None) -> None:
        super().__init__(module, str(file))
        self._source = source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def get_code(self, fullname: str) -> CodeType:
        if self._source is None:
            raise ImportError(f"{fullname} is loaded separately for each mutant.")
        return compile(self._source, self.path, "exec")


def load_beforehand(policy: Policy, unloaded: Iterable[Policy]) -> None:
    """Import what a policy and its tests import, once for all its mutants.

    The policies that are yet to be changed, this one first, stay unloaded, and so does everything
    that imports one of them.
    """
    withheld = [_Substitute(module.module, module.file, None) for module in unloaded]
    sys.meta_path[:0] = withheld
    for file in (policy.file, policy.tests):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ImportFrom) and node.module:
                with contextlib.suppress(ImportError):
                    importlib.import_module(node.module)
    for substitute in withheld:
        sys.meta_path.remove(substitute)
        if substitute.name in sys.modules:
            raise MutantsError(f"{substitute.name} was loaded too early to be changed.")
    # So that the forked processes don't search all of this for garbage, which takes them longer
    # than the tests do.
    gc.collect()
    gc.freeze()


def check_unchanged(policy: Policy) -> None:
    """Run the tests on the policy as it is; raise MutantsError if they fail."""
    with tempfile.TemporaryFile() as output:
        pid = _start(policy, policy.source, output.fileno())
        outcome = _outcome(os.waitpid(pid, 0)[1])
        if outcome is not Outcome.SURVIVED:
            output.seek(0)
            words = output.read().decode(errors="replace")
            raise MutantsError(f"Tests fail on {policy.module} without any change:\n{words}")


def outcomes(policy: Policy, mutants: Sequence[Mutant]) -> Iterator[tuple[Mutant, Outcome]]:
    """Run the tests on each mutant; yield each with its outcome, as they end.

    Raise MutantsError if tests end without one.
    """
    left = iter(mutants)
    running: dict[int, Mutant] = {}
    with Path(os.devnull).open("wb") as nothing:
        try:
            while True:
                while len(running) < PROCESSES and (mutant := next(left, None)) is not None:
                    running[_start(policy, mutant.source, nothing.fileno())] = mutant
                if not running:
                    return
                pid, status = os.wait()
                mutant = running.pop(pid)
                try:
                    outcome = _outcome(status)
                except MutantsError as error:
                    raise MutantsError(f"{policy.module}, line {mutant.line}: {error}") from error
                yield mutant, outcome
        finally:
            for pid in running:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _start(policy: Policy, source: str, output: int) -> int:
    """Start a process that runs the tests on some source; return its id."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if not pid:
        _run_tests(policy, source, output)
    return pid


def _run_tests(policy: Policy, source: str, output: int) -> NoReturn:
    # Whatever happens, this process must not continue as a copy of its parent.
    status = int(pytest.ExitCode.INTERNAL_ERROR)
    try:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE * SECONDS)
        os.dup2(output, sys.stdout.fileno())
        os.dup2(output, sys.stderr.fileno())
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        os.environ.pop("PYTEST_ADDOPTS", None)
        sys.meta_path.insert(0, _Substitute(policy.module, policy.file, source))
        status = int(pytest.main([*ARGUMENTS, str(policy.tests)]))
        sys.stdout.flush()
    finally:
        os._exit(status)


def _outcome(status: int) -> Outcome:
    if os.WIFSIGNALED(status):
        number = signal.Signals(os.WTERMSIG(status))
        if number is signal.SIGPROF:
            return Outcome.TIMED_OUT
        raise MutantsError(f"The tests were ended by {number.name}.")
    match os.waitstatus_to_exitcode(status):
        case pytest.ExitCode.OK:
            return Outcome.SURVIVED
        case pytest.ExitCode.TESTS_FAILED:
            return Outcome.NOTICED
        case pytest.ExitCode.INTERRUPTED:
            return Outcome.NOT_LOADED
        case pytest.ExitCode.INTERNAL_ERROR:
            raise MutantsError("Pytest itself failed.")
    raise MutantsError("Pytest found no tests, or didn't accept its arguments.")

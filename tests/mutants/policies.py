"""The policies to change, their tests, and the changes that no test could notice."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.mutations import Mutant, mutants
from tracker.core.paths import PACKAGE, ROOT

# At least this many changes to each policy are tried.
ENOUGH = 40


class MutantsError(Exception):
    """The reason why changes can't be tried."""


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A change that makes no difference to what a policy does."""

    # The line before and after, without its indentation.
    before: str
    after: str
    reason: str

    @property
    def diff(self) -> tuple[str, str]:
        """The change as a mutant shows it, without indentation."""
        return f"- {self.before}", f"+ {self.after}"


@dataclass(frozen=True, slots=True)
class Policy:
    """A module and the tests that have to notice each change to it."""

    name: str
    module: str
    file: Path
    tests: Path
    equivalents: Sequence[Equivalent] = ()

    @property
    def source(self) -> str:
        """The module as it is."""
        return self.file.read_text()

    def mutants(self) -> list[Mutant]:
        """Return every mutant that a test could notice.

        Raise MutantsError if a listed equivalent is no longer among the mutants.
        """
        tried = mutants(self.source)
        known = {equivalent.diff for equivalent in self.equivalents}
        normalised = {_without_indentation(mutant) for mutant in tried}
        if stale := known - normalised:
            raise MutantsError(
                f"Listed in {Path(__file__).name}, but no longer a mutant of {self.module}: "
                f"{sorted(stale)}"
            )
        return [mutant for mutant in tried if _without_indentation(mutant) not in known]


def _without_indentation(mutant: Mutant) -> tuple[str, ...]:
    return tuple(f"{line[:2]}{line[2:].strip()}" for line in mutant.diff)


def _policy(package: str, *equivalents: Equivalent, part: str = "") -> Policy:
    """Return the policy of a package, or a part of it in a module of its own."""
    return Policy(
        f"{package}-{part}" if part else package,
        f"tracker.{package}.{part or 'policy'}",
        PACKAGE / package / f"{part or 'policy'}.py",
        ROOT / "tests" / "unit" / package / "test_policy.py",
        equivalents,
    )


# None of them imports one that comes after it.
POLICIES = (
    _policy("signoff"),
    _policy(
        "checklists",
        Equivalent(
            "if not taking_part or party is None:",
            "if not taking_part or False:",
            "Nobody takes part without a party; the second condition is for the type checker.",
        ),
        Equivalent(
            "(decision for decision in decisions if decision),",
            "(decision for decision in decisions if True),",
            "All fields of a scope are set by the same side, so the decisions are all the same.",
        ),
        Equivalent(
            "(decision for decision in decisions if decision),",
            "(decision for decision in decisions if not (decision)),",
            "As above.",
        ),
    ),
    _policy("lifecycle"),
    _policy("visits", part="excusing"),
    _policy(
        "visits",
        Equivalent(
            'unmet = [need for need in requirements if code != "J3" or need not in waived]',
            "unmet = [need for need in requirements if False or need not in waived]",
            "What J1 and J2 ask for can't be excused, so it never is.",
        ),
    ),
)

"""The responses that the processes received, kept for comparison with the database."""

from collections import Counter
from dataclasses import dataclass, field

from tests.torture.acts import BUSY, Act, Outcome, Try


@dataclass
class Record:
    """How often each act was done or refused, and the digests of what was signed."""

    done: Counter[Act] = field(default_factory=Counter)
    refused: int = 0
    # Tries that the database did not accept in time.
    busy: int = 0
    signatures: list[str] = field(default_factory=list)
    # Acts whose response was lost: nobody knows whether they were done.
    lost: int = 0

    def add(self, tried: Try, outcome: Outcome) -> None:
        """Record a response."""
        self._note(tried.act, done=outcome.done, answer=outcome.answer)

    def add_line(self, line: list[object]) -> None:
        """Record a response that a process wrote down."""
        act, _agreement, done, answer = line
        self._note(Act(str(act)), done=bool(done), answer=str(answer))

    def merge(self, other: "Record") -> None:
        """Add the responses that others got."""
        self.done.update(other.done)
        self.refused += other.refused
        self.busy += other.busy
        self.signatures += other.signatures
        self.lost += other.lost

    def _note(self, act: Act, *, done: bool, answer: str) -> None:
        if not done:
            self.busy += answer == BUSY
            self.refused += answer != BUSY
            return
        self.done[act] += 1
        if act is Act.SIGN:
            self.signatures.append(answer)

    def words(self) -> str:
        """Summarise it in one line."""
        counted = ", ".join(f"{self.done[act]} {act.value}" for act in Act)
        lost = f", {self.lost} without an answer" if self.lost else ""
        busy = f", {self.busy} not taken in time" if self.busy else ""
        return f"{counted}; {self.refused} refused{busy}{lost}"

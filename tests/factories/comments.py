"""Comments written by the services, and secrets that one side writes only for itself."""

import datetime as dt
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from tracker.access.actor import Actor
from tracker.checklists.models import Checklist
from tracker.comments import service
from tracker.comments.models import Comment, CommentAudience
from tracker.core import clock

ALL, OWN = CommentAudience.ALL, CommentAudience.OWN


def comment(
    actor: Actor,
    checklist: Checklist,
    item: str | None = "M1",
    *,
    text: str = "Let us talk about this.",
    audience: CommentAudience = ALL,
    mentions: Iterable[UUID] = (),
) -> Comment:
    """Write a comment."""
    return service.write(
        actor, checklist, item, text=text, audience=audience, mentions=list(mentions)
    )


@dataclass
class Secrets:
    """Texts that occur nowhere else, in one side's comments to itself; and the comments."""

    words: list[str] = field(default_factory=list)
    comments: list[UUID] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)

    def post(self, writer: Actor, reader: Actor, checklist: Checklist, item: str | None) -> None:
        """Write, edit, mention, settle, reopen, withdraw and make tasks, in five comments."""
        mentioned, edited, settled, gone, tasked = (
            self._write(writer, checklist, item, reader) for _ in range(5)
        )
        self.words.append(secrets.token_hex(8))
        service.edit(writer, edited.id, f"Again {self.words[-1]}")
        self.words += [secrets.token_hex(8), secrets.token_hex(8)]
        service.settle(reader, settled.id, f"First we said {self.words[-2]}.")
        service.reopen(writer, settled.id)
        service.settle(reader, settled.id, f"Between us we keep {self.words[-1]}.")
        service.withdraw(writer, gone.id)
        service.mark_seen(reader, mentioned.id)
        service.make_task(writer, tasked.id, reader.user_id, clock.today())
        service.make_task(writer, mentioned.id, reader.user_id, clock.today() + dt.timedelta(9))
        service.finish_task(reader, mentioned.id)
        # Nobody reads what was edited away or withdrawn, or the outcome of what was opened again.
        at = len(self.words) - 8
        self.withdrawn += [self.words[at + 1], self.words[at + 3], self.words[at + 6]]

    @classmethod
    def together(cls, *those: "Secrets") -> "Secrets":
        """Return all of them as one."""
        return cls(
            [word for secret in those for word in secret.words],
            [comment_id for secret in those for comment_id in secret.comments],
            [word for secret in those for word in secret.withdrawn],
        )

    @property
    def standing(self) -> list[str]:
        """The texts that one's own side reads."""
        return [word for word in self.words if word not in self.withdrawn]

    def in_text(self, text: str) -> list[str]:
        """Return which of these secrets a text contains: texts, or the ids of comments."""
        return [mark for mark in (*self.words, *map(str, self.comments)) if mark in text]

    def _write(
        self, writer: Actor, checklist: Checklist, item: str | None, reader: Actor
    ) -> Comment:
        word = secrets.token_hex(8)
        written = comment(
            writer,
            checklist,
            item,
            text=f"Between us {word}",
            audience=OWN,
            mentions=[reader.user_id],
        )
        self.words.append(word)
        self.comments.append(written.id)
        return written

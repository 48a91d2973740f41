"""The table of commands, each imported only when it is run, so never in a web process."""

from collections.abc import Mapping
from importlib import import_module
from typing import cast

import click
from flask.cli import AppGroup

COMMANDS: Mapping[str, str] = {
    "audit": "tracker.oversight.cli:audit_group",
    "backup": "tracker.backup.cli:backup",
    "check": "tracker.worker.cli:check",
    "content": "tracker.checklists.cli:content",
    "demo": "tracker.demo.cli:demo",
    "evidence": "tracker.evidence.cli:evidence_group",
    "guidance": "tracker.authoring.cli:guidance",
    "invite": "tracker.accounts.cli:invite",
    "keys": "tracker.key_changes.cli:keys_group",
    "move": "tracker.backup.cli:move",
    "outbox": "tracker.mail.cli:outbox_group",
    "recheck": "tracker.worker.cli:recheck",
    "reset": "tracker.accounts.cli:reset",
    "restore": "tracker.backup.cli:restore",
    "run": "tracker.worker.cli:run",
    "worker": "tracker.worker.cli:worker",
}


class Commands(AppGroup):
    """The commands of the table, and those a library adds (Flask-Migrate's db)."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the command names, sorted as the help shows them."""
        return sorted({*COMMANDS, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, or return None if there is none with that name."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _colon, name = place.partition(":")
        return cast("click.Command", getattr(import_module(module), name))

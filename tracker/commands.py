"""The table of commands; each is imported once somebody asks for it, so no web process has any."""

from collections.abc import Mapping
from importlib import import_module
from typing import cast

import click
from flask.cli import AppGroup

COMMANDS: Mapping[str, str] = {
    "audit": "tracker.oversight.cli:audit_group",
    "check": "tracker.worker.cli:check",
    "content": "tracker.checklist_templates.cli:content",
    "demo": "tracker.demo.cli:demo",
    "evidence": "tracker.evidence.cli:evidence_group",
    "guidance": "tracker.authoring.cli:guidance",
    "invite": "tracker.accounts.cli:invite",
    "keys": "tracker.evidence.cli:keys_group",
    "outbox": "tracker.mail.cli:outbox_group",
    "recheck": "tracker.worker.cli:recheck",
    "reset": "tracker.accounts.cli:reset",
    "run": "tracker.worker.cli:run",
    "worker": "tracker.worker.cli:worker",
}


class Commands(AppGroup):
    """The commands of the table, and those that a library adds (db, of Flask-Migrate)."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the help."""
        return sorted({*COMMANDS, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None when there is none of that name."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _colon, name = place.partition(":")
        return cast("click.Command", getattr(import_module(module), name))

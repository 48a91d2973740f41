"""Presets of the settings for a checkout: production, development and testing.

A preset gives values where the environment has none. An installed package has no presets: it
starts from the defaults of tracker.settings, which are for production.

    python -m config development run       run a command with a preset; so does `make run`
    config.settings("testing", {...})      settings for an application, as the tests make them
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import replace

from tracker.settings import Settings

PRESETS: dict[str, dict[str, str]] = {
    "production": {},
    # The demonstration is offered on the first start.
    "development": {"TRACKER_DEMO": "1"},
    # In tests, people have a second factor only where the test is about it.
    "testing": {"TRACKER_SECOND_FACTOR_ROLES": "none"},
}


def settings(preset: str, environ: Mapping[str, str]) -> Settings:
    """Return the settings of a preset and an environment; raise SettingsError as they do."""
    read = Settings.from_environment(PRESETS[preset] | dict(environ))
    return replace(read, testing=preset == "testing")


def main(words: list[str]) -> None:
    """Run a command of the application with a preset, here and in the programs it starts."""
    if not words or words[0] not in PRESETS:
        sys.exit(f"usage: python -m config {{{','.join(PRESETS)}}} COMMAND ...")
    preset, *command = words
    os.environ |= PRESETS[preset] | dict(os.environ)
    os.execv(sys.executable, [sys.executable, "-m", "tracker", *command])  # noqa: S606 -- ours


if __name__ == "__main__":
    main(sys.argv[1:])

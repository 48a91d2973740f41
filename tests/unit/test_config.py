"""Presets of a checkout: what each sets, what wins over it, and the command that uses one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import config
from tracker.core.paths import ROOT
from tracker.settings import Settings, SettingsError


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "config", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "TRACKER_DATA_DIR": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_is_what_an_installed_package_starts_with() -> None:
    assert config.settings("production", {}) == Settings.from_environment({})


def test_development_offers_the_demonstration_unless_the_environment_says_no() -> None:
    assert config.settings("development", {}).demo
    assert not config.settings("development", {"TRACKER_DEMO": "0"}).demo
    assert not config.settings("development", {"TRACKER_DEMO": ""}).demo


def test_only_testing_marks_its_settings_so() -> None:
    marked = {preset: config.settings(preset, {}).testing for preset in config.PRESETS}
    assert marked == {"production": False, "development": False, "testing": True}


def test_people_of_tests_need_no_second_factor() -> None:
    assert config.settings("testing", {}).second_factor_roles == ()


@pytest.mark.parametrize("preset", config.PRESETS)
def test_a_wrong_value_is_refused_whatever_the_preset(preset: str) -> None:
    with pytest.raises(SettingsError, match="TRACKER_WORKERS must be"):
        config.settings(preset, {"TRACKER_WORKERS": "many"})


def test_the_preset_reaches_the_programs_that_a_command_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[tuple[list[str], str]] = []
    monkeypatch.setattr(os, "environ", {"PATH": "/bin"})
    monkeypatch.setattr(
        os, "execv", lambda _path, words: started.append((words, os.environ["TRACKER_DEMO"]))
    )
    config.main(["development", "run"])
    assert started == [([sys.executable, "-m", "tracker", "run"], "1")]


def test_a_command_runs_with_a_preset(tmp_path: Path) -> None:
    done = run(tmp_path, "development", "--help")
    assert done.returncode == 0, done.stderr
    assert "worker" in done.stdout


@pytest.mark.parametrize("words", [(), ("staging", "run")])
def test_an_unknown_preset_ends_with_the_usage(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = run(tmp_path, *words)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "usage: python -m config {production,development,testing} COMMAND ..."
    )

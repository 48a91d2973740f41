"""Project rules that no tool checks: docstrings, names, words, locks, README, settings."""

import ast
import os
import re
import stat
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.guards.sources import names_given, outline_of, text_of
from tracker.core.paths import MIGRATIONS, PACKAGE, ROOT
from tracker.settings import PREFIX, Settings

_NOT_OURS = re.compile(
    r"\.git|\.venv|\.hypothesis|instance|build|htmlcov|__pycache__|.*_cache|.*\.egg-info"
)
_NOT_TEXT = {".ico", ".mo", ".png", ".webp", ".woff2"}
_LOCKS = ("build", "run", "test", "audit")
# Written in two parts, so that this file does not contain them.
_FORBIDDEN = {
    "pypi" + ".org": "the address of a registry",
    "pythonhosted" + ".org": "the address of a registry",
    "npmjs" + ".org": "the address of a registry",
    "deb.debian" + ".org": "the address of a registry",
    "/wo" + "rk/": "a path of one machine",
    "/roo" + "t/": "a path of one machine",
    "/ho" + "me/": "a path of one machine",
    "TO" + "DO": "something left undone",
    "FIX" + "ME": "something left undone",
}
# The most lines in a file, and the most files in a folder.
_LONG = 400
_MANY = 25
# A sequence, and one file for each component: nobody reads through them to find something.
CATALOGUES = {"migrations/versions", "templates/components"}
# Names that say that something was found, kept or made, but not what it is.
SAYS_NOTHING = {"one", "found", "asked", "held", "there", "told", "made", "kept", "said"}
_VAGUE = {"base", "common", "helper", "helpers", "misc", "util", "utils"}
# Private names of the first version, and what to call the things instead.
REPLACED_NAMES = {
    "Cast": "DemoPeople, or who they are: no theatre",
    "Desk": "what somebody works on: no furniture",
    "Filling": "LoadedChecklist",
    "Halt": "NoticeKind",
    "Happening": "DomainEvent",
    "House": "Organisations, People: no house",
    "HouseRules": "SigningSettings",
    "Kept": "SavedDraft, or what is stored",
    "Knows": "AudienceEntry",
    "Lack": "MissingRequirement",
    "Past": "ItemEvents",
    "Place": "OpenField, TextValue, RowLocation, or what it is a place in",
    "Room": "who is in it: no room",
    "Scene": "JointVisit, or what it is: no theatre",
    "Seats": "Browsers",
    "Spoken": "LocalizedStr",
    "Standing": "ChecklistStatus, RequestStatus",
    "Typed": "DraftValues",
    "Want": "RequirementKind",
    "Whose": "DraftKey",
    "as_id_or_none": "uuid_or_nil",
    "cautions": "warnings",
    "chronicle": "item_timeline",
    "clearance_lack": "missing_for_clearance",
    "desk": "what somebody works on",
    "house": "application, instance, people",
    "is_overtaken": "has_conflict",
    "one_round": "run_once",
    "overtaken": "handle_conflict, or what is newer",
    "past_of": "item_events",
    "people_of_it": "team_plan",
    "requesting": "signature_requests",
    "room": "who is in it",
    "scene": "joint_visit, or what it is",
    "seats": "browsers",
    "use_place": "a Slot of Services",
    "use_way": "a Slot of Services",
}
_REPLACED_MODULES = {
    "asking", "carried", "cautions", "chronicle", "ending", "former", "frozen", "house",
    "house_rules", "limits", "moving", "opening", "past", "phrases", "placing", "proof",
    "proving", "requesting", "rounds", "sealing", "showing", "spoken", "trying",
}  # fmt: skip


def our_files(folder: Path = ROOT) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if _NOT_OURS.fullmatch(path.name):
            continue
        if path.is_dir():
            yield from our_files(path)
        elif path.is_file():
            yield path


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def python_files() -> list[Path]:
    return [path for path in our_files() if path.suffix == ".py"]


def text_files() -> list[Path]:
    return [path for path in our_files() if path.suffix not in _NOT_TEXT]


def shell_files() -> list[Path]:
    return [path for path in our_files(ROOT / ".ci") if path.read_bytes().startswith(b"#!/bin/sh")]


def lock(which: str) -> str:
    return (ROOT / "requirements" / f"{which}.txt").read_text()


def locked_versions(which: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[^\]]*\])?==([^ ;]+)", lock(which), re.MULTILINE))


def test_every_module_has_a_docstring() -> None:
    modules = [path for path in python_files() if path.name != "__init__.py"]
    assert len(modules) > 20
    silent = [name(p) for p in modules if not outline_of(p).docstring]
    assert silent == []


def test_a_long_file_says_why_it_is_one() -> None:
    """Over 400 lines: split it by subject, or say in its docstring what holds it together."""
    silent = [
        name(path)
        for path in python_files()
        if len(text_of(path).splitlines()) > _LONG
        and not re.search(r"\bIn one file: \w", outline_of(path).docstring)
    ]
    assert silent == []


def test_no_folder_of_code_holds_more_files_than_can_be_looked_over() -> None:
    """Files of every kind count, empty ones too; records of decisions and catalogues don't."""
    counts = Counter(
        name(path.parent) for path in our_files() if not path.is_relative_to(ROOT / "docs")
    )
    assert len(counts) > 100
    assert counts["templates/checklists"] > 5
    many = {folder: count for folder, count in counts.items() if count > _MANY}
    assert many.keys() == CATALOGUES, many


def test_functions_variables_and_fields_are_named_after_what_they_are() -> None:
    """Migrations stay as they were written."""
    vague = [
        f"{name(path)}: {given}"
        for path in python_files()
        if not path.is_relative_to(MIGRATIONS)
        for given in sorted(filter(says_nothing, outline_of(path).names))
    ]
    assert vague == []


def says_nothing(given: str) -> bool:
    return given.strip("_") in SAYS_NOTHING


@pytest.mark.parametrize(
    "code",
    [
        "for one in rows: ...",
        "def f(held): ...",
        "def asked(): ...",
        "async def told(): ...",
        "lambda told: 1",
        "[found for found in rows]",
        "made = 1",
        "(said := 1)",
        "with f() as kept: ...",
        "class A:\n    asked: int",
        "class A:\n    made = 1",
        "self.held = 1",
        "self._held = 1",
        "def _told(): ...",
        "try: ...\nexcept ValueError as found: ...",
        "match x:\n    case [there]: ...",
        "match x:\n    case [*kept]: ...",
    ],
)
def test_each_way_to_name_something_is_looked_at(code: str) -> None:
    assert any(map(says_nothing, names_given(ast.walk(ast.parse(code)))))


def test_no_name_of_the_first_version_is_left() -> None:
    """Migrations stay as they were written."""
    left = []
    for path in python_files():
        if path.is_relative_to(MIGRATIONS):
            continue
        names = outline_of(path).names | outline_of(path).classes
        left += [f"{name(path)}: {old}" for old in sorted(names & REPLACED_NAMES.keys())]
        if path.stem in _REPLACED_MODULES:
            left.append(name(path))
    assert left == []


def test_package_files_are_empty_except_the_factory() -> None:
    filled = [name(p) for p in python_files() if p.name == "__init__.py" and p.stat().st_size]
    assert filled == ["tracker/__init__.py"]


def test_no_module_has_a_vague_name() -> None:
    vague = [
        name(path)
        for path in python_files()
        if _VAGUE & {path.stem, path.parent.name} and path.suffix == ".py"
    ]
    assert vague == []


def test_no_file_contains_a_forbidden_word() -> None:
    offending = [
        f"{name(path)}:{number}: {reason}"
        for path in text_files()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for word, reason in _FORBIDDEN.items()
        if word in line
    ]
    assert offending == []


def test_every_text_file_has_unix_line_ends() -> None:
    untidy = [
        name(path)
        for path in text_files()
        if (content := path.read_bytes()) and (b"\r" in content or not content.endswith(b"\n"))
    ]
    assert untidy == []


def test_one_module_works_out_where_the_application_is() -> None:
    finders = [
        name(path)
        for path in python_files()
        if path.is_relative_to(PACKAGE) and "__file__" in path.read_text()
    ]
    assert finders == ["tracker/core/paths.py"]


def test_the_readme_begins_with_the_two_commands() -> None:
    blocks = re.findall(r"```[a-z]*\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    commands = [line.split("#")[0].strip() for line in blocks[0].splitlines()]
    assert commands == ["make run", "make test"]
    before = (ROOT / "README.md").read_text().split("```")[0].strip().splitlines()
    assert [line for line in before if not line.startswith("#")] == []


def test_continuous_integration_runs_make_test() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands == ["set -eu", 'cd "$(dirname "$0")/.."', "exec make test"]


def test_set_up_scripts_are_sound_and_can_be_run() -> None:
    scripts = shell_files()
    assert {path.name for path in scripts} >= {"run", "setup", "steps", "messages", "audit"}
    for script in scripts:
        assert script.stat().st_mode & stat.S_IXUSR, name(script)
        read = subprocess.run(["/bin/sh", "-n", str(script)], capture_output=True, check=False)
        assert read.returncode == 0, read.stderr.decode()


def test_the_steps_fail_if_one_is_killed_beside_them(tmp_path: Path) -> None:
    make = tmp_path / "make"
    make.write_text('#!/bin/sh\n[ "$2" != killed ] || kill -9 "$PPID"\n')
    make.chmod(0o700)
    for steps, words in (
        (["+whole", "last"], "All 2 steps passed."),
        (["+killed", "last"], "1 of 2 steps failed."),
    ):
        command = [str(ROOT / ".ci" / "steps"), *steps]
        environment = {**os.environ, "MAKE": str(make)}
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert run.stdout.splitlines()[-1] == words, run.stderr
        assert run.returncode == (steps[0] == "+killed")


@pytest.mark.parametrize("which", _LOCKS)
def test_a_lock_names_versions_and_hashes_and_no_addresses(which: str) -> None:
    entries = re.split(r"^(?=[a-z0-9])", lock(which), flags=re.MULTILINE)[1:]
    assert entries
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert [entry for entry in entries if "==" not in entry.splitlines()[0]] == []
    assert re.findall(r"://|^--", lock(which), re.MULTILINE) == []


@pytest.mark.parametrize("which", _LOCKS)
def test_a_lock_contains_every_direct_dependency(which: str) -> None:
    requested = (ROOT / "requirements" / f"{which}.in").read_text()
    names = {
        re.sub(r"[._]", "-", word).lower()
        for word in re.findall(r"^([A-Za-z][\w.-]*)", requested, re.MULTILINE)
    }
    assert names
    assert names - locked_versions(which).keys() == set()


def test_tests_run_on_the_versions_that_people_run() -> None:
    tested = locked_versions("test")
    assert {package: tested.get(package) for package in locked_versions("run")} == locked_versions(
        "run"
    )


def test_the_tools_of_the_audit_change_no_version_that_the_checks_use() -> None:
    tested, added = locked_versions("test"), locked_versions("audit")
    assert {package: added[package] for package in added if package in tested}.items() <= (
        tested.items()
    )


@pytest.mark.parametrize(
    ("script", "status", "words"),
    [
        ("exit 0", 0, "No vulnerability is known in the locked packages."),
        ("echo 'flask 1.0 CVE-1'; exit 1", 1, "flask 1.0 CVE-1"),
        ("echo 'Name or service not known' >&2; exit 1", 3, "nothing is known"),
        ("echo 'flask 1.0 CVE-1'; exit 2", 3, "nothing is known"),
    ],
    ids=["none", "some", "not reached", "failed"],
)
def test_the_audit_says_what_is_known_and_never_that_all_is_well_without_looking(
    tmp_path: Path, script: str, status: int, words: str
) -> None:
    tool = tmp_path / "tool"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o700)
    done = subprocess.run(
        [ROOT / ".ci" / "audit", tool], capture_output=True, text=True, check=False
    )
    assert (done.returncode, words in done.stdout + done.stderr) == (status, True)


class _Asked(dict[str, str]):
    """An empty environment that remembers which variables were read."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.names.add(key)
        return super().get(key, default)


def test_exactly_the_existing_settings_are_documented() -> None:
    environment = _Asked()
    Settings.from_environment(environment)
    assert f"{PREFIX}DATA_DIR" in environment.names
    operations = (ROOT / "docs" / "operations.md").read_text()
    rows = set(re.findall(rf"^\| `({PREFIX}[A-Z_]+)`", operations, re.MULTILINE))
    assert rows == environment.names

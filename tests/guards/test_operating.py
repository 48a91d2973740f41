"""The files for operators: units, proxy and containers say what the settings and the code know.

What a program that is installed can check of them, it checks: systemd-analyze, nginx.
"""

import os
import pwd
import re
import shutil
import stat
import subprocess
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.servers import proxy
from tests.servers.proxy import Proxy
from tracker import create_app
from tracker.core.paths import ROOT
from tracker.settings import LogFormat, Settings
from tracker.ui.uploads import largest_request
from tracker.worker.supervisor import GRACE_SECONDS

FILES = ROOT / "docs" / "operating"
UNITS = sorted(FILES.glob("*.service"))
TIMERS = sorted(FILES.glob("*.timer"))
# Where the units expect the code.
PLACE = "/srv/common-terms"
# What systemd-analyze may say a unit is exposed to at most, of 10.
MOST_EXPOSED = 1.5
ANALYSE = shutil.which("systemd-analyze")


class _Repeated(dict[str, Any]):
    """The values of a section, in which a name may occur more than once."""

    def __setitem__(self, key: str, value: Any) -> None:
        if isinstance(value, list) and key in self:
            self[key].extend(value)
        else:
            super().__setitem__(key, value)


def unit(path: Path) -> dict[str, dict[str, str]]:
    """Return the sections of a unit; of a name that occurs more than once, all values by lines."""
    parser = ConfigParser(dict_type=_Repeated, strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # names keep their letters
    parser.read_string(path.read_text())
    return {name: dict(parser[name]) for name in parser.sections()}


def settings_of(values: str) -> Settings:
    """Return the settings of a unit's Environment lines; an unknown or invalid one is refused."""
    lines = (line.partition("=") for line in values.splitlines() if line)
    return Settings.from_environment({name: value for name, _is, value in lines})


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_runs_a_program_of_ours_as_nobody_in_particular(path: Path) -> None:
    service = unit(path)["Service"]
    program, *words = service["ExecStart"].split()
    programs = [program, *(word for word in words if word.startswith(PLACE))]
    assert all(word.startswith(f"{PLACE}/") for word in programs)
    for word in programs:
        if "/.venv/" not in word:
            assert (ROOT / word.removeprefix(f"{PLACE}/")).exists(), word
    assert service["User"] == "common-terms"
    settings = settings_of(service["Environment"])
    assert settings.log_format is LogFormat.JSON
    assert service["UMask"] == "0077"


def test_all_units_are_hardened_alike() -> None:
    lines = {path.stem: path.read_text().partition("UMask=")[2] for path in UNITS}
    (hardening,) = {text.partition("\n[Install]")[0].strip() for text in lines.values()}
    assert "ProtectSystem=strict" in hardening
    assert "MemoryDenyWriteExecute=yes" in hardening


def test_the_service_is_given_the_time_that_it_takes_to_stop() -> None:
    service = unit(FILES / "common-terms.service")["Service"]
    assert int(service["TimeoutStopSec"]) > 2 * GRACE_SECONDS


def test_each_timer_starts_a_unit() -> None:
    assert {path.stem for path in TIMERS} == {
        path.stem for path in UNITS if unit(path)["Service"]["Type"] == "oneshot"
    }
    assert all(unit(path)["Timer"]["OnCalendar"] for path in TIMERS)


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The units with the programs of this checkout, as systemd-analyze wants to find them."""
    folder: Path = tmp_path_factory.mktemp("units")
    for path in (*UNITS, *TIMERS):
        text = path.read_text().replace(PLACE, str(ROOT)).replace("User=common-terms\n", "")
        (folder / path.name).write_text(text)
    return [str(path) for path in sorted(folder.iterdir())]


@pytest.mark.skipif(ANALYSE is None, reason="systemd is not installed")
def test_systemd_understands_each_line_of_the_units(placed: list[str]) -> None:
    done = subprocess.run(
        [str(ANALYSE), "verify", "--man=no", *placed],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "common-terms" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.skipif(ANALYSE is None, reason="systemd is not installed")
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_systemd_finds_little_that_a_unit_is_exposed_to(path: Path) -> None:
    done = subprocess.run(
        [str(ANALYSE), "security", "--offline=yes", "--no-pager", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    exposed = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert exposed, done.stderr
    assert float(exposed[1]) <= MOST_EXPOSED


def fake_tracker(folder: Path, script: str) -> Path:
    """Return a command in place of tracker."""
    command = folder / "tracker"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o700)
    return command


def run(script: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [FILES / script, *words],
        env={"PATH": "/usr/bin:/bin", "TRACKER_DATABASE_URL": "postgresql:///in_use"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_scripts_can_be_run() -> None:
    for script in FILES.glob("*.sh"):
        assert script.stat().st_mode & stat.S_IXUSR, script.name


def age(file: Path, days: int) -> None:
    then = file.stat().st_mtime - days * 24 * 60 * 60
    os.utime(file, (then, then))


OLD = "terms-2026-10-20T021500Z.age"


@pytest.mark.parametrize(("status", "left"), [(0, 2), (1, 2)])
def test_an_old_backup_is_deleted_once_there_is_a_new_one(
    tmp_path: Path, status: int, left: int
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for name, days in (
        (OLD, 40),
        ("terms-2026-11-27T021500Z.age", 3),
        ("terms-before-the-update.age", 40),
        ("other.age", 40),
    ):
        (folder / name).touch()
        age(folder / name, days)
    command = fake_tracker(tmp_path, f'[ {status} = 0 ] && echo "$4" >"$2"; exit {status}')
    done = run("backup.sh", command, folder, "30", "--to", "age1key")
    assert done.returncode == status
    names = {path.name for path in folder.glob("terms-2*")}
    assert len(names) == left
    assert (OLD in names) == (status != 0)
    # Whoever made it by hand deletes it by hand.
    assert (folder / "terms-before-the-update.age").exists()
    assert (folder / "other.age").exists()
    if status == 0:
        (made_now,) = names - {"terms-2026-11-27T021500Z.age"}
        assert (folder / made_now).read_text() == "age1key\n"
        assert re.fullmatch(r"terms-\d{4}-\d\d-\d\dT\d{6}Z\.age", made_now)


@pytest.mark.parametrize("status", [0, 1])
def test_the_newest_backup_is_restored_apart_from_the_instance_and_deleted_again(
    tmp_path: Path, status: int
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for day in ("2026-11-01", "2026-11-30", "2026-11-29"):
        (folder / f"terms-{day}T021500Z.age").touch()
    # Not a nightly one, though its name comes last.
    (folder / "terms-before-the-update.age").touch()
    command = fake_tracker(
        tmp_path,
        'echo "$2 $3 $4 ${TRACKER_DATABASE_URL:-none} $TRACKER_DATA_DIR";'
        f'mkdir -p "$TRACKER_DATA_DIR"; exit {status}',
    )
    done = run("drill.sh", command, folder, "--identity", "key")
    assert done.returncode == status
    restored, option, value, database, place = done.stdout.splitlines()[0].split()
    assert restored == str(folder / "terms-2026-11-30T021500Z.age")
    assert (option, value, database) == ("--identity", "key", "none")
    assert not Path(place).parent.exists()
    assert ("Restored and verified" in done.stdout) == (status == 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root acts as another user")
def test_a_command_runs_as_the_service_with_its_settings(tmp_path: Path) -> None:
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / "settings").write_text("TRACKER_BASE_URL=https://terms.example\n")
    command = fake_tracker(tmp_path, 'echo "$(id -un) $TRACKER_BASE_URL $TRACKER_DATA_DIR $2"')
    command.rename(tmp_path / ".venv/bin/tracker")
    done = subprocess.run(
        [FILES / "tracker.sh", "invite", "Ada Example"],
        env={
            "PATH": "/usr/bin:/bin",
            "COMMON_TERMS_CODE": str(tmp_path),
            "COMMON_TERMS_USER": pwd.getpwuid(os.geteuid()).pw_name,
            "COMMON_TERMS_SETTINGS": str(tmp_path / "settings"),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "root https://terms.example /var/lib/common-terms Ada Example\n"


def test_a_drill_without_a_backup_fails(tmp_path: Path) -> None:
    done = run("drill.sh", fake_tracker(tmp_path, "exit 0"), tmp_path)
    assert (done.returncode, "There is no backup" in done.stderr) == (1, True)


def test_the_proxy_takes_the_largest_request_and_passes_on_what_the_application_needs(
    tmp_path: Path,
) -> None:
    app = create_app(Settings.from_environment({"TRACKER_DATA_DIR": str(tmp_path)}))
    text = (FILES / "nginx.conf").read_text()
    size = re.search(r"client_max_body_size (\d+)m;", text)
    assert size
    # The server itself refuses what is twice as large, without words.
    largest = largest_request(app)
    assert largest < int(size[1]) * 1024 * 1024 < 2 * largest
    for line in ("Host $host;", "X-Forwarded-For $remote_addr;"):
        assert f"proxy_set_header {line}" in text
    assert text.count("{") == text.count("}")


def test_the_proxy_listens_for_https_only() -> None:
    text = (FILES / "nginx.conf").read_text()
    listening = re.findall(r"^ *listen ([^;]+);", text, re.MULTILINE)
    assert len(listening) == 2
    assert all(address.endswith(" ssl") for address in listening)


def test_what_can_be_added_to_the_proxy_redirects_the_start_page_alone() -> None:
    text = (FILES / "nginx.conf").read_text()
    block = "\n".join(re.findall(r"^#(server \{|    .*|\})$", text, re.MULTILINE))
    assert block.count("{") == block.count("}") == 3
    (name,) = set(re.findall(r"server_name ([^;]+);", text))
    assert re.findall(r"location (.+) \{ return ([^;]+); \}", block) == [
        ("= /", f"308 https://{name}/"),
        ("/", "444"),
    ]


def test_the_example_of_the_settings_is_valid_and_complete() -> None:
    """Read by a shell, as tracker.sh does, and with what the unit sets."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'set -a; . "$0"; env -0', FILES / "settings.example"],
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    variables = dict(line.split("=", 1) for line in done.stdout.split("\0") if line)
    given = {name: value for name, value in variables.items() if name.startswith("TRACKER_")}
    service = unit(FILES / "common-terms.service")["Service"]
    by_unit = dict(line.split("=", 1) for line in service["Environment"].splitlines() if line)
    assert not given.keys() & by_unit.keys()
    settings = Settings.from_environment({**by_unit, **given})
    assert settings.secure
    assert (settings.backup_days, settings.port, settings.host) == (2, 8000, "127.0.0.1")
    assert variables["BACKUP_KEY"].startswith("age1")
    # What is switched on by removing the mark is valid too.
    text = (FILES / "settings.example").read_text()
    added = re.findall(r"^#(TRACKER_\w+)='(.+)'$", text, re.MULTILINE)
    assert added
    assert Settings.from_environment({**by_unit, **given, **dict(added)}).database_file is None


@pytest.mark.skipif(proxy.PROGRAM is None, reason="nginx is not installed")
def test_nginx_understands_each_line_of_the_proxys_configuration(tmp_path: Path) -> None:
    assert Proxy(tmp_path, behind=8000).complaints() == ""


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of the compose file."""
    read: dict[str, Any] = YAML(typ="safe").load((FILES / "compose.yaml").read_text())
    return dict(read["services"])


def test_containers_can_be_written_nowhere_but_in_their_volumes_and_have_no_rights(
    services: dict[str, Any],
) -> None:
    assert set(services) == {"application", "database"}
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_application_alone_is_published_and_on_this_machine_alone(
    services: dict[str, Any],
) -> None:
    assert services["application"]["ports"] == ["127.0.0.1:8000:8000"]
    assert "ports" not in services["database"]
    assert services["database"]["network_mode"] == "none"


def test_the_settings_of_the_containers_are_valid(services: dict[str, Any]) -> None:
    image = (FILES / "Containerfile").read_text()
    environment = dict(re.findall(r"(TRACKER_\w+)=(\S+)", image))
    assert len(environment) > 3
    url = re.search(r"TRACKER_DATABASE_URL=(\S+)", (FILES / "compose.yaml").read_text())
    assert url
    given = {**environment, **services["application"]["environment"]}
    settings = Settings.from_environment({**given, "TRACKER_DATABASE_URL": url[1]})
    assert settings.host == "0.0.0.0"  # noqa: S104 -- of the container
    assert settings.log_format is LogFormat.JSON
    assert settings.metrics_port == 0


def test_the_image_runs_as_nobody_and_is_asked_for_its_health() -> None:
    image = (FILES / "Containerfile").read_text()
    users = re.findall(r"^USER (\S+)$", image, re.MULTILINE)
    assert users == ["10001"]
    assert "/healthz" in image.partition("HEALTHCHECK")[2]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", image, re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    assert all((ROOT / name).exists() for name in names)
    sent = (FILES / "Containerfile.dockerignore").read_text().splitlines()
    assert {line[1:] for line in sent if line.startswith("!")} == names

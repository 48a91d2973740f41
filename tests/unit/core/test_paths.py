"""Where the files of the application are: beside the package, or in it once it is installed."""

import sys
from pathlib import Path

import pytest

from tracker.core import paths


@pytest.mark.parametrize(
    ("folder", "holds"),
    [
        (paths.TEMPLATES, "layouts/page.html"),
        (paths.STATIC, "css"),
        (paths.MIGRATIONS, "env.py"),
        (paths.CONTENT, "checklists"),
        (paths.TRANSLATIONS, "messages.pot"),
        (paths.DEMO_ANSWERS, "terms.yaml"),
    ],
)
def test_each_folder_of_the_checkout_is_found(folder: Path, holds: str) -> None:
    assert (folder / holds).exists()


def test_in_a_checkout_a_folder_is_found_beside_the_package(tmp_path: Path) -> None:
    package = tmp_path / "tracker"
    package.mkdir()
    (tmp_path / "templates").mkdir()
    assert paths.find("templates", package) == tmp_path / "templates"


def test_an_installed_package_uses_its_own_folder_and_not_a_stranger_beside_it(
    tmp_path: Path,
) -> None:
    package = tmp_path / "tracker"
    (package / "templates").mkdir(parents=True)
    (tmp_path / "templates").mkdir()
    assert paths.find("templates", package) == package / "templates"


def test_a_checkout_keeps_its_data_beside_the_package(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    assert paths.default_data_dir(tmp_path / "tracker") == tmp_path / "instance"


def test_an_installed_package_keeps_no_data_among_libraries(tmp_path: Path) -> None:
    expected = Path(sys.prefix) / "var" / "tracker-instance"
    assert paths.default_data_dir(tmp_path / "tracker") == expected

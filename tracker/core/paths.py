"""Where templates, static files, migrations and content are, in a checkout or once installed.

In a checkout the first three stand beside the package, as Flask projects have them; a package that
is installed holds them itself. Nothing else in the package works out where it is.
"""

import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parent


def find(name: str, package: Path = PACKAGE) -> Path:
    """Return a folder of the application: in the package if it is there, else beside it."""
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def default_data_dir(package: Path = PACKAGE) -> Path:
    """Return where data are if no setting says so: `instance`, or Python's `var` once installed."""
    if (package.parent / "pyproject.toml").is_file():
        return package.parent / "instance"
    return Path(sys.prefix) / "var" / "tracker-instance"


TEMPLATES = find("templates")
STATIC = find("static")
MIGRATIONS = find("migrations")
CONTENT = PACKAGE / "content"
TRANSLATIONS = PACKAGE / "translations"
DEMO_ANSWERS = PACKAGE / "demo" / "answers"

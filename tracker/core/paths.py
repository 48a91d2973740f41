"""Locations of templates, static files, migrations and content, in a checkout or installed.

In a checkout the first three are beside the package, as usual in Flask projects; an installed
package contains them. No other module determines where they are.
"""

import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parent


def find(name: str, package: Path = PACKAGE) -> Path:
    """Return a folder of the application: inside the package if it is there, else beside it."""
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def default_data_dir(package: Path = PACKAGE) -> Path:
    """Return the default data directory: `instance`, or Python's `var` once installed."""
    if (package.parent / "pyproject.toml").is_file():
        return package.parent / "instance"
    return Path(sys.prefix) / "var" / "tracker-instance"


TEMPLATES = find("templates")
STATIC = find("static")
MIGRATIONS = find("migrations")
CONTENT = PACKAGE / "content"
TRANSLATIONS = PACKAGE / "translations"
DEMO_ANSWERS = PACKAGE / "demo" / "answers"

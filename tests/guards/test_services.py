"""Nothing is process-wide, and an application fills every slot of its packages."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guards.sources import package_modules, tree_of
from tracker import create_app
from tracker.core import services
from tracker.core.paths import ROOT
from tracker.core.services import Slot
from tracker.settings import Settings

# What may be process-wide, because it is the same for all applications: the verbs, which are listed
# when they are imported; the tests' time; and values that never change once they are published,
# cached by random id or by the digest of their text.
_KEPT = {
    "activity/verbs.py: VERBS",
    "agreements/text_facts.py: _known",
    "core/clock.py: _clock.source",
    "checklist_templates/library.py: _parsed",
    "checklist_templates/library.py: _localized_templates",
    "checklist_templates/translations.py: _parsed",
}


# What lru_cache keeps per process: what is the same for all, by its id or its own words, and of
# texts that people write single words only.
_REMEMBERED = {
    "access/conditions.py: built",
    "accounts/browsers.py: _parser",
    "authoring/own_guidance/queries.py: _words_of",
    "checklist_templates/risky_phrases.py: _forms_of",
    "checklist_templates/risky_phrases.py: _stand_ins",
    "checklists/pages.py: _first_sentence",
    "checklists/pages.py: passage_html",
    "core/db.py: _parsed_id",
    "evidence/certificates/timestamp_ends.py: _end_of",
    "ui/locale.py: _in_words",
}


def declared() -> dict[str, Slot[object]]:
    """Return all slots of the packages, by where they are declared."""
    return {
        f"{name}.{attribute}": value
        for name, module in sorted(sys.modules.items())
        if name.startswith("tracker.")
        for attribute, value in vars(module).items()
        if isinstance(value, Slot)
    }


def test_an_application_fills_every_slot(tmp_path: Path) -> None:
    app = create_app(Settings.from_environment({"TRACKER_DATA_DIR": str(tmp_path)}))
    filled = services.of(app).values
    slots = declared()
    assert len(slots) > 15
    assert [name for name, slot in slots.items() if slot not in filled] == []
    assert len({slot.name for slot in slots.values()}) == len(filled)


def test_services_can_not_be_changed_and_show_no_keys(tmp_path: Path) -> None:
    app = create_app(Settings.from_environment({"TRACKER_DATA_DIR": str(tmp_path)}))
    given = services.of(app)
    slot: Slot[int] = Slot("a number", 1)
    with pytest.raises(TypeError):
        given.values[slot] = 2  # type: ignore[index] # as somebody might try
    with pytest.raises(AttributeError):
        given.values = {}  # type: ignore[misc] # as somebody might try
    assert repr(given) == "Services()"
    assert given.get(slot) == 1
    assert given.replacing(slot.holding(2)).get(slot) == 2
    assert given.get(slot) == 1


def test_no_module_keeps_what_is_set_while_the_application_runs() -> None:
    changed = {
        f"{path.relative_to(ROOT / 'tracker')}: {written}"
        for path in package_modules()
        for written in changed_names(tree_of(path))
    }
    assert changed == _KEPT


def test_no_function_remembers_texts_that_people_write_for_all_applications() -> None:
    remembering = {
        f"{path.relative_to(ROOT / 'tracker')}: {function.name}"
        for path in package_modules()
        for function in ast.walk(tree_of(path))
        if isinstance(function, ast.FunctionDef)
        and any("lru_cache" in ast.unparse(decorator) for decorator in function.decorator_list)
    }
    assert remembering == _REMEMBERED


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("class K:\n    x = 1\ndef use(y):\n    K.x = y\n", {"K.x"}),
        ("_k = K()\ndef use(y):\n    _k.x, _k.z = y, 2\n", {"_k.x", "_k.z"}),
        ("_k = {}\ndef use(y):\n    _k[1] = y\n", {"_k"}),
        ("_k = []\ndef use(y):\n    _k.append(y)\n", {"_k"}),
        ("_k: dict = {}\ndef use(y):\n    _k.setdefault(1, y)\n", {"_k"}),
        ("_k = 1\ndef use(y):\n    global _k\n    _k = y\n", {"_k"}),
        ("_k = {}\ndef use(_k):\n    _k[1] = 2\n", set()),
        ("_k = {}\ndef use():\n    k = {}\n    k[1] = 2\n", set()),
        ("_k = {}\n_k[1] = 2\n", set()),
    ],
)
def test_what_a_function_keeps_is_seen(source: str, written: set[str]) -> None:
    assert set(changed_names(ast.parse(source))) == written


_CHANGING = {"append", "add", "clear", "extend", "insert", "pop", "setdefault", "update"}


def changed_names(module: ast.Module) -> Iterator[str]:
    """Yield module-level names that functions of a module change: attributes, entries, globals."""
    names = set(_names(module))
    for function in ast.walk(module):
        if not isinstance(function, ast.FunctionDef):
            continue
        own = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
        nodes = list(ast.walk(function))
        own |= {
            node.id
            for node in nodes
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        for node in nodes:
            if isinstance(node, ast.Global):
                yield from node.names
                own -= set(node.names)
                continue
            target = _changed(node)
            if target and target.partition(".")[0] in names - own:
                yield target


def _names(module: ast.Module) -> Iterator[str]:
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def _changed(node: ast.AST) -> str:
    """Return which name, or attribute of a name, a node changes."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        return f"{node.value.id}.{node.attr}" if isinstance(node.value, ast.Name) else ""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        return node.value.id if isinstance(node.value, ast.Name) else ""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        of = node.func.value
        return of.id if isinstance(of, ast.Name) and node.func.attr in _CHANGING else ""
    return ""

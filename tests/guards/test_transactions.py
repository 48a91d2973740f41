"""Only ui.perform, commands, the worker and a few named views end a transaction."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.guards.sources import nodes_of, package_modules, tree_of
from tracker.core.paths import PACKAGE

# Views, and modules that only views use.
_BESIDE_VIEWS = (
    "access/",
    "accounts/sign_in/",
    "authoring/checklists/preview.py",
    "checklists/editing.py",
    "ui/",
)

# Views that end a transaction themselves, because perform() can't make the response.
VIEWS = {
    "access/gate.py: note_reading": "a form was refused, and its page is logged as read",
    "accounts/routes.py: set_up_second_factor": "the response shows the recovery codes, only once",
    "accounts/sign_in/setup.py: _commit": "Flask-Security's views, which commit themselves",
    "accounts/sign_in/forms.py: _commit": "the same",
    "checklists/routes/drafts.py: _is_kept": "after a session: says only that text is stored",
    "checklists/routes/drafts.py: keep": "a script gets JSON",
    "checklists/editing.py: handle_conflict": "the text of a conflict is stored as a draft",
    "checklists/editing.py: keep_aside": "the text of a conflict is stored as a draft",
    "evidence/routes.py: export": "the response is a file, and errors are no broken rules",
    "oversight/routes.py: check": "others can write while it runs, and its page is the response",
    "oversight/routes.py: export": "the response is a file",
    "oversight/undertaking_register/routes.py: export": "the response is a file",
    "ui/errors.py: _unavailable": "the transaction failed, and the page that says so may read",
    "ui/perform.py: perform": "the one place for all other views",
}
# Below views and commands.
BELOW = {
    "accounts/factors/identity_proof.py: set_aside": "a cloned passkey is refused from then on",
    "checklists/assignments/service.py: work_out_missing": "at a start: in batches",
    "checklists/service.py: work_out_readiness": "at a start: each by itself",
    "core/db.py: after_rollback": "a failure or refusal is recorded, whatever happens next",
    "core/db.py: let_others_write": "ends a transaction that only read, before slow work",
    "core/slow_work.py: run_again_after": "everything runs again after slow work",
    "evidence/certificates/issuing.py: _read": "the worker: others can write meanwhile",
    "mail/sending.py: _claim": "the worker: no other worker claims the same message",
    "mail/sending.py: _settle": "the worker: a sent message is not sent again",
    "cooperations/entries.py: fill_missing": "at a start: in batches",
    "oversight/entries.py: fill_missing": "at a start: in batches",
    "lifecycle/planned_ends.py: _drop": "at a start: each by itself",
    "oversight/adopting.py: adopt_rows": "a command: each chain in its own transaction",
    "key_changes/service.py: _each_account": "a command: each account by itself",
    "key_changes/service.py: _record_once": "a command: stays recorded if it is interrupted",
    "backup/loading.py: _load": "a command: rows, schema and search words, before the audit",
}


def ends_of_transactions(tree: ast.AST, inside: str = "") -> Iterator[str]:
    """Yield the names of outermost functions that commit or roll back, once for each call."""
    for node in ast.iter_child_nodes(tree):
        name = inside or (node.name if isinstance(node, ast.FunctionDef) else "")
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"commit", "rollback"}
        ):
            yield name
        yield from ends_of_transactions(node, name)


def where(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@cache
def transaction_ends() -> dict[str, set[str]]:
    """Return the functions of each module that end a transaction."""
    return {
        where(path): names
        for path in package_modules()
        if (names := set(ends_of_transactions(tree_of(path))))
    }


def is_of_views(module: str) -> bool:
    return "routes" in Path(module).with_suffix("").parts or module.startswith(_BESIDE_VIEWS)


def is_command(module: str) -> bool:
    return module.endswith("/cli.py") or module.startswith("worker/")


def test_views_end_no_transaction_but_by_perform() -> None:
    ending = {
        f"{module}: {name}"
        for module, names in transaction_ends().items()
        if is_of_views(module)
        for name in names
    }
    assert ending == set(VIEWS)


def test_below_views_and_commands_nothing_ends_a_transaction_without_a_reason() -> None:
    ending = {
        f"{module}: {name}"
        for module, names in transaction_ends().items()
        if not is_of_views(module) and not is_command(module)
        for name in names
    }
    assert ending == set(BELOW)


def test_each_view_that_does_so_says_why_beside_it() -> None:
    silent = [
        module
        for module in {view.partition(":")[0] for view in VIEWS}
        if "routes" in module and "not performed" not in (PACKAGE / module).read_text().lower()
    ]
    assert silent == []


def test_views_call_perform_for_all_the_rest() -> None:
    calls = sum(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "perform"
        for path in package_modules()
        if is_of_views(where(path))
        for node in nodes_of(path)
    )
    assert calls > 90


def test_a_commit_is_found_however_deeply_it_is_nested() -> None:
    code = (
        "def view():\n"
        "    def save():\n"
        "        with lock:\n"
        "            db.session.commit()\n"
        "    return save\n"
        "other.rollback()\n"
    )
    assert list(ends_of_transactions(ast.parse(code))) == ["view", ""]

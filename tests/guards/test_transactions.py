"""Only ui.perform, commands, the worker and a few named views end a transaction."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tracker.core.paths import PACKAGE

# Views, and what only they use.
_BESIDE_VIEWS = (
    "access/",
    "accounts/sign_in/",
    "authoring/checklists/preview.py",
    "checklists/editing.py",
    "ui/",
)

# Views that end a transaction themselves, because perform() can't be what answers.
VIEWS = {
    "access/gate.py: note_reading": "a form was not accepted, and its page is logged as read",
    "accounts/routes.py: set_up_second_factor": "the answer is the codes, shown only this once",
    "accounts/sign_in/setup.py: _commit": "the views of the sign-in library are not ours",
    "accounts/sign_in/forms.py: _commit": "the same",
    "checklists/routes/drafts.py: _is_kept": "a stranger is told only that words are kept",
    "checklists/routes/drafts.py: keep": "the page's script is answered with JSON",
    "checklists/editing.py: handle_conflict": "the words of a conflict are kept",
    "evidence/routes.py: export": "the answer is a file, and what goes wrong no broken rule",
    "oversight/routes.py: check": "the transaction is given up: others may write meanwhile",
    "oversight/routes.py: export": "the answer is a file",
    "oversight/undertaking_register/routes.py: export": "the answer is a file",
    "ui/perform.py: perform": "the one place",
}
# Below views and commands.
BELOW = {
    "accounts/factors/attempts.py: note": "a failed attempt counts, whatever happens next",
    "accounts/factors/identity_proof.py: set_aside": "a copied passkey is refused from then on",
    "checklists/assignments/service.py: work_out_missing": "a start's: some rows at a time",
    "core/db.py: let_others_write": "what was only read is given up before work that takes long",
    "evidence/certificates/issuing.py: _read": "the worker: others may write meanwhile",
    "mail/sending.py: _claim": "the worker's: no other takes the same message",
    "mail/sending.py: _settle": "the worker's: what was sent is not sent again",
    "cooperations/entries.py: fill_missing": "a start's: some rows at a time",
    "oversight/entries.py: fill_missing": "a start's: some rows at a time",
    "oversight/adopting.py: adopt_rows": "a command's: each chain by itself",
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


def transaction_ends() -> dict[str, set[str]]:
    """Return the functions of each module that end a transaction."""
    return {
        where(path): names
        for path in sorted(PACKAGE.rglob("*.py"))
        if (names := set(ends_of_transactions(ast.parse(path.read_text()))))
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
        for path in PACKAGE.rglob("*.py")
        if is_of_views(where(path))
        for node in ast.walk(ast.parse(path.read_text()))
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

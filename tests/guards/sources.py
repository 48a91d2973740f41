"""Modules as guards read them: each file is parsed once in a process, whoever looks at it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tracker.core.paths import PACKAGE


@dataclass(frozen=True)
class Outline:
    """What a module says of itself, and what it names."""

    docstring: str
    """Empty if there is none."""

    docstrings: tuple[tuple[int, str], ...]
    """Of the module, its classes and its functions, each with its line."""

    names: frozenset[str]
    """Of functions, variables, parameters and fields of classes."""

    classes: frozenset[str]


@cache
def text_of(path: Path) -> str:
    """Return the source of a module."""
    return path.read_text()


@cache
def package_modules() -> tuple[Path, ...]:
    """Return all modules of the application, in the order of their paths."""
    return tuple(sorted(PACKAGE.rglob("*.py")))


@cache
def tree_of(path: Path) -> ast.Module:
    """Return the parsed source of a module of the application; don't change it."""
    assert path.is_relative_to(PACKAGE), "Others are parsed and forgotten: they need much memory."
    return ast.parse(text_of(path))


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Return all nodes of a module of the application, in the order of ast.walk."""
    return tuple(ast.walk(tree_of(path)))


@cache
def outline_of(path: Path) -> Outline:
    """Return the outline of any module."""
    if path.is_relative_to(PACKAGE):
        tree, nodes = tree_of(path), nodes_of(path)
    else:
        tree = ast.parse(text_of(path))
        nodes = tuple(ast.walk(tree))
    documented = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef
    return Outline(
        docstring=ast.get_docstring(tree) or "",
        docstrings=tuple(
            (node.body[0].lineno, text)
            for node in nodes
            if isinstance(node, documented) and (text := ast.get_docstring(node))
        ),
        names=frozenset(names_given(nodes)),
        classes=frozenset(node.name for node in nodes if isinstance(node, ast.ClassDef)),
    )


def names_given(nodes: Iterator[ast.AST] | tuple[ast.AST, ...]) -> Iterator[str]:
    """Yield the names of functions, variables, parameters and fields of classes."""
    for node in nodes:
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name

"""The mutants of a module: copies with one change each, made from its syntax tree.

In one file: one visitor of a syntax tree, with a method for each kind of node.
"""

import ast
import importlib.util
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Each comparison's opposite and, if it has a limit, the same with the limit included or not.
COMPARISONS: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
    ast.Lt: ("<=", ">="),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<="),
    ast.GtE: (">", "<"),
}
SWAPPED_NAMES = {"any": "all", "all": "any", "min": "max", "max": "min"}
# What is left as it is: types, decorators, base classes.
SKIPPED_FIELDS = frozenset({"annotation", "returns", "decorator_list", "bases", "type_params"})
# The function that marks text for translation. Text for people is left as it is.
TRANSLATED = "_l"
_BETWEEN = re.compile(r"([\s()]*)(?:is\s+not|not\s+in|[a-z]+|[<>=!+-]+)([\s()]*)")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A copy of a module with one change."""

    line: int
    source: str
    # The old lines, each after a minus sign, then the new ones, each after a plus sign.
    diff: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Edit:
    """The range of bytes to replace in the source, and the text to put there."""

    start: int
    end: int
    text: str


class _Source:
    """The text of a module, its syntax tree, and where each node is in the text."""

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        self.bytes = text.encode()
        self.enums = _enums_known_to(self.tree)
        # For an element or an argument: all that are listed together.
        self.listed_with: dict[ast.AST, list[ast.expr]] = {
            element: _listed(node) for node in ast.walk(self.tree) for element in _listed(node)
        }
        lines = self.bytes.splitlines(keepends=True)
        self._starts = [0]
        for line in lines:
            self._starts.append(self._starts[-1] + len(line))

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            self._starts[node.lineno - 1] + node.col_offset,
            self._starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def text(self, *nodes: ast.expr | ast.stmt) -> str:
        """Return the text from the first of these nodes through the last."""
        return self.bytes[self.span(nodes[0])[0] : self.span(nodes[-1])[1]].decode()

    def replace(self, node: ast.expr | ast.stmt, text: str) -> _Edit:
        return _Edit(*self.span(node), text)

    def replace_all(self, nodes: Sequence[ast.expr | ast.stmt], text: str) -> _Edit:
        return _Edit(self.span(nodes[0])[0], self.span(nodes[-1])[1], text)

    def replace_between(self, left: ast.expr, right: ast.expr, operator: str) -> _Edit:
        """Replace the operator between two operands; brackets around these stay."""
        start, end = self.span(left)[1], self.span(right)[0]
        match = _BETWEEN.fullmatch(self.bytes[start:end].decode())
        assert match, f"No operator on line {right.lineno}."
        return _Edit(start, end, f"{match[1]}{operator}{match[2]}")

    def applied(self, edit: _Edit) -> str:
        return (self.bytes[: edit.start] + edit.text.encode() + self.bytes[edit.end :]).decode()


def mutants(text: str) -> list[Mutant]:
    """Return every mutant of a module, in the order of its lines, each once."""
    source = _Source(text)
    edits = {edit for node in _nodes(source.tree) for edit in _edits(source, node)}
    in_order = sorted(edits, key=lambda edit: (edit.start, edit.end, edit.text))
    changed = dict.fromkeys(source.applied(edit) for edit in in_order)
    return [_mutant(text, changed_text) for changed_text in changed if changed_text != text]


def spread(mutants: Sequence[Mutant], count: int) -> list[Mutant]:
    """Return this many of the mutants, evenly spread, or all of them if there are no more."""
    if len(mutants) <= count:
        return list(mutants)
    return [mutants[(2 * index + 1) * len(mutants) // (2 * count)] for index in range(count)]


def _mutant(before: str, after: str) -> Mutant:
    old, new = before.splitlines(), after.splitlines()
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    return Mutant(
        line=start + 1,
        source=after,
        diff=(
            *(f"- {line}" for line in old[start : len(old) - end]),
            *(f"+ {line}" for line in new[start : len(new) - end]),
        ),
    )


def _common(first: list[str], other: list[str]) -> int:
    """Return how many lines two texts have in common from the start."""
    pairs = zip(first, other, strict=False)
    return len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)))


# What can be changed --------------------------------------------------------------------------


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of a tree that decide what the module does."""
    if _is_skipped(node):
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name not in SKIPPED_FIELDS:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _nodes(child)


def _is_skipped(node: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.JoinedStr():
            return True
        case ast.Expr(value=ast.Constant()):  # a docstring
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name == TRANSLATED
        case ast.ClassDef():
            return _is_enum(node)
    return False


def _edits(source: _Source, node: ast.AST) -> Iterator[_Edit]:
    for change in _CHANGES:
        yield from change(source, node)


def _comparisons(source: _Source, node: ast.AST) -> Iterator[_Edit]:
    """Reverse a comparison, or move its limit."""
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for operator, left, right in zip(node.ops, operands, operands[1:], strict=False):
            for other in COMPARISONS[type(operator)]:
                yield source.replace_between(left, right, other)


def _boolean_operators(source: _Source, node: ast.AST) -> Iterator[_Edit]:
    """Swap and and or, or drop one of the conditions."""
    if isinstance(node, ast.BoolOp):
        joins_all = isinstance(node.op, ast.And)
        for left, right in zip(node.values, node.values[1:], strict=False):
            yield source.replace_between(left, right, "or" if joins_all else "and")
        for value in node.values:
            yield source.replace(value, str(joins_all))


def _sums(source: _Source, node: ast.AST) -> Iterator[_Edit]:
    """Swap a plus and a minus."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        operator = "-" if isinstance(node.op, ast.Add) else "+"
        yield source.replace_between(node.left, node.right, operator)


def _negations(source: _Source, node: ast.AST) -> Iterator[_Edit]:
    """Remove a not; negate the condition of a statement, an expression or a filter."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield source.replace(node, source.text(node).removeprefix("not").lstrip())
    tests: list[ast.expr] = []
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        tests = [node.test]
    elif isinstance(node, ast.comprehension):
        tests = node.ifs
        for test in tests:
            yield source.replace(test, "True")
    for test in tests:
        # A single comparison is reversed on its own, and a not is removed.
        is_single = isinstance(test, ast.Compare) and len(test.ops) == 1
        if not is_single and not isinstance(test, ast.UnaryOp):
            yield source.replace(test, f"not ({source.text(test)})")


def _constants(source: _Source, node: ast.AST) -> Iterator[_Edit]:
    """Change a Boolean, a number or a string."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield source.replace(node, str(not node.value))
        elif isinstance(node.value, int):
            yield source.replace(node, str(node.value + 1))
        elif isinstance(node.value, str):
            yield source.replace(node, repr(f"{node.value}x"))


def _names(source: _Source, node: ast.AST) -> Iterator[_Edit]:
    """Swap any and all, min and max."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        other = SWAPPED_NAMES.get(node.func.id)
        if other:
            yield source.replace(node.func, other)


def _enum_members(source: _Source, node: ast.AST) -> Iterator[_Edit]:
    """Replace a member of an enum by the next one that isn't in the same list anyway."""
    member = _member(source, node)
    if member and isinstance(node, ast.Attribute):
        enum, name = member
        names = source.enums[enum]
        taken = {_member(source, other) for other in source.listed_with.get(node, ())}
        after = [*names[names.index(name) + 1 :], *names[: names.index(name)]]
        other = next((member for member in after if (enum, member) not in taken), None)
        if other:
            yield source.replace(node, f"{enum}.{other}")


def _elements(source: _Source, node: ast.AST) -> Iterator[_Edit]:
    """Drop an element of a tuple, set, list or dictionary, or one of several members in a call."""
    brackets = _brackets(source, node)
    if brackets is None:
        return
    assert isinstance(node, ast.expr)
    elements = (
        [source.text(key, value) for key, value in zip(node.keys, node.values, strict=True) if key]
        if isinstance(node, ast.Dict)
        else [source.text(element) for element in _listed(node)]
    )
    opening, closing, empty = brackets
    for index in range(len(elements)):
        rest = [*elements[:index], *elements[index + 1 :]]
        inner = ", ".join(rest)
        comma = "," if isinstance(node, ast.Tuple) else ""
        yield source.replace(node, f"{opening}{inner}{comma}{closing}" if rest else empty)


def _brackets(source: _Source, node: ast.AST) -> tuple[str, str, str] | None:
    """Return what opens and closes a list of elements, and an empty one; None for other nodes."""
    match node:
        case ast.Tuple() if source.text(node).startswith("("):
            return "(", ")", "()"
        case ast.Set():
            return "{", "}", "set()"
        case ast.List(ctx=ast.Load()):
            return "[", "]", "[]"
        case ast.Dict():
            return "{", "}", "{}"
        case ast.Call(func=func, args=[_, _, *_], keywords=[]):
            if all(_member(source, element) for element in _listed(node)):
                return f"{source.text(func)}(", ")", ""
    return None


def _blocks(source: _Source, node: ast.AST) -> Iterator[_Edit]:
    """Do nothing in a branch or a loop, or drop one statement."""
    blocks: list[list[ast.stmt]] = []
    if isinstance(node, ast.If | ast.For | ast.While):
        blocks = [node.body]
        # An elif is a separate branch.
        if node.orelse and not isinstance(node.orelse[0], ast.If):
            blocks.append(node.orelse)
        for block in blocks:
            yield source.replace_all(block, "pass")
    elif isinstance(node, ast.FunctionDef):
        blocks = [node.body]
    for statement in itertools.chain(*blocks):
        if isinstance(statement, ast.Expr | ast.AugAssign) and not _is_skipped(statement):
            yield source.replace(statement, "pass")


def _returns(source: _Source, node: ast.AST) -> Iterator[_Edit]:
    """Return the other decision, or an empty value."""
    if isinstance(node, ast.FunctionDef) and node.returns is not None:
        for child in ast.walk(node):
            if isinstance(child, ast.Return) and child.value is not None:
                yield from _other_values(source, node.returns, child.value)


def _other_values(source: _Source, annotation: ast.expr, value: ast.expr) -> Iterator[_Edit]:
    match annotation, value:
        # Several values, each with its own type.
        case (
            ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=kinds)),
            ast.Tuple(elts=values),
        ) if len(kinds) == len(values):
            for kind, kind_value in zip(kinds, values, strict=True):
                yield from _other_values(source, kind, kind_value)
        case _:
            for other in _values_of(annotation):
                yield source.replace(value, other)


def _values_of(annotation: ast.expr) -> tuple[str, ...]:
    """Return the simplest values of the type that a function returns."""
    match annotation:
        case ast.Name(id="Decision"):
            return "YES", 'no("")'
        case ast.Name(id="bool"):
            return "True", "False"
        case ast.BinOp(op=ast.BitOr(), right=ast.Constant(value=None)):
            return ("None",)
        case ast.Subscript(value=ast.Name(id="tuple")):
            return ("()",)
        case ast.Subscript(value=ast.Name(id="frozenset")):
            return ("frozenset()",)
    return ()


_CHANGES: tuple[Callable[[_Source, ast.AST], Iterator[_Edit]], ...] = (
    _comparisons,
    _boolean_operators,
    _sums,
    _negations,
    _constants,
    _names,
    _enum_members,
    _elements,
    _blocks,
    _returns,
)


# Enums ----------------------------------------------------------------------------------------


def _listed(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Tuple(elts=elements) | ast.Set(elts=elements) | ast.List(elts=elements):
            return elements
        case ast.Call(args=arguments):
            return arguments
    return []


def _member(source: _Source, node: ast.AST) -> tuple[str, str] | None:
    """Return the enum and the name of a member, None for anything else."""
    match node:
        case ast.Attribute(value=ast.Name(id=enum), attr=name) if name in source.enums.get(
            enum, ()
        ):
            return enum, name
    return None


def _is_enum(node: ast.ClassDef) -> bool:
    return any("enum." in ast.unparse(base) for base in node.bases)


def _enums_in(tree: ast.Module) -> dict[str, list[str]]:
    """Return the members of each enum that a module defines."""
    return {
        node.name: [
            target.id
            for statement in node.body
            if isinstance(statement, ast.Assign)
            for target in statement.targets
            if isinstance(target, ast.Name)
        ]
        for node in tree.body
        if isinstance(node, ast.ClassDef) and _is_enum(node)
    }


def _enums_known_to(tree: ast.Module) -> Mapping[str, list[str]]:
    """Return the members of each enum that a module defines or imports, without running it."""
    known = _enums_in(tree)
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tracker."):
            spec = importlib.util.find_spec(node.module)
            assert spec, node.module
            assert spec.origin, node.module
            enums = _enums_in(ast.parse(Path(spec.origin).read_text()))
            known |= {
                alias.asname or alias.name: enums[alias.name]
                for alias in node.names
                if alias.name in enums
            }
    return known

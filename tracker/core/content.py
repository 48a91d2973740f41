"""Content files: strict YAML that keeps line numbers, with mistakes named by file and line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from flask_babel import gettext as _
from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scanner import RoundTripScanner, ScannerError

from tracker.core.mistakes import Mistake
from tracker.core.schema_problems import PLAIN, Mark, NodePath, Reading, holds, problems
from tracker.core.yaml_problems import (
    ANCHORS,
    MERGES,
    NESTED,
    NO_KEY,
    NO_VALUE,
    TAGS,
    yaml_problem,
)

Model = TypeVar("Model", bound=BaseModel)
_MERGE = "tag:yaml.org,2002:merge"
MOST_NESTED = 100


@dataclass(frozen=True, slots=True)
class YamlText:
    """Parsed YAML with its file and the line on which it begins."""

    file: str
    tree: Any
    first_line: int = 1

    def line(self, place: NodePath = ()) -> int:
        """Return the line of the value at a path, or of the nearest value around it."""
        return self.first_line + self._position(place)[0]

    def mistake(
        self, place: NodePath, message: str, advice: str = "", *, mark: Mark = "value"
    ) -> Mistake:
        """Return a mistake at a path: at its value, at its key, or somewhere in its line."""
        line, of_key, of_value = self._position(place)
        column = {"key": of_key, "value": of_value, "": 0}[mark]
        return Mistake(self.file, self.first_line + line, message, advice, column)

    def _position(self, place: NodePath) -> tuple[int, int, int]:
        """Return the line of a path from 0, and the columns of its key and its value from 1.

        A column is 0 if the path isn't there, or if the value is on another line than its key.
        """
        node, position = self.tree, (0, 0, 0)
        for step in place:
            if not holds(node, step):
                return position[0], 0, 0
            line, column, *of_value = node.lc.data[step]
            value = column if not of_value else of_value[1] if of_value[0] == line else -1
            position, node = (line, column + 1, value + 1), node[step]
        return position

    def fit(
        self,
        model: type[Model],
        mistakes: list[Mistake],
        place: NodePath = (),
        *,
        reading: Reading = PLAIN,
    ) -> Model | None:
        """Return the value at a path as a model, or None after adding every mistake in it."""
        node = self.tree
        for step in place:
            node = node[step]
        try:
            return model.model_validate(node)
        except ValidationError as error:
            mistakes += [
                self.mistake(
                    (*place, *problem.place),
                    problem.message,
                    problem.advice,
                    mark=problem.mark,
                )
                for problem in problems(model, node, error.errors(), reading)
            ]
            return None


def read_text(root: Path, path: Path, mistakes: list[Mistake]) -> str | None:
    """Return a file's text with plain line ends, or None after adding why it can't be read."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        message = _("the file isn't UTF-8 text")
        mistakes.append(Mistake(name_of(root, path), 1, message, _("Save it as UTF-8.")))
    except OSError as error:
        reason = (error.strerror or "can't be read").lower()
        mistakes.append(Mistake(name_of(root, path), 1, f"the file can't be read: {reason}"))
    return None


class _StrictScanner(RoundTripScanner):
    """A YAML scanner that refuses anchors and tags, and stops when a text is nested too deeply.

    Anchors can make a short text endless, and tags create values that content never has. Scanning
    takes time proportional to length times depth. The depth is limited by counting what the scanner
    counts: brackets in quoted strings and comments don't.
    """

    def fetch_flow_collection_start(self, TokenClass: Any, to_push: str) -> None:  # noqa: N803
        """Begin a list or a mapping in brackets."""
        self._require_shallow(len(self.flow_context))
        super().fetch_flow_collection_start(TokenClass, to_push)

    def add_indent(self, column: int) -> bool:
        """Begin a list or a mapping by indenting it."""
        self._require_shallow(len(self.indents))
        return bool(super().add_indent(column))

    def fetch_anchor(self) -> None:
        """Refuse an anchor."""
        self._refuse(ANCHORS)

    def fetch_alias(self) -> None:
        """Refuse an alias."""
        self._refuse(ANCHORS)

    def fetch_tag(self) -> None:
        """Refuse a tag."""
        self._refuse(TAGS)

    def _require_shallow(self, depth: int) -> None:
        if depth >= MOST_NESTED:
            self._refuse(NESTED)

    def _refuse(self, reason: object) -> NoReturn:
        raise ScannerError(None, None, reason, self.reader.get_mark())


class _StrictConstructor(RoundTripConstructor):
    """A YAML constructor that names the line of an invalid number, date or key; refuses merges."""

    def construct_object(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002
        """Return the value of a node."""
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, OverflowError) as error:
            raise ConstructorError(None, None, NO_VALUE, node.start_mark) from error

    def construct_mapping(  # type: ignore[override]  # as the class above has it
        self,
        node: Any,
        maptyp: Any,
        deep: bool = False,  # noqa: FBT001, FBT002
    ) -> Any:
        """Fill a mapping from its node."""
        try:
            return super().construct_mapping(node, maptyp, deep=deep)
        except TypeError as error:
            raise ConstructorError(None, None, NO_KEY, node.start_mark) from error

    def flatten_mapping(self, node: Any) -> Any:
        """Refuse merges."""
        for key, _value in node.value:
            if key.tag == _MERGE:
                raise ConstructorError(None, None, MERGES, key.start_mark)
        return super().flatten_mapping(node)


def yaml_reader() -> YAML:
    """Return a loader for uploaded YAML; it keeps line numbers and takes linear time."""
    yaml = YAML(typ="rt")
    yaml.Scanner = _StrictScanner
    yaml.Constructor = _StrictConstructor
    return yaml


def yaml_writer() -> YAML:
    """Return a writer for YAML as it is downloaded; what was read before keeps its comments."""
    yaml = YAML(typ="rt")
    yaml.width = 100
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def read_yaml(
    text: str, file: str, mistakes: list[Mistake], *, first_line: int = 1
) -> YamlText | None:
    """Return YAML with its lines, or None after adding its mistakes."""
    try:
        return YamlText(file, yaml_reader().load(text), first_line)
    except MarkedYAMLError as error:
        problem = yaml_problem(error)
        line = first_line + problem.line
        mistakes.append(Mistake(file, line, problem.message, problem.advice, problem.column))
    except YAMLError as error:
        problem = yaml_problem(error)
        mistakes.append(Mistake(file, first_line, problem.message, problem.advice))
    except RecursionError:
        message = _("not valid YAML: %(problem)s", problem=NESTED)
        mistakes.append(Mistake(file, first_line, message))
    return None


def name_of(root: Path, path: Path) -> str:
    """Return a file's name as mistakes show it: its path within the content folder."""
    return path.relative_to(root).as_posix()


def repeated(values: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield position and value of each item that occurred earlier in the list."""
    seen: set[str] = set()
    for place, value in enumerate(values):
        if value in seen:
            yield place, value
        seen.add(value)

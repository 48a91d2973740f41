"""Content files: strict YAML that keeps line numbers, with errors named by file and line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import ConstructorError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scanner import RoundTripScanner, ScannerError

Model = TypeVar("Model", bound=BaseModel)
NodePath = Sequence[int | str]
NO_VALUE = "there is no such number or date"
NESTED = "it is nested too deeply"
ANCHORS = "anchors (&) and aliases (*) are not read here"
TAGS = "tags (!) are not read here"
MERGES = "merges (<<) are not read here"
NO_KEY = "a list or a mapping can't be a key"
_MERGE = "tag:yaml.org,2002:merge"
MOST_NESTED = 100


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake in the content: the file, the line, and what is wrong."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class ContentError(Exception):
    """Raised when content can't be loaded; the text has a line for each mistake found."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


@dataclass(frozen=True, slots=True)
class YamlText:
    """Parsed YAML with its file and the line on which it begins."""

    file: str
    tree: Any
    first_line: int = 1

    def line(self, place: NodePath = ()) -> int:
        """Return the line of the value at a path, or of the nearest value around it."""
        node, line = self.tree, 0
        for step in place:
            # A path given by pydantic may contain names of models, which are skipped.
            if _holds(node, step):
                line = node.lc.data[step][0]
                node = node[step]
        return self.first_line + line

    def fit(
        self, model: type[Model], mistakes: list[Mistake], place: NodePath = ()
    ) -> Model | None:
        """Return the value at a path as a model, or None after adding every mistake in it."""
        node = self.tree
        for step in place:
            node = node[step]
        try:
            return model.model_validate(node)
        except ValidationError as error:
            for detail in error.errors():
                inner = [*place, *detail["loc"]]
                mistakes.append(Mistake(self.file, self.line(inner), _in_words(detail)))
            return None


def read_text(root: Path, path: Path, mistakes: list[Mistake]) -> str | None:
    """Return a file's text with plain line ends, or None after adding why it can't be read."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        mistakes.append(Mistake(name_of(root, path), 1, "the file isn't UTF-8 text"))
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

    def _refuse(self, reason: str) -> NoReturn:
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
        mark = error.problem_mark or error.context_mark
        line = first_line + (mark.line if mark else 0)
        problem = (error.problem or error.context or "can't be understood").splitlines()[0]
        mistakes.append(Mistake(file, line, f"not valid YAML: {problem}"))
    except YAMLError as error:
        problem = str(error).splitlines()[0]
        mistakes.append(Mistake(file, first_line, f"not valid YAML: {problem}"))
    except RecursionError:
        mistakes.append(Mistake(file, first_line, f"not valid YAML: {NESTED}"))
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


def _holds(node: Any, step: int | str) -> bool:
    if isinstance(node, CommentedMap):
        return step in node
    return isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node)


def _in_words(detail: ErrorDetails) -> str:
    place = ".".join(str(step) for step in detail["loc"])
    given: Mapping[str, Any] = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return f"{place} is missing"
        case "extra_forbidden":
            return f"there is no key {place}"
        case "string_pattern_mismatch":
            return f"{place} is {detail['input']!r}, which doesn't fit {given['pattern']}"
        case "enum" | "literal_error":
            return f"{place} is {detail['input']!r}, not {given['expected']}"
        case "value_error":
            return f"{place}: {given['error']}" if place else str(given["error"])
    message = detail["msg"][0].lower() + detail["msg"][1:]
    return f"{place}: {message}" if place else message

"""What is wrong with a text that isn't valid YAML, in plain words. Pure."""

from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from ruamel.yaml.error import MarkedYAMLError, YAMLError

NO_VALUE = _l("there is no such number or date")
NESTED = _l("it is nested too deeply")
ANCHORS = _l("anchors (&) and aliases (*) are not read here")
TAGS = _l("tags (!) are not read here")
MERGES = _l("merges (<<) are not read here")
NO_KEY = _l("a list or a mapping can't be a key")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class YamlProblem:
    """What is wrong, what to write instead; line from 0, column from 1."""

    message: str
    advice: str = ""
    line: int = 0
    column: int = 0


_QUOTED_WHOLE = _l("Put the whole text in quotes.")
_OWN = (
    (NO_VALUE, _l("Put it in quotes if it is text, or correct the number or the date.")),
    (NESTED, _l("Use fewer lists and groups inside each other.")),
    (ANCHORS, _l("Write the text again, or put it in quotes if it begins with & or *.")),
    (TAGS, _l("Remove the tag, or put the text in quotes if it begins with !.")),
    (MERGES, _l("Write out the keys instead.")),
    (NO_KEY, _l("Put the text in quotes if it begins with [ or {.")),
)
# What the parser says, in plain words: its words, ours, what to write, and whether the mistake is
# where the parser began to read the value and not where it gave up.
_SAYINGS = (
    (
        "found character '\\t'",
        _l("a tab can't be used to indent"),
        _l("Use spaces instead of the tab."),
        False,
    ),
    (
        "mapping values are not allowed here",
        _l("a second colon in this line, or a line that is indented too far"),
        _l("Put a text that contains a colon and a space in quotes, or indent as the lines above."),
        False,
    ),
    (
        "could not find expected ':'",
        _l("a key without a colon"),
        _l("Write a colon and a space between the key and its value: key: value."),
        True,
    ),
    (
        "found unexpected end of stream",
        _l("a quotation mark that isn't closed"),
        _l("Write the same quotation mark at the end of the text."),
        True,
    ),
    (
        "found unexpected document separator",
        _l("a quotation mark that isn't closed"),
        _l("Write the same quotation mark at the end of the text."),
        True,
    ),
    (
        "found duplicate key",
        _l("this key is there twice"),
        _l("Keep one of the two lines."),
        False,
    ),
    (
        "expected <block end>, but found '<scalar>'",
        _l("text after a closing quotation mark"),
        _l("Close the quotation mark of the text before, or put the whole text in quotes."),
        False,
    ),
    (
        "expected <block end>",
        _l("this line isn't indented like the lines it belongs to"),
        _l("Begin it exactly below the first letter of the lines above that it belongs to."),
        False,
    ),
    (
        "expected ',' or",
        _l("a bracket that isn't closed"),
        _l("Write a comma between entries, and close the bracket at the end: [one, two]."),
        True,
    ),
    (
        "cannot start any token",
        _l("a value can't begin with this sign"),
        _QUOTED_WHOLE,
        False,
    ),
    (
        "unknown escape character",
        _l("a backslash in a text in double quotes"),
        _l("Write two backslashes, or use single quotes."),
        False,
    ),
    (
        "expected the node content",
        _l("something else than a value"),
        _QUOTED_WHOLE,
        False,
    ),
)


def yaml_problem(error: YAMLError) -> YamlProblem:
    """Return what a parser's error means, and where it is."""
    if not isinstance(error, MarkedYAMLError):
        reported = str(error).splitlines()[0][:_LONGEST]
        return YamlProblem(_("not valid YAML: %(problem)s", problem=reported))
    reason = error.problem or error.context or ""
    words, advice, is_at_beginning = _in_words(reason)
    mark = error.problem_mark or error.context_mark
    if is_at_beginning and error.context_mark is not None:
        mark = error.context_mark
    return YamlProblem(
        _("not valid YAML: %(problem)s", problem=words),
        str(advice),
        mark.line if mark else 0,
        mark.column + 1 if mark else 0,
    )


def _in_words(reason: object) -> tuple[object, object, bool]:
    for own, advice in _OWN:
        if reason is own:
            return own, advice, False
    reported = str(reason).splitlines()[0][:_LONGEST] if str(reason) else ""
    for theirs, ours, advice, is_at_beginning in _SAYINGS:
        if theirs in reported:
            return ours, advice, is_at_beginning
    advice = _l("Compare this line and the one above with similar lines in a downloaded text.")
    return reported, advice, False

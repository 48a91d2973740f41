"""The strict base models of templates, and the formats of keys and texts in them. Pure."""

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from pydantic import BaseModel, ConfigDict, StringConstraints

from tracker.core.mistakes import UnfitError

MAX_WORDS = 2000

_KEY = r"^[a-z][a-z0-9_]{0,39}$"
_VALUE = r"^[A-Za-z0-9_]{1,40}$"
_ITEM_CODE = r"^[MCVU][1-9][0-9]{0,2}$"
_STATEMENT = r"^S[1-9][0-9]?$"
_PASSAGE = r"^[a-z0-9-]+/[a-z0-9-]+$"
Key = Annotated[str, StringConstraints(pattern=_KEY)]
Value = Annotated[str, StringConstraints(pattern=_VALUE)]
ItemCode = Annotated[str, StringConstraints(pattern=_ITEM_CODE)]
Statement = Annotated[str, StringConstraints(pattern=_STATEMENT)]
PassageRef = Annotated[str, StringConstraints(pattern=_PASSAGE)]
# What a text with each of these patterns looks like, as mistakes say it.
FORMS = {
    _KEY: _l("small letters, digits and _, beginning with a letter, at most 40 of them"),
    _VALUE: _l("letters, digits and _, at most 40 of them"),
    _ITEM_CODE: _l("the checklist's letter and a number, such as M10"),
    _STATEMENT: _l("the code of a statement, such as S12"),
    _PASSAGE: _l("an article and a passage of it, such as settling-terms/expectations"),
}
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_WORDS)]


# Nobody asks which fields of a template were set. One set for all its parts, and not one for each,
# saves 2 MB in each process.
_SET: set[str] = set()


class Strict(BaseModel):
    """A part of a template: no unknown keys, no changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def model_post_init(self, _context: Any, /) -> None:
        """Share what pydantic stores about the fields that were set."""
        object.__setattr__(self, "__pydantic_fields_set__", _SET)


Made = TypeVar("Made", bound=Strict)


def with_parts(part: Made, **changes: Any) -> Made:
    """Return a copy with some parts replaced, which are known to be valid."""
    own = {name: getattr(part, name) for name in type(part).model_fields}
    return type(part).model_construct(**{**own, **changes})


def check_unique(
    what: object, keys: Sequence[str], places: Sequence[Sequence[int | str]] = ()
) -> None:
    """Raise UnfitError if something occurs more than once.

    places are the paths of the keys; the mistake is at the second one.
    """
    doubles = sorted({key for key in keys if keys.count(key) > 1})
    if doubles:
        first = doubles[0]
        again = [number for number, key in enumerate(keys) if key == first][1]
        raise UnfitError(
            _("%(what)s %(keys)s is there more than once", what=what, keys=", ".join(doubles)),
            _("Give each one a key or a code of its own, or remove one."),
            places[again] if places else (),
        )

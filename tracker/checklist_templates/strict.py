"""The strict base models of templates, and the formats of keys and texts in them. Pure."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints

MAX_WORDS = 2000

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Value = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,40}$")]
ItemCode = Annotated[str, StringConstraints(pattern=r"^[MCVU][1-9][0-9]{0,2}$")]
Statement = Annotated[str, StringConstraints(pattern=r"^S[1-9][0-9]?$")]
PassageRef = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$")]
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


def check_unique(what: str, keys: list[str]) -> None:
    """Raise ValueError if something occurs more than once."""
    doubles = sorted({key for key in keys if keys.count(key) > 1})
    if doubles:
        message = f"{what} {', '.join(doubles)} is there more than once"
        raise ValueError(message)

"""What an application gives its parts: one frozen object for each, in slots that parts declare.

A part that needs something from outside (keys, a setting, what a part above it knows) declares a
slot in its own module and reads it with `get`. `tracker.app` puts the values in. Nothing is kept
for the whole process, so that two applications run in one without knowing of each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Generic, TypeVar, cast

from flask import Flask, current_app, has_app_context

EXTENSION = "tracker"
Value = TypeVar("Value")


class Slot(Generic[Value]):
    """A place for one value of an application.

    The default is what is read outside an application, or in one that puts nothing in.
    """

    __slots__ = ("default", "name")

    def __init__(self, name: str, default: Value) -> None:
        self.name = name
        self.default = default

    def __repr__(self) -> str:
        """Show the name alone: a default may be anything."""
        return f"Slot({self.name!r})"

    def holding(self, value: Value) -> "Filled":
        """Return the slot with a value, for Services."""
        return Filled(self, value)

    def get(self) -> Value:
        """Return the value of the application that runs."""
        return services().get(self)


@dataclass(frozen=True, slots=True)
class Filled:
    """A slot and its value; made by Slot.holding, which knows their type."""

    slot: Slot[Any]
    value: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Services:
    """The values of an application by their slots; never shown, since keys are among them."""

    values: Mapping[Slot[Any], Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))

    @classmethod
    def of(cls, *filled: Filled) -> "Services":
        """Return services with these values."""
        return cls().replacing(*filled)

    def replacing(self, *filled: Filled) -> "Services":
        """Return services with these values in place of their own, and all others as they are."""
        return Services({**self.values, **{entry.slot: entry.value for entry in filled}})

    def get(self, slot: Slot[Value]) -> Value:
        """Return the value in a slot, or its default."""
        return cast("Value", self.values.get(slot, slot.default))


NONE = Services()


def services() -> Services:
    """Return the services of the application that runs; none outside of one."""
    return of(current_app) if has_app_context() else NONE


def of(app: Flask) -> Services:
    """Return the services of an application: while it is built, when it doesn't run yet."""
    services_given: Services = app.extensions.get(EXTENSION, NONE)
    return services_given


def give(app: Flask, given: Services) -> None:
    """Give an application its services, in place of those it had."""
    app.extensions[EXTENSION] = given

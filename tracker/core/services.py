"""The values that `app` gives to lower packages: one frozen object per application, in slots.

A package that needs something from outside (a key, a setting, a function of a higher package)
declares a Slot in its own module and reads it with `get`. `tracker.app` supplies the values.
Nothing is process-wide, so that two applications can run in one process independently.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Generic, TypeVar, cast

from flask import Flask, current_app, has_app_context

EXTENSION = "tracker"
Value = TypeVar("Value")


class Slot(Generic[Value]):
    """A named slot for one value of an application.

    The default is returned outside an application, or if the application supplies no value.
    """

    __slots__ = ("default", "name")

    def __init__(self, name: str, default: Value) -> None:
        self.name = name
        self.default = default

    def __repr__(self) -> str:
        """Show only the name: a default may be anything."""
        return f"Slot({self.name!r})"

    def holding(self, value: Value) -> "Filled":
        """Return the slot with a value, for Services."""
        return Filled(self, value)

    def get(self) -> Value:
        """Return the current application's value."""
        return services().get(self)


@dataclass(frozen=True, slots=True)
class Filled:
    """A slot and its value; created by Slot.holding, which knows their type."""

    slot: Slot[Any]
    value: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Services:
    """The values of an application by slot; never shown, since they include keys."""

    values: Mapping[Slot[Any], Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))

    @classmethod
    def of(cls, *filled: Filled) -> "Services":
        """Return services with these values."""
        return cls().replacing(*filled)

    def replacing(self, *filled: Filled) -> "Services":
        """Return a copy in which these values replace the previous ones."""
        return Services({**self.values, **{entry.slot: entry.value for entry in filled}})

    def get(self, slot: Slot[Value]) -> Value:
        """Return the value in a slot, or its default."""
        return cast("Value", self.values.get(slot, slot.default))


NONE = Services()


def services() -> Services:
    """Return the services of the current application; empty outside one."""
    return of(current_app) if has_app_context() else NONE


def of(app: Flask) -> Services:
    """Return the services of an application that is being built and doesn't run yet."""
    services_given: Services = app.extensions.get(EXTENSION, NONE)
    return services_given


def give(app: Flask, given: Services) -> None:
    """Give an application its services, replacing any it had."""
    app.extensions[EXTENSION] = given

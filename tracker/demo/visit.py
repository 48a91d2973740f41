"""The demonstration's cleared people and its ready visit."""

from tracker.cooperations.models import Cooperation
from tracker.demo.people import Cast


def clear_people(cast: Cast, cooperation: Cooperation) -> None:
    """Have each named person sign their undertaking, and the NPM countersign."""


def make_ready(cast: Cast, cooperation: Cooperation) -> None:
    """Plan a visit, fill in and sign its roles and plan, and have each member confirm."""

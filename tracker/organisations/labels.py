"""Labels for the kinds and types of organisations."""

import enum

from flask_babel import lazy_gettext as _l

from tracker.access.actor import OrganisationKind


class CsoType(enum.StrEnum):
    """Kinds of civil society organisations the guidance names; the list stays open (S62 to S72)."""

    HUMAN_RIGHTS = "human_rights"
    LITIGATING = "litigating"
    VULNERABLE_GROUPS = "vulnerable_groups"
    FAMILIES = "families"
    ACADEMICS = "academics"
    UNIONS = "unions"
    PERSONS_CONCERNED = "persons_concerned"
    PROFESSIONS = "professions"
    RELIGIOUS = "religious"
    OTHER = "other"


KINDS: dict[OrganisationKind, object] = {
    OrganisationKind.NPM: _l("National Preventive Mechanism (NPM)"),
    OrganisationKind.CSO: _l("Civil society organisation (CSO)"),
    OrganisationKind.OTHER: _l("Other body"),
}

SHORT_KINDS: dict[OrganisationKind, object] = {
    OrganisationKind.NPM: _l("NPM"),
    OrganisationKind.CSO: _l("CSO"),
    OrganisationKind.OTHER: _l("Other body"),
}

ADD: dict[OrganisationKind, object] = {
    OrganisationKind.NPM: _l("Add an NPM"),
    OrganisationKind.CSO: _l("Add a CSO"),
    OrganisationKind.OTHER: _l("Add another body"),
}

TYPES: dict[CsoType, object] = {
    CsoType.HUMAN_RIGHTS: _l("Human rights organisation, national or international"),
    CsoType.LITIGATING: _l("Takes torture and related cases to court"),
    CsoType.VULNERABLE_GROUPS: _l("For a particular group in a vulnerable situation"),
    CsoType.FAMILIES: _l("Association of families of people deprived of liberty"),
    CsoType.ACADEMICS: _l("Academics, university"),
    CsoType.UNIONS: _l("Union, such as of health-care workers or of staff of places"),
    CsoType.PERSONS_CONCERNED: _l("Organisation of people who are or were deprived of liberty"),
    CsoType.PROFESSIONS: _l("Association of a profession, such as lawyers or doctors"),
    CsoType.RELIGIOUS: _l("Religious group"),
    CsoType.OTHER: _l("Other"),
}


def type_words(types: list[str], other: str = "") -> list[object]:
    """Return the labels for the types of a CSO, with its own words for other."""
    words: list[object] = [TYPES[CsoType(kind)] for kind in types if kind != CsoType.OTHER.value]
    return [*words, other] if CsoType.OTHER.value in types else words

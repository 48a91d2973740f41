"""Labels for undertakings: statuses, decisions, reasons for closing, the sentence signed."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from tracker.access.actor import ActorMembership, Role
from tracker.checklists.rules.consistency import TIES
from tracker.organisations.models import Organisation
from tracker.signoff.labels import confirmed_words, power_words
from tracker.signoff.policy import confirmation_of
from tracker.ui.locale import with_commas, with_semicolons
from tracker.undertakings.facts import Scope, Terms
from tracker.undertakings.models import InterestsDecision, Reach, UndertakingEnd
from tracker.undertakings.signed_beside import TermsDocument

DECISIONS: dict[InterestsDecision, object] = {
    InterestsDecision.ACCEPT: _l("Accept"),
    InterestsDecision.LIMIT: _l("Set a limit"),
    InterestsDecision.REPLACE: _l("Ask for another person"),
}

DECISION_HINTS: dict[InterestsDecision, object] = {
    InterestsDecision.ACCEPT: _l("No interest affects this work."),
    InterestsDecision.LIMIT: _l("The person takes part, except in what you name below."),
    InterestsDecision.REPLACE: _l("This person gets no access, and you ask for somebody else."),
}

DECIDED: dict[InterestsDecision, object] = {
    InterestsDecision.ACCEPT: _l("Accepted"),
    InterestsDecision.LIMIT: _l("Accepted with a limit"),
    InterestsDecision.REPLACE: _l("Somebody else will replace them"),
}

REACHES: dict[Reach, object] = {
    Reach.NAMED: _l("One place or institution"),
    Reach.KIND: _l("A kind of place"),
    Reach.ALL: _l("All places, or I can't tell"),
}
REACH_HINTS: dict[Reach, object] = {
    Reach.NAMED: _l("Enter its name below."),
    Reach.KIND: _l("Choose it below."),
    Reach.ALL: _l("Until the NPM decides, no place can be visited and nothing read."),
}
LIMIT_REACHES: dict[Reach, object] = {reach: REACHES[reach] for reach in (Reach.NAMED, Reach.KIND)}

ENDED_BECAUSE: dict[UndertakingEnd, object] = {
    UndertakingEnd.NEW_TERMS: _l("new confidentiality terms are in force"),
    UndertakingEnd.UNLISTED: _l("the person is no longer on the list of people who must sign"),
    UndertakingEnd.LEFT: _l("the person no longer takes part"),
    UndertakingEnd.SUSPENDED: _l("the account was suspended"),
    UndertakingEnd.WITHDRAWN: _l("the person withdrew it"),
    UndertakingEnd.WITHDRAWN_BY_NPM: _l("the NPM withdrew it"),
    UndertakingEnd.EXPIRED: _l("its last day has passed"),
    UndertakingEnd.TERMS_SUSPENDED: _l("the terms it's based on were suspended"),
    UndertakingEnd.TERMS_ENDED: _l("the terms it's based on have ended"),
    UndertakingEnd.PAPER_REFUSED: _l("the scan of the signed paper was refused"),
    UndertakingEnd.PAPER_WITHDRAWN: _l("the scan of the signed paper was withdrawn"),
}


def ended_because(reason: str) -> object:
    """Return the label of a stored reason for closing."""
    return next((words for end, words in ENDED_BECAUSE.items() if end == reason), reason)


def scope_words(terms: Terms, until: str, which: str = "") -> str:
    """Return what the terms cover (C1), with their last day."""
    named = which or terms.which
    match terms.scope:
        case Scope.ALL_UNTIL:
            return str(_("All work until %(until)s", until=until))
        case Scope.ONE_VISIT:
            return str(_("One visit (%(which)s), until %(until)s", which=named, until=until))
        case Scope.ONE_PROJECT:
            return str(_("One project (%(which)s), until %(until)s", which=named, until=until))


def party_interests(ties: Mapping[Organisation, AbstractSet[str]]) -> str:
    """Return why the NPM always decides on a declaration, for each party that does something."""
    return " ".join(party_interest(party.name, keys) for party, keys in ties.items())


def party_interest(organisation: str, ties: AbstractSet[str]) -> str:
    """Return why the NPM always decides on a declaration; empty if it doesn't."""
    words = [str(TIES[key]) for key in TIES if key in ties]
    if not words:
        return ""
    return str(
        _(
            "%(organisation)s %(ties)s. So the NPM decides on this declaration, even if there is "
            "nothing to declare.",
            organisation=organisation,
            ties=_and(words),
        )
    )


def _and(words: list[str]) -> str:
    if len(words) == 1:
        return words[0]
    return str(_("%(some)s and %(last)s", some=with_commas(words[:-1]), last=words[-1]))


def document_sentence(document: TermsDocument) -> str:
    """Return the sentence with which a person confirms a document."""
    return str(_("I have read “%(document)s” and sign it for myself.", document=document.named))


def sentence(name: str, terms: Terms, documents: Iterable[TermsDocument]) -> str:
    """Return the sentence a person signs in their own name, with each document signed with it."""
    own, named = _own_sentence(name, terms), _named(documents)
    return (
        f"{own} {_('I also sign these documents: %(documents)s.', documents=named)}"
        if named
        else own
    )


def _named(documents: Iterable[TermsDocument]) -> str:
    return with_semicolons(document.named for document in documents)


def _own_sentence(name: str, terms: Terms) -> str:
    return str(
        _(
            "I, %(name)s, have read revision %(revision)s of the confidentiality terms of "
            "“%(title)s” (%(reference)s) and undertake to keep it, in my own name.",
            name=name,
            revision=terms.revision,
            title=terms.title,
            reference=terms.reference,
        )
    )


def countersigning_sentence(
    name: str,
    membership: ActorMembership,
    person: str,
    terms: Terms,
    documents: Iterable[TermsDocument],
    opens: str,
) -> str:
    """Return the sentence that countersigns an undertaking (product.md, 5.3).

    It names the power and who confirmed it, and the documents signed with the undertaking.
    """
    named = _named(documents)
    beside = _("Signed with it: %(documents)s.", documents=named) if named else ""
    confirmed = confirmed_words(confirmation_of(membership))
    confirmed = _("Power to countersign: %(confirmed)s.", confirmed=confirmed) if confirmed else ""
    values = {
        "name": name,
        "organisation": membership.organisation_name,
        "person": person,
        "revision": terms.revision,
        "title": terms.title,
        "reference": terms.reference,
        "opens": " ".join(words for words in (beside, opens, confirmed) if words),
    }
    if membership.role is Role.MANAGER:
        return str(
            _(
                "I, %(name)s, countersign as manager for %(organisation)s the undertaking of "
                "%(person)s on revision %(revision)s of the confidentiality terms of “%(title)s” "
                "(%(reference)s). %(opens)s",
                **values,
            )
        )
    return str(
        _(
            "I, %(name)s, %(office)s, countersign for %(organisation)s, under %(power)s, "
            "the undertaking of %(person)s on revision %(revision)s of the confidentiality terms "
            "of “%(title)s” (%(reference)s). %(opens)s",
            office=membership.office or _("signatory"),
            power=power_words(membership.power, membership.power_from, membership.power_until),
            **values,
        )
    )


def opens_words(
    terms: Terms,
    until: str,
    visit_number: int | None,
    terms_end: str = "",
    *,
    has_closed_places: bool = False,
) -> str:
    """Return what a countersignature opens; for one visit without the last day, which is K2.

    terms_end is the last day on which the terms let anybody have access, if that is earlier.
    has_closed_places: an interest or a limit closes places to the person, which aren't named.
    """
    if terms.scope is Scope.ONE_VISIT:
        words = [_("It opens joint visit %(number)s.", number=visit_number or "")]
    elif terms.scope is Scope.ONE_PROJECT:
        words = [
            _("It opens the project %(which)s until %(until)s.", which=terms.which, until=until)
        ]
    else:
        words = [_("It opens all work of this cooperation until %(until)s.", until=until)]
    if terms_end and terms.scope is not Scope.ONE_VISIT:
        words.append(
            _(
                "Access ends with the agreed terms on %(day)s, unless they are renewed.",
                day=terms_end,
            )
        )
    if has_closed_places:
        words.append(_("Places that are closed to this person stay closed."))
    return " ".join(map(str, words))

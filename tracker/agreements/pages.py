"""View models for signing pages: who signs for whom, by which rule, and whose turn it is."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import gettext as _

from tracker.access.actor import Actor, ActorMembership, OrganisationKind
from tracker.accounts import queries as accounts
from tracker.agreements import frozen_text
from tracker.agreements import service as agreements
from tracker.checklists.models import Notice, NoticeKind
from tracker.checklists.pages import PositionView
from tracker.checklists.rules.facts import PartyFact
from tracker.signoff import queries, signers
from tracker.signoff import service as signoff
from tracker.signoff.labels import (
    capacity_words,
    confirmed_words,
    how_signed,
    office_words,
    passed_on_words,
    power_words,
    rule_words,
    signed_words,
    when_signed,
)
from tracker.signoff.models import Revision, Signature, SignatureRequest, SignatureSlot
from tracker.signoff.policy import RequestStatus
from tracker.signoff.signers import PartySigners
from tracker.ui.locale import as_date, with_commas

# How often people are reminded, as a phrase that also says when reminders end.
RHYTHM_WORDS = {
    1: lambda day: _("Reminders every day until %(day)s.", day=day),
    3: lambda day: _("Reminders every 3 days until %(day)s.", day=day),
    7: lambda day: _("Reminders every week until %(day)s.", day=day),
    14: lambda day: _("Reminders every 2 weeks until %(day)s.", day=day),
}


@dataclass(frozen=True, slots=True)
class RequestView:
    """A signature request with everything pages show about it: rows, status, names of people."""

    request: SignatureRequest
    standing: RequestStatus
    people: Mapping[UUID, str]
    # Why each slot was passed on.
    reasons: Mapping[UUID, str]

    def open_slots(self) -> Iterator[tuple[PartySigners, SignatureSlot]]:
        """Yield each slot that somebody has, party by party."""
        replaced = {slot.stands_for_id for slot in self.request.slots}
        for party in self.standing.parties:
            for slot in self.request.slots:
                if slot.organisation_id == party.organisation_id and slot.id not in replaced:
                    yield party, slot

    def former(self, slot: SignatureSlot) -> str:
        """Return the name of the person who passed a slot on; empty if nobody did."""
        before = queries.stood_for(self.request, slot)
        return self.people.get(before.user_id, "") if before else ""


def read(signature_request: SignatureRequest, key: bytes | None) -> RequestView:
    """Return a request for display; its slots, parties and signatures must be loaded."""
    return read_several([(signature_request, key)])[0]


def read_several(requests: Iterable[tuple[SignatureRequest, bytes | None]]) -> list[RequestView]:
    """Return the same for several requests, each with the key of its text, in one query."""
    pairs = list(requests)
    people = accounts.names({slot.user_id for request, _key in pairs for slot in request.slots})
    return [
        RequestView(
            request,
            agreements.standing_of(request),
            people,
            {
                slot.id: signoff.why_passed_on(slot, key)
                for slot in request.slots
                if slot.stands_for_id
            },
        )
        for request, key in pairs
    ]


def who_signs(
    view: RequestView,
    parties: Iterable[PartyFact],
    actor: Actor,
    document: Mapping[str, Any],
) -> list[PositionView]:
    """Return each person who signs, with the status of their signature.

    document is the frozen text, which names the office and the power of each.
    """
    named = {
        (signatory["organisation_id"], signatory["name"]): signatory
        for signatory in document["signatories"]
    }
    given = _signatures_by_signer(view.request.revision)
    sides = {party.organisation_id: party for party in parties}
    views = []
    for party, slot in view.open_slots():
        own = sides.get(party.organisation_id)
        signature = given.get((party.organisation_id, slot.user_id))
        state, s = _state(view.standing, party, slot, signature, actor)
        name = view.people.get(slot.user_id, "")
        notes = [own.name if own else "", *_for_whom(view, slot)]
        if signature is not None:
            notes.append(_signed_note(signature))
        views.append(
            PositionView(
                party=own.mark if own else "",
                name=name,
                npm=own is not None and own.side is OrganisationKind.NPM,
                state=state,
                s=s,
                note=with_commas(note for note in notes if note),
                by=_office_and_power(named.get((str(slot.organisation_id), name)), signature),
            )
        )
    return views


def _office_and_power(named: Mapping[str, Any] | None, signature: Signature | None) -> str:
    """Return by which power somebody signs, as they signed or as the text names them."""
    if signature is not None:
        office, power = signature.office, signature.power or ""
        days = (signature.power_from, signature.power_until)
    elif named is not None:
        office, power = named["office"], named["power"]
        days = frozen_text.power_days(named)
    else:
        return ""
    by = _("by %(power)s", power=power_words(power, *days)) if power else ""
    return with_commas(word for word in (office, by) if word)


def _state(
    standing: RequestStatus,
    party: PartySigners,
    slot: SignatureSlot,
    given: Signature | None,
    actor: Actor,
) -> tuple[str, str]:
    if given is not None:
        return _("Signed"), "done"
    if party.is_done(standing.signed):
        return _("Not needed any more"), "off"
    if not signers.can_sign_now(
        standing.parties, standing.signed, party.organisation_id, slot.user_id
    ):
        return _("When others have signed"), "off"
    if (slot.organisation_id, slot.user_id) == (actor.organisation_id, actor.user_id):
        return _("Your turn"), "wait"
    return _("Waiting"), "other"


def _signed_note(signature: Signature) -> str:
    """Return when somebody signed, as part of a sentence."""
    when = when_signed(signature.signed_at, signature.paper)
    if when.is_on_paper:
        return str(_("signed on paper on %(day)s", day=as_date(when.on)))
    return signed_words(when)


def _for_whom(view: RequestView, slot: SignatureSlot) -> list[str]:
    parts = []
    if slot.on_behalf_of:
        parts.append(_("on behalf of %(person)s", person=slot.on_behalf_of))
    former = view.former(slot)
    if former:
        parts.append(_("in place of %(person)s", person=former))
    return parts


def rules(view: RequestView, parties: Iterable[PartyFact]) -> list[str]:
    """Return sentences with the rule by which each party with several signatories signs."""
    names = {party.organisation_id: party.name for party in parties}
    words = [
        rule_words(
            names.get(party.organisation_id, ""),
            party.required,
            len(party.named),
            one_by_one=any(person.turn for person in party.named),
        )
        for party in view.standing.parties
        if len(party.named) > 1
    ]
    late = [party for party in view.standing.parties if party.turn]
    if late:
        words.append(
            _(
                "%(parties)s: once the others have signed.",
                parties=with_commas(names.get(party.organisation_id, "") for party in late),
            )
        )
    return words


def until_words(view: RequestView) -> list[str]:
    """Return sentences with the deadline that the text states, and how often people get a mail."""
    until, every = view.standing.expires_on, view.request.remind_every
    if until is None:
        return []
    words = [_("Can be signed until %(day)s.", day=as_date(until))]
    if every in RHYTHM_WORDS:
        words.append(RHYTHM_WORDS[every](as_date(until)))
    return words


def for_whom_words(view: RequestView, actor: Actor) -> str:
    """Return whom somebody signs for: the organisation, and the person if there is one."""
    slot = queries.slot_of(view.request, actor.organisation_id, actor.user_id)
    beside = _for_whom(view, slot) if slot else []
    return with_commas([actor.organisation_name, *beside])


def sentence(
    actor: Actor,
    membership: ActorMembership,
    view: RequestView,
    title: str,
    cooperation: str,
    replaced: Iterable[Notice] = (),
) -> str:
    """Return the sentence that is signed (product.md, 5.3).

    replaced are the notices that no longer count once all have signed. The signatory's organisation
    says so of its own: no notice disappears without the party that gave it.
    """
    own = [notice for notice in replaced if notice.organisation_id == actor.organisation_id]
    return " ".join(
        [_what_is_signed(actor, membership, view, title, cooperation), *map(_replaced_words, own)]
    )


def _replaced_words(notice: Notice) -> str:
    day = as_date(notice.from_on)
    if notice.has_come:
        return str(_("Once all have signed, our suspension of the text ends."))
    if notice.kind is NoticeKind.ENDED:
        return str(
            _(
                "Once all have signed, our notice that the text ends on %(day)s no longer counts.",
                day=day,
            )
        )
    return str(
        _(
            "Once all have signed, our notice that the text is suspended from %(day)s no longer "
            "counts.",
            day=day,
        )
    )


def _what_is_signed(
    actor: Actor, membership: ActorMembership, view: RequestView, title: str, cooperation: str
) -> str:
    return str(
        _(
            "I, %(name)s, %(office)s, sign revision %(number)s of the text “%(title)s” of the "
            "cooperation “%(cooperation)s” for %(organisation)s, under %(power)s. This "
            "agreement then binds it.",
            name=actor.name,
            office=membership.office or _("signatory"),
            number=view.request.revision.number,
            title=title,
            cooperation=cooperation,
            organisation=for_whom_words(view, actor),
            power=power_words(membership.power, membership.power_from, membership.power_until),
        )
    )


def signature_lines(
    revision: Revision, view: RequestView | None, document: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return a line for each signature, and for each that is still missing."""
    offices = {
        (signatory["organisation_id"], signatory["name"]): signatory
        for signatory in document.get("signatories", ())
    }
    names = {party["id"]: party["name"] for party in document["parties"]}
    given = _signatures_by_signer(revision)
    lines = []
    seen = set()
    for party, slot in view.open_slots() if view else ():
        signature = given.get((slot.organisation_id, slot.user_id))
        if signature is not None:
            seen.add(signature.id)
            lines.append(signature_line(signature))
        elif view is not None and not party.is_done(view.standing.signed):
            name = view.people.get(slot.user_id, "")
            known = offices.get((str(slot.organisation_id), name), {})
            lines.append(
                {
                    "name": name,
                    "capacity": with_commas(
                        [
                            office_words(
                                known.get("office", ""), names.get(str(slot.organisation_id), "")
                            ),
                            *_for_whom(view, slot),
                        ]
                    ),
                    "power": "",
                    "confirmed": "",
                    "when": None,
                    "method": "",
                }
            )
    return lines + [signature_line(given) for given in revision.signatures if given.id not in seen]


def signature_line(signature: Signature) -> dict[str, Any]:
    """Return a signature for display: who, for whom, by what power, when and how."""
    power = power_words(signature.power, signature.power_from, signature.power_until)
    return {
        "name": signature.signer_name,
        "capacity": capacity_words(signature),
        "power": _("by %(power)s", power=power) if signature.power else "",
        "confirmed": confirmed_words(signature.power_confirmed),
        "when": when_signed(signature.signed_at, signature.paper),
        "method": how_signed(signature),
    }


def passings(view: RequestView) -> list[str]:
    """Return sentences about slots that were passed on: from whom, to whom and why."""
    return [
        passed_on_words(view.former(slot), view.people.get(slot.user_id, ""), view.reasons[slot.id])
        for slot in view.request.slots
        if slot.stands_for_id
    ]


def _signatures_by_signer(revision: Revision) -> dict[tuple[UUID | None, UUID], Signature]:
    return {
        (signature.organisation_id, signature.user_id): signature
        for signature in revision.signatures
    }

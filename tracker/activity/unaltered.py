"""Rows that an act changes, compared with what events said about them before it.

An event says what a row was before it, so the audit names a row that was altered in between. But
pages and acts go by the last event alone: for them, changing another field of that row would make
the altered one good. So an act of a person that would bind such a row again is refused (adr 126).
"""

from collections.abc import Container, Iterable, Iterator
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session, SessionTransaction

from tracker.activity import binding, verbs, witness
from tracker.activity.binding import ChainKey, Rebound
from tracker.activity.checked import follows
from tracker.activity.verbs import Verb
from tracker.activity.witness import ANY_NUMBER, Wanted
from tracker.core.errors import RefusedError

# Acts that only take something away or hold it up: what was altered must not keep anybody from
# ending it. Their events say what the row was before, so the audit goes on naming it.
TAKES_AWAY: frozenset[Verb] = frozenset(
    {
        verbs.INVITATION_REVOKED,
        verbs.ROLE_ENDED,
        verbs.PERSON_SUSPENDED,
        verbs.SECOND_FACTOR_RESET,
        verbs.SESSIONS_ENDED,
        verbs.MAILED_CODES_STOPPED,
        verbs.INVITATION_REQUEST_DECLINED,
        verbs.INVITATION_REQUEST_WITHDRAWN,
        verbs.JOINING_TAKEN_BACK,
        verbs.PARTY_LEAVING,
        verbs.PERSON_LEFT,
        verbs.OUTSIDE_READING_ENDED,
        verbs.SIGNATURE_REQUEST_WITHDRAWN,
        verbs.PAPER_REFUSED,
        verbs.PAPER_WITHDRAWN,
        verbs.DECLINED,
        verbs.NOTICE_GIVEN,
        verbs.TEXT_SUSPENDED,
        verbs.TEXT_ENDED,
        # A review can always begin, whatever rows say: the stage is worked out from events, and
        # what changes it besides is compared itself.
        verbs.REVIEW_BEGUN,
        verbs.STAGE_CHANGED,
        verbs.REVIEW_CALLED_OFF,
        verbs.UNDERTAKING_SCAN_REFUSED,
        verbs.UNDERTAKING_SCAN_WITHDRAWN,
        verbs.INTEREST_ADDED,
        verbs.UNDERTAKING_CLOSED,
        verbs.CLEARANCE_CLOSED,
        verbs.VISIT_STOPPED,
    }
)
# The tables of the instance whose rows are compared: those that say who may do what.
OF_THE_INSTANCE = frozenset({"user", "membership", "organisation", "invitation"})
# The rows that most acts of a cooperation change, looked up with who acts if they are loaded.
_AHEAD = (
    *("cooperation", "party", "checklist", "visit", "undertaking", "clearance"),
    *("signature_request", "signature_place"),
)

_EXPECTED, _COUNTS = "an act whose rows are compared", "events before the transaction"
_WANTED = "what was looked up about rows"


def begin(session: Session, chain: tuple[UUID | None, UUID | None], count: int) -> None:
    """Remember how many events a chain had before the transaction's own."""
    session.info.setdefault(_COUNTS, {}).setdefault(chain, count)


def expect(session: Session) -> None:
    """Have the rows of this transaction compared before it is committed."""
    session.info[_EXPECTED] = True


def ahead(session: Session, cooperation_id: UUID | None) -> list[Wanted]:
    """Return what should be looked up about rows, with what is looked up about who acts.

    The rows of the instance that were changed, and the rows that are loaded of the cooperation:
    most acts change no others, so they need no statement more.
    """
    wanted = [Wanted(ChainKey(), *_of_the_instance(session), before=_before(session, ChainKey()))]
    if cooperation_id is not None:
        chain = ChainKey(cooperation_id)
        places = set(binding.loaded(session, _AHEAD))
        places |= {(table, row) for key, table, row in binding.rebound(session) if key == chain}
        wanted.append(Wanted(chain, frozenset(places), before=_before(session, chain)))
    _wanted(session).extend(wanted)
    return wanted


def require(session: Session) -> None:
    """Raise RefusedError if the act changed a row that had been altered before.

    That is a row which wasn't, before this transaction, as the last event had left it. Nothing is
    compared in what no person does, in acts that take something away, and in drafts.
    """
    if not session.info.get(_EXPECTED):
        return
    compared = {
        place: row
        for place, row in binding.rebound(session).items()
        if row.before and not row.is_deleted and _is_compared(place[0], place[1])
    }
    missing = list(_missing(session, compared))
    witness.look_up(missing)
    _wanted(session).extend(missing)
    last = _last(session)
    altered = [place for place, row in compared.items() if not _agrees(last.get(place), row)]
    of_instance = [place for place in altered if place[0] == ChainKey()]
    if of_instance:
        # Something else may have changed them: read what all events of the instance say.
        rest = Wanted(
            ChainKey(),
            frozenset((table, row) for _chain, table, row in of_instance),
            before=_before(session, ChainKey()),
        )
        witness.look_up([rest])
        last |= {(ChainKey(), *place): digest for place, digest in rest.last.items()}
        altered = [place for place in altered if not _agrees(last.get(place), compared[place])]
    if altered:
        raise RefusedError(
            _l(
                "A record that this changes was altered in the database and differs from the "
                "history, so nothing was done. Tell an administrator."
            )
        )


_Place = tuple[ChainKey, str, str]


def _agrees(digest: str | None, row: Rebound) -> bool:
    return follows(digest, [row.before, None])


def _is_compared(chain: ChainKey, table: str) -> bool:
    return chain != ChainKey() or table in OF_THE_INSTANCE


def _of_the_instance(
    session: Session, without: Container[_Place] = ()
) -> tuple[frozenset[tuple[str, str]], frozenset[tuple[str, UUID]]]:
    """Return the changed rows of the instance, and what the events about them are about."""
    rows = {
        place: row
        for place, row in binding.rebound(session).items()
        if place[0] == ChainKey() and row.before and _is_compared(place[0], place[1])
        if place not in without
    }
    subjects = frozenset(subject for row in rows.values() for subject in row.subjects)
    return frozenset((table, row) for _chain, table, row in rows), subjects


def _missing(session: Session, compared: Iterable[_Place]) -> Iterator[Wanted]:
    """Yield what is yet to be looked up about rows, by chain."""
    looked_up = {(wanted.chain, *place) for wanted in _wanted(session) for place in wanted.places}
    rest = [place for place in compared if place not in looked_up]
    for chain in dict.fromkeys(chain for chain, _table, _row in rest):
        places = frozenset((table, row) for key, table, row in rest if key == chain)
        subjects = None
        if chain == ChainKey():
            subjects = _of_the_instance(session, looked_up)[1]
        yield Wanted(chain, places, subjects, _before(session, chain))


def _wanted(session: Session) -> list[Wanted]:
    wanted: list[Wanted] = session.info.setdefault(_WANTED, [])
    return wanted


def _last(session: Session) -> dict[_Place, str | None]:
    return {
        (wanted.chain, *place): digest
        for wanted in _wanted(session)
        for place, digest in wanted.last.items()
    }


def _before(session: Session, chain: ChainKey) -> int:
    """Return the number of a chain's first event of this transaction, or any higher number."""
    of_chain = (None, chain.visit_id) if chain.visit_id else (chain.cooperation_id, None)
    counts: dict[tuple[UUID | None, UUID | None], int] = session.info.get(_COUNTS, {})
    return counts[of_chain] + 1 if of_chain in counts else ANY_NUMBER


@sa.event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        for name in (_EXPECTED, _COUNTS, _WANTED):
            session.info.pop(name, None)

"""Who gets a mail when a text is sent for signature, is declined or comes into force."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories.cooperations import load_checklists
from tracker.checklists.models import Checklist
from tracker.demo import checklists as demo_checklists
from tracker.demo import people, work
from tracker.mail.models import OutboxMessage


def _recipients_of(session: Session, kind: str) -> set[str]:
    rows = session.scalars(sa.select(OutboxMessage.recipient).where(OutboxMessage.kind == kind))
    return {row.split("@")[0] for row in rows}


def test_named_signatories_get_a_mail_and_everybody_hears_that_the_text_is_in_force(
    session: Session,
) -> None:
    load_checklists()
    demo_people = people.make("seven lanterns by the harbour")
    work.waiting(demo_people)
    assert _recipients_of(session, "text_sent") == {"tomas.beridan", "otto.brandis"}
    terms = session.scalars(
        sa.select(Checklist).where(Checklist.revision_sent_id.is_not(None))
    ).one()
    demo_checklists.sign(demo_people, terms, "lh")
    assert _recipients_of(session, "text_in_force") == {
        "tomas.beridan",
        "ilena.dorvath",
        "joana.pires",
    }
    session.commit()


def test_everybody_concerned_hears_that_a_text_was_declined(session: Session) -> None:
    load_checklists()
    demo_people = people.make("seven lanterns by the harbour")
    work.declined(demo_people)
    assert _recipients_of(session, "text_declined") == {
        "tomas.beridan",
        "ilena.dorvath",
        "celia.morrow",
    }
    session.commit()

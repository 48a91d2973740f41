"""The demonstration's copied answers, who has read them, its model answers and model text."""

from tracker.agreements import keeping
from tracker.agreements.service import SUBJECT
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists import queries
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist
from tracker.checklists.negotiation.text_digest import item_token
from tracker.checklists.reuse import copying, model_answers
from tracker.demo.people import DemoPeople
from tracker.signoff import queries as signoff

# What has been read for whom; the rest is unread.
READ = {"ilena": ("M1", "M2", "M3", "M4"), "samira": ("M1", "M2")}


def copy(demo_people: DemoPeople, terms: Checklist) -> None:
    """Copy from earlier terms of the same parties, and read some of it for two of them."""
    ilena = demo_people.actor("ilena")
    former = queries.earlier_checklist(
        ilena, terms, queries.earlier_checklists(ilena, terms)[0][0].checklist.id
    )
    if former is None:
        message = "The demonstration's former terms are missing."
        raise LookupError(message)
    look = copying.preview(ilena, load(terms), load(former))
    copying.copy(ilena, terms, former.id, look.codes, seen=look.seen)
    for key, items in READ.items():
        loaded, reader = load(terms), demo_people.actor(key)
        seen = {
            answer.answer_id: item_token(loaded, reader, loaded.item(item))
            for item in items
            if (answer := loaded.sheet.shared(item))
        }
        copying.say_read(reader, terms, seen)


def keep_models(demo_people: DemoPeople, terms: Checklist) -> None:
    """Save answers of these terms as model answers, for the NPM and for a partner."""
    for key, item, title, note in (
        ("ilena", "M18", "Disagreement told in two reports", "With partners who publish too."),
        ("ilena", "M2", "Objectives for visits to police stations", ""),
        ("samira", "M18", "Our own report stays ours", "Where the NPM would rather have one text."),
    ):
        answer = load(terms).sheet.shared(item)
        if answer is None:
            message = f"The demonstration's answer to {item} is missing."
            raise LookupError(message)
        model_answers.keep(
            demo_people.actor(key),
            terms,
            item,
            AnswerScope.SHARED,
            answer_id=answer.answer_id,
            title=title,
            note=note,
        )


def keep_text(demo_people: DemoPeople, signed: Checklist) -> None:
    """Keep a signed text as a model text of the NPM."""
    ((revision, _request),) = signoff.revisions_of(SUBJECT, signed.id)
    keeping.keep(demo_people.actor("ilena"), signed, revision, "en")

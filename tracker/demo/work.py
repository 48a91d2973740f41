"""The demonstration's five cooperations, one per stage, made through the real services."""

import datetime as dt
from collections.abc import Callable, Sequence

from tracker.activity.stale import recompute
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import queries
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist, Stance
from tracker.checklists.negotiation import positions, safeguards
from tracker.checklists.negotiation.text_digest import item_digest, text_digest
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Cooperation, Mode
from tracker.core import clock
from tracker.core.db import db
from tracker.demo import assignments, comments, copies, guidance, visit
from tracker.demo.checklists import COORDINATORS, accept, fill_in, send, sign
from tracker.demo.people import DemoPeople
from tracker.lifecycle import service as lifecycle
from tracker.signoff import shown

Step = tuple[str, Callable[[DemoPeople], None]]


# Signed by each person with the undertaking (docs/adr/0075).
CODE_OF_CONDUCT = {
    "document": "code_of_conduct",
    "title": "Code of conduct for joint visits",
    "version": "1, September 2026",
    "signers": "everyone",
    "text": (
        "1. I follow the team lead's directions during a visit.\n"
        "2. I treat everyone I meet with respect, detained persons and staff alike.\n"
        "3. I promise nobody a result, and I take no gifts.\n"
        "4. I stop a conversation when the person wishes so."
    ),
}


def steps() -> Sequence[Step]:
    """Return guidance and the cooperations as steps, for a progress bar."""
    return (
        ("Guidance of their own, of the NPM and of a CSO", guidance.write),
        ("Joint monitoring of police custody: complete, with a ready visit", complete),
        ("Exchange of information on psychiatry: waiting for a signature", waiting),
        ("Advisory council: differences open", differing),
        ("Training on interviews with children: declined", declined),
        ("Joint report on the first hours of arrest: begun from former terms", copied),
    )


def _open(
    demo_people: DemoPeople,
    title: str,
    purpose: str,
    partners: Sequence[str],
    modes: Sequence[Mode],
    **questions: str,
) -> Cooperation:
    today = clock.today()
    cooperation = lifecycle.open_cooperation(
        demo_people.actor("ilena"),
        title=title,
        purpose=purpose,
        organisation_ids=[demo_people.bodies[body].id for body in partners],
        starts_on=today + dt.timedelta(days=2),
        review_on=today + dt.timedelta(days=182),
        ends_on=today + dt.timedelta(days=730),
        modes=modes,
        questions=questions,
        is_demonstration=True,
    )
    for body in ("npm", *partners):
        for person in demo_people.of_body(body):
            if person.key != "ilena":
                cooperations.add_person(
                    demo_people.actor(COORDINATORS[body]),
                    cooperation,
                    user_id=demo_people.users[person.key].id,
                    organisation_id=demo_people.bodies[body].id,
                    function=person.function,
                )
    recompute()
    return cooperation


def _checklist(cooperation: Cooperation, kind: ChecklistKind) -> Checklist:
    line = next(
        standing_line
        for standing_line in queries.standing_lines(cooperation.id)
        if standing_line.kind is kind
    )
    return db.session.get_one(Checklist, line.id)


def _agree_terms(demo_people: DemoPeople, cooperation: Cooperation) -> Checklist:
    terms = _checklist(cooperation, ChecklistKind.TERMS)
    fill_in(demo_people, terms)
    page = shown.page_with(text_digest(load(terms)))
    safeguards.confirm_review(demo_people.actor("nadia"), terms, page=page)
    send(demo_people, terms)
    return terms


def complete(demo_people: DemoPeople) -> None:
    """Create a cooperation with everything signed, people cleared, and a joint visit ready."""
    cooperation = _open(
        demo_people,
        "Joint monitoring of police custody",
        "To see together whether safeguards are kept in the first 24 hours of police custody.",
        ("od", "lh"),
        (Mode.VISIT, Mode.INFO_F),
        personal_data="no",
        npm_passes_restricted="yes",
        cso_passes_restricted="yes",
        consent_hard="yes",
    )
    sign(demo_people, _agree_terms(demo_people, cooperation))
    copies.keep_models(demo_people, _checklist(cooperation, ChecklistKind.TERMS))
    confidentiality = _checklist(cooperation, ChecklistKind.CONFIDENTIALITY)
    fill_in(demo_people, confidentiality, other={"C1": {"documents": [CODE_OF_CONDUCT]}})
    send(demo_people, confidentiality)
    sign(demo_people, confidentiality)
    copies.keep_text(demo_people, confidentiality)
    visit.clear_people(demo_people, cooperation)
    visit.make_ready(demo_people, cooperation)


def waiting(demo_people: DemoPeople) -> None:
    """Create a cooperation whose terms the NPM has signed and the CSO has not."""
    cooperation = _open(
        demo_people,
        "Exchange of information on psychiatry",
        "To share what is known of coercion in psychiatric wards, in figures and without names.",
        ("lh",),
        (Mode.INFO_F,),
        personal_data="no",
        npm_passes_restricted="no",
        cso_passes_restricted="no",
    )
    sign(demo_people, _agree_terms(demo_people, cooperation), "npm")


# Phrases that may limit the NPM, so that those who wrote them are asked.
ANNEX_AGREED = (
    "A partner may have a different view printed as an annex, two pages at most. "
    "The report appears once all parties agree on the annex."
)


def differing(demo_people: DemoPeople) -> None:
    """Create a cooperation whose parties disagree: open positions, a proposal, a flag, a hint."""
    cooperation = _open(
        demo_people,
        "Advisory council",
        "A council of partners that advises the NPM on its programme and priorities.",
        ("od", "rf"),
        (Mode.ADVIS, Mode.COAL),
        personal_data="not_known",
    )
    terms = _checklist(cooperation, ChecklistKind.TERMS)
    fill_in(
        demo_people,
        terms,
        leave=("M17", "M20"),
        unaccepted=("M10", "M12", "M18"),
        other={"M18": {"separate_opinion_rule": ANNEX_AGREED}},
    )
    accept(demo_people, terms, "M10", bodies=("rf",))
    sheet = load(terms).sheet
    use = sheet.shared("M10")
    disagreement = sheet.shared("M18")
    if use is None or disagreement is None:
        message = "The demonstration's answers to M10 and M18 are missing."
        raise LookupError(message)
    shorter = dict(use.values)
    shorter["uses"] = [
        {**row, "days": 5} if row.get("decision") == "with_clearance" else row
        for row in use.values["uses"]
    ]
    shorter["no_reply_rule"] = (
        "After five days the deputy decides within two more; silence after that means yes."
    )
    positions.propose(
        demo_people.actor("samira"),
        terms,
        "M10",
        shorter,
        answer_id=use.answer_id,
        reason="An early reply serves us; a silent refusal does not.",
    )
    positions.take_position(
        demo_people.actor("celia"),
        terms,
        "M18",
        Stance.WANTS_TALK,
        answer_id=disagreement.answer_id,
        reason="Two pages are too few for what families report.",
    )
    loaded = load(terms)
    safeguards.raise_flag(
        demo_people.actor("celia"),
        terms,
        "M12",
        "Does the donor of the training see the list of places beforehand?",
        seen=item_digest(loaded, loaded.item("M12")),
    )
    comments.write(demo_people, terms)
    assignments.share_out(demo_people, terms)


def declined(demo_people: DemoPeople) -> None:
    """Create a cooperation whose terms a CSO declined to sign: two items are open again."""
    cooperation = _open(
        demo_people,
        "Training on interviews with children",
        "To train visiting teams in speaking with children and young people.",
        ("rf",),
        (Mode.CAP,),
        real_cases_in_training="no",
        personal_data="no",
    )
    terms = _agree_terms(demo_people, cooperation)
    sign(demo_people, terms, "npm")
    agreements.decline(
        demo_people.actor("anton"),
        terms,
        page=agreements.page_with(terms),
        reason="Our board can't accept that only the NPM names the trainers.",
        items=["M12", "M18"],
    )


def copied(demo_people: DemoPeople) -> None:
    """Create a cooperation whose terms were copied from earlier ones, not all of them read yet."""
    cooperation = _open(
        demo_people,
        "Joint report on the first hours of arrest",
        "To write down together what the visits of two years have shown.",
        ("od", "lh"),
        (Mode.PROJ,),
        personal_data="no",
    )
    copies.copy(demo_people, _checklist(cooperation, ChecklistKind.TERMS))

"""What people do so that pages of other states can be opened, and who then opens which page."""

import datetime as dt
from dataclasses import replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_security.recoverable import generate_reset_password_token

from tests.factories import authoring as texts
from tests.factories import paper as scans
from tests.factories import powers, undertakings, undertakings_on_paper
from tests.factories.accounts import take_app
from tests.factories.demonstration import Begun
from tests.factories.undertakings import Clearing
from tests.factories.visits import JointVisit, planned
from tracker.access.actor import OrganisationKind
from tracker.accounts.people import service as people_service
from tracker.accounts.people import without_email
from tracker.accounts.people.without_email import NewPerson
from tracker.activity.stale import recompute
from tracker.agreements import departures, joining, notices, waiting_texts
from tracker.agreements import service as agreements
from tracker.authoring.checklists import service as authoring
from tracker.authoring.models import TemplateDraft
from tracker.checklist_templates import library
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service as checklists
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist, Notice, NoticeKind
from tracker.checklists.negotiation import hints
from tracker.checklists.outside_reading import service as readings
from tracker.checklists.outside_reading.service import NewReader
from tracker.closing.models import MaterialReturn
from tracker.cooperations import queries as cooperations
from tracker.cooperations import service as people_of_cooperations
from tracker.cooperations.invitation_requests import service as invitation_requests
from tracker.cooperations.models import Cooperation, Mode
from tracker.core import clock
from tracker.core.db import db
from tracker.core.localized import LocalizedStr
from tracker.demo import checklists as demo_checklists
from tracker.demo.people import DemoPeople
from tracker.demo.work import ANNEX_AGREED
from tracker.getting_started import service as getting_started
from tracker.lifecycle import service as lifecycle
from tracker.organisations import service as organisations
from tracker.organisations.service import Details
from tracker.signoff import shown
from tracker.undertakings import adding
from tracker.undertakings import queries as undertakings_queries
from tracker.undertakings import service as undertakings_service
from tracker.undertakings.in_presence import service as in_presence

# Who opens which endpoint, with which values.
Wanted = tuple[str, str, dict[str, Any]]
REASON = "So that there is a page to look at."


def id_of(column: Any, *conditions: Any) -> UUID:
    """Return the first id that meets the conditions."""
    row_id: UUID = db.session.scalars(sa.select(column).where(*conditions).limit(1)).one()
    return row_id


def seen_by(demo_people: DemoPeople, key: str, cooperation: Cooperation) -> Cooperation:
    """Return a cooperation as a person finds it, with its parties."""
    seen = cooperations.find(demo_people.actor(key), cooperation.reference)
    assert seen is not None
    return seen


# Undertakings --------------------------------------------------------------------------------


def without_account(clearing: Clearing, name: str) -> str:
    """Have the NPM add one more person without an account who must sign; return their key."""
    demo_people = clearing.demo_people
    npm = demo_people.bodies["npm"]
    user = without_email.add(clearing.actor("ilena"), NewPerson(name, npm.id, outside_expert=True))
    demo_people.users[name] = user
    people_of_cooperations.add_person(
        clearing.actor("ilena"),
        seen_by(demo_people, "ilena", clearing.cooperation),
        user_id=user.id,
        organisation_id=npm.id,
        function="Interpreter",
    )
    recompute()
    return name


def begin_on_device(clearing: Clearing, key: str) -> None:
    """Have a person without an account fill in everything on a coordinator's device."""
    host, undertaking = clearing.actor("ilena"), clearing.undertaking(key)
    draft = replace(undertakings_on_paper.filled_in(clearing), is_ready=True)
    seen = in_presence.token_of(host, undertaking)
    in_presence.save_draft(host, undertaking.id, draft, seen=seen)


def sign_on_device(clearing: Clearing, key: str) -> None:
    """Have a person without an account sign on a coordinator's device."""
    begin_on_device(clearing, key)
    host, undertaking = clearing.actor("ilena"), clearing.undertaking(key)
    words = LocalizedStr(f"I, {undertaking.user.name}, undertake this.", "en")
    in_presence.sign(
        host,
        undertaking.id,
        page=undertakings_service.page_to_sign(undertakings_queries.load(undertaking), words),
        sentence=words,
        name=undertaking.user.name,
        known_by="I have worked with them for years.",
        identity=clearing.proof("ilena"),
    )


def of_undertakings(clearing: Clearing) -> list[Wanted]:
    """Have people without an account sign in each way, and somebody add an interest."""
    on_paper, on_device, known, left = (
        without_account(clearing, name)
        for name in ("Teo Marsh", "Runa Selby", "Iven Brock", "Oda Fenn")
    )
    clearing.list_people("npm", undertakings_on_paper.DRIVER, on_paper, on_device, known, left)
    undertakings_on_paper.record(clearing, of=on_paper)
    begin_on_device(clearing, on_device)
    for key in (known, left):
        sign_on_device(clearing, key)
        clearing.countersign(key)
    clearing.clear("dina")
    agreements.amend(clearing.actor("ilena"), clearing.checklist, reason=REASON, items=["C4"])
    interest = adding.add(
        clearing.actor("dina"), clearing.undertaking("dina").id, "A new case.", undertakings.HARBOUR
    )
    tomas = clearing.actor("tomas")
    undertakings_service.withdraw_clearance(tomas, clearing.undertaking(left).id, REASON)
    recompute()
    reference = {"reference": clearing.cooperation.reference}
    last = undertakings_queries.load(clearing.undertaking("otto")).terms.until.isoformat()

    both = [
        undertakings_service.page_1_token(tomas, clearing.undertaking(key))
        for key in ("otto", "leyla")
    ]

    def of(key: str) -> dict[str, Any]:
        return reference | {"undertaking_id": clearing.undertaking(key).id}

    copies = id_of(
        MaterialReturn.id,
        MaterialReturn.undertaking_id == clearing.undertaking(left).id,
    )
    return [
        ("ilena", "ending.call_off", {"checklist_id": clearing.checklist.id}),
        ("ilena", "undertaking_paper.withdraw", of(on_paper)),
        ("ilena", "undertaking_presence.sign", of(on_device)),
        ("ilena", "undertakings.record_interest", of(known)),
        ("milan", "undertaking_paper.refuse", of(on_paper)),
        ("milan", "undertaking_paper.show", of(on_paper)),
        ("tomas", "closing.record_confirmation", reference | {"return_id": copies}),
        ("tomas", "closing.record_exception", reference | {"return_id": copies}),
        (
            "tomas",
            "undertakings.countersign",
            of("otto") | {"until": last, "opened": both[0]},
        ),
        (
            "tomas",
            "undertakings_together.countersign",
            reference | {"until": last, "opened": both},
        ),
        ("tomas", "undertakings.added_interest", of("dina") | {"interest_id": interest.id}),
    ]


# Visits ----------------------------------------------------------------------------------------


def of_visits(joint_visit: JointVisit) -> list[Wanted]:
    """Plan a visit with somebody without an account on its team.

    Somebody on the other one has no second factor any more, and may use codes by email instead.
    """
    npm = joint_visit.demo_people.bodies["npm"]
    driver = without_email.add(joint_visit.actor("ilena"), NewPerson("Sten Varga", npm.id))
    joint_visit.demonstration.users["driver"] = driver.id
    people_of_cooperations.add_person(
        joint_visit.actor("ilena"),
        joint_visit.cooperation,
        user_id=driver.id,
        organisation_id=npm.id,
        function="Driver",
    )
    other = planned(joint_visit, members=("leyla", "driver"), audience=("leyla", "driver", "milan"))
    undertakings_service.allow_mailed_codes(
        joint_visit.actor("milan"), joint_visit.cooperation, allowed=True, reason=REASON
    )
    take_app(joint_visit.user("marek"))
    first = {"reference": joint_visit.reference, "number": 1}
    second = {"reference": joint_visit.reference, "number": other.number}
    return [
        ("ilena", "visits.record_part", second | {"user_id": driver.id}),
        ("marek", "visits.open_my_part", first),
        ("milan", "visits.override", second),
    ]


# Parties and their texts -----------------------------------------------------------------------


def of_partners(demo_people: DemoPeople) -> list[Wanted]:
    """Ask for the first coordinator of one of two partners for which nobody can act."""
    ilena = demo_people.actor("ilena")
    organisation, other = (
        organisations.add(
            demo_people.actor("iris"),
            OrganisationKind.CSO,
            Details(name=name, types=["human_rights"]),
        )
        for name in ("Lantern Shelter", "Weir Valley Advice")
    )
    cooperation = lifecycle.open_cooperation(
        ilena,
        title="Advice for families",
        purpose="To answer families' questions.",
        organisation_ids=[organisation.id, other.id],
        modes=(Mode.INFO_F,),
    )
    request = invitation_requests.make(
        ilena,
        seen_by(demo_people, "ilena", cooperation),
        organisation.id,
        name="Enno Pryce",
        email="enno.pryce@lantern.example",
        language="en",
    )
    recompute()
    reference = {"reference": cooperation.reference}
    return [
        ("ilena", "invitation_requests.make", reference | {"organisation_id": other.id}),
        ("iris", "invitation_requests.answer", {"invitation_request_id": request.id}),
        *_of_outside_reader(demo_people),
    ]


def _of_outside_reader(demo_people: DemoPeople) -> list[Wanted]:
    """Have the only person of the other NPM write an answer, and ask somebody from outside."""
    vera = powers.acting(demo_people.users["vera"].id, demo_people.bodies["abroad"].id)
    cooperation = lifecycle.open_cooperation(
        vera,
        title="Exchange across the border",
        purpose="To learn from each other.",
        organisation_ids=[demo_people.bodies["od"].id],
        modes=(Mode.INFO_F,),
    )
    recompute()
    terms = db.session.get_one(
        Checklist,
        id_of(
            Checklist.id,
            Checklist.cooperation_id == cooperation.id,
            Checklist.kind == ChecklistKind.TERMS,
        ),
    )
    written = {"separate_opinion_rule": ANNEX_AGREED}
    checklists.save_answer(vera, terms, "M18", AnswerScope.SHARED, written, base_version=0)
    recompute()
    wanted = NewReader(
        name="Noor Eland",
        function="Professor of public law",
        email=demo_people.users["noor"].email,
        until_on=clock.today() + dt.timedelta(days=10),
        reason="There is nobody else.",
    )
    reading = readings.ask(vera, terms, wanted)
    loaded = load(terms)
    item = {"reading_id": reading.id, "code": "M18"}
    hint = hints.on_item(loaded, loaded.item("M18"))[0]
    return [
        ("noor", "readings.answer_hint", item | {"mark": hint.mark}),
        ("noor", "readings.flag", item),
        ("noor", "readings.show", {"reading_id": reading.id}),
    ]


def of_texts(demo_people: DemoPeople, monitoring: Cooperation) -> list[Wanted]:
    """Have parties leave and join, and texts wait, end, and be amended."""
    otto, ilena, henrik = (
        demo_people.actor("otto"),
        demo_people.actor("ilena"),
        demo_people.actor("henrik"),
    )
    day = clock.today() + dt.timedelta(days=200)
    departures.give_notice(
        otto, seen_by(demo_people, "otto", monitoring), reason=REASON, from_on=day
    )
    joining.add(
        ilena, seen_by(demo_people, "ilena", monitoring), demo_people.bodies["rf"].id, reason=REASON
    )
    ended = undertakings.clearing(demo_people, "od")
    notices.give_notice(
        henrik, ended.checklist, NoticeKind.ENDED, reason=REASON, from_on=clock.today()
    )
    reference = {"reference": monitoring.reference}
    terms = {"checklist_id": _text_of(monitoring, ChecklistKind.TERMS).id}
    notice = terms | {"notice_id": id_of(Notice.id, Notice.checklist_id == terms["checklist_id"])}
    recompute()
    return [
        ("henrik", "ending.close", notice),
        ("ilena", "departures.show", reference | {"organisation_id": demo_people.bodies["lh"].id}),
        ("ilena", "ending.agree_anew", {"checklist_id": ended.checklist.id}),
        (
            "ilena",
            "joining.take_back",
            reference | {"organisation_id": demo_people.bodies["rf"].id},
        ),
        ("otto", "departures.take_back", reference),
        *_of_waiting_texts(demo_people),
    ]


def _of_waiting_texts(demo_people: DemoPeople) -> list[Wanted]:
    """Send two texts for signature, of which one is signed on paper by a party."""
    clearing = undertakings.clearing(demo_people, modes=(Mode.OMB_PLUS,), in_force=False)
    plan = _text_of(clearing.cooperation, ChecklistKind.URGENT_PLAN)
    demo_checklists.fill_in(demo_people, plan)
    for text in (clearing.checklist, plan):
        demo_checklists.send(demo_people, text)
    scan = scans.record(demo_people.actor("samira"), plan)
    recompute()
    paper = {"checklist_id": plan.id, "record_id": scan.id}
    tomas = demo_people.actor("tomas")
    opened = [
        shown.mark_of(tomas, waiting.revision.digest)
        for waiting in waiting_texts.waiting(tomas, clearing.cooperation.id)
    ]
    reference = {"reference": clearing.cooperation.reference}
    return [
        ("ilena", "paper.refuse", paper),
        ("samira", "paper.withdraw", paper),
        ("tomas", "together.read", reference),
        ("tomas", "together.sign", reference | {"opened": opened}),
    ]


def _text_of(cooperation: Cooperation, kind: ChecklistKind) -> Checklist:
    return db.session.scalars(
        sa.select(Checklist).where(
            Checklist.cooperation_id == cooperation.id,
            Checklist.kind == kind,
            Checklist.visit_id.is_(None),
        )
    ).one()


# Accounts and content --------------------------------------------------------------------------


def of_accounts(demo_people: DemoPeople, begun: Begun) -> list[Wanted]:
    """Suspend somebody; take a second factor from somebody, who then needs one."""
    people_service.suspend(demo_people.actor("iris"), demo_people.users["anton"].id, reason=REASON)
    token = getting_started.token_for(demo_people.users["iris"].id)
    return [
        ("", "accounts.accept_invitation", {"token": begun.invitation_token}),
        ("", "security.reset_password", {"token": _token_for_a_password(demo_people)}),
        ("iris", "getting_started.mail_arrived", {"mail_token": token}),
        ("iris", "people.restore", {"user_id": demo_people.users["anton"].id}),
        ("iris", "succession.replace", {"organisation_id": demo_people.bodies["lh"].id}),
        ("marek", "accounts.second_factor_needed", {"next": "/undertakings"}),
    ]


def _token_for_a_password(demo_people: DemoPeople) -> str:
    token: str = generate_reset_password_token(demo_people.users["celia"])  # type: ignore[no-untyped-call]
    return token


def publish_terms(
    demo_people: DemoPeople, draft_id: UUID, drafted: UUID
) -> tuple[UUID, list[Wanted]]:
    """Publish a draft of the terms; return the next draft, and the pages of several versions."""
    iris = demo_people.actor("iris")
    seen = db.session.get_one(TemplateDraft, draft_id).version
    authoring.publish(iris, draft_id, seen_version=seen, reason=REASON)
    draft = authoring.take_in(iris, texts.changed("Agreed terms", "Terms we agreed on"))
    recompute()
    terms = ChecklistKind.TERMS
    first = {"kind": terms.value, "number": library.versions(terms)[-1].version}
    return draft.id, [
        ("ilena", "moving.move", {"checklist_id": drafted}),
        ("iris", "authoring.retire", first),
    ]

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
from tests.factories.undertakings import Stage
from tests.factories.visits import Scene, planned
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
from tracker.demo.people import Cast
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


def seen_by(cast: Cast, key: str, cooperation: Cooperation) -> Cooperation:
    """Return a cooperation as a person finds it, with its parties."""
    seen = cooperations.find(cast.actor(key), cooperation.reference)
    assert seen is not None
    return seen


# Undertakings --------------------------------------------------------------------------------


def without_account(stage: Stage, name: str) -> str:
    """Have the NPM add one more person without an account who must sign; return their key."""
    cast = stage.cast
    npm = cast.bodies["npm"]
    user = without_email.add(stage.actor("ilena"), NewPerson(name, npm.id, outside_expert=True))
    cast.users[name] = user
    people_of_cooperations.add_person(
        stage.actor("ilena"),
        seen_by(cast, "ilena", stage.cooperation),
        user_id=user.id,
        organisation_id=npm.id,
        function="Interpreter",
    )
    recompute()
    return name


def begin_on_device(stage: Stage, key: str) -> None:
    """Have a person without an account fill in everything on a coordinator's device."""
    host, undertaking = stage.actor("ilena"), stage.undertaking(key)
    draft = replace(undertakings_on_paper.filled_in(stage), is_ready=True)
    seen = in_presence.token_of(host, undertaking)
    in_presence.save_draft(host, undertaking.id, draft, seen=seen)


def sign_on_device(stage: Stage, key: str) -> None:
    """Have a person without an account sign on a coordinator's device."""
    begin_on_device(stage, key)
    host, undertaking = stage.actor("ilena"), stage.undertaking(key)
    words = LocalizedStr(f"I, {undertaking.user.name}, undertake this.", "en")
    in_presence.sign(
        host,
        undertaking.id,
        page=undertakings_service.page_to_sign(undertakings_queries.load(undertaking), words),
        sentence=words,
        name=undertaking.user.name,
        known_by="I have worked with them for years.",
        identity=stage.proof("ilena"),
    )


def of_undertakings(stage: Stage) -> list[Wanted]:
    """Have people without an account sign in each way, and somebody add an interest."""
    on_paper, on_device, known, left = (
        without_account(stage, name)
        for name in ("Teo Marsh", "Runa Selby", "Iven Brock", "Oda Fenn")
    )
    stage.list_people("npm", undertakings_on_paper.DRIVER, on_paper, on_device, known, left)
    undertakings_on_paper.record(stage, of=on_paper)
    begin_on_device(stage, on_device)
    for key in (known, left):
        sign_on_device(stage, key)
        stage.countersign(key)
    stage.clear("dina")
    agreements.amend(stage.actor("ilena"), stage.checklist, reason=REASON, items=["C4"])
    interest = adding.add(
        stage.actor("dina"), stage.undertaking("dina").id, "A new case.", undertakings.HARBOUR
    )
    tomas = stage.actor("tomas")
    undertakings_service.withdraw_clearance(tomas, stage.undertaking(left).id, REASON)
    recompute()
    reference = {"reference": stage.cooperation.reference}
    last = undertakings_queries.load(stage.undertaking("otto")).terms.until.isoformat()

    both = [
        undertakings_service.page_1_token(tomas, stage.undertaking(key))
        for key in ("otto", "leyla")
    ]

    def of(key: str) -> dict[str, Any]:
        return reference | {"undertaking_id": stage.undertaking(key).id}

    copies = id_of(
        MaterialReturn.id,
        MaterialReturn.undertaking_id == stage.undertaking(left).id,
    )
    return [
        ("ilena", "ending.call_off", {"checklist_id": stage.checklist.id}),
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


def of_visits(scene: Scene) -> list[Wanted]:
    """Plan a visit with somebody without an account on its team.

    Somebody on the other one has no second factor any more, and may use codes by email instead.
    """
    npm = scene.cast.bodies["npm"]
    driver = without_email.add(scene.actor("ilena"), NewPerson("Sten Varga", npm.id))
    scene.demonstration.users["driver"] = driver.id
    people_of_cooperations.add_person(
        scene.actor("ilena"),
        scene.cooperation,
        user_id=driver.id,
        organisation_id=npm.id,
        function="Driver",
    )
    other = planned(scene, members=("leyla", "driver"), audience=("leyla", "driver", "milan"))
    undertakings_service.allow_mailed_codes(
        scene.actor("milan"), scene.cooperation, allowed=True, reason=REASON
    )
    take_app(scene.user("marek"))
    first = {"reference": scene.reference, "number": 1}
    second = {"reference": scene.reference, "number": other.number}
    return [
        ("ilena", "visits.record_part", second | {"user_id": driver.id}),
        ("marek", "visits.open_my_part", first),
        ("milan", "visits.override", second),
    ]


# Parties and their texts -----------------------------------------------------------------------


def of_partners(cast: Cast) -> list[Wanted]:
    """Ask for the first coordinator of one of two partners for which nobody can act."""
    ilena = cast.actor("ilena")
    organisation, other = (
        organisations.add(
            cast.actor("iris"), OrganisationKind.CSO, Details(name=name, types=["human_rights"])
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
        seen_by(cast, "ilena", cooperation),
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
        *_of_outside_reader(cast),
    ]


def _of_outside_reader(cast: Cast) -> list[Wanted]:
    """Have the only person of the other NPM write an answer, and ask somebody from outside."""
    vera = powers.acting(cast.users["vera"].id, cast.bodies["abroad"].id)
    cooperation = lifecycle.open_cooperation(
        vera,
        title="Exchange across the border",
        purpose="To learn from each other.",
        organisation_ids=[cast.bodies["od"].id],
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
        email=cast.users["noor"].email,
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


def of_texts(cast: Cast, monitoring: Cooperation) -> list[Wanted]:
    """Have parties leave and join, and texts wait, end, and be amended."""
    otto, ilena, henrik = cast.actor("otto"), cast.actor("ilena"), cast.actor("henrik")
    day = clock.today() + dt.timedelta(days=200)
    departures.give_notice(otto, seen_by(cast, "otto", monitoring), reason=REASON, from_on=day)
    joining.add(ilena, seen_by(cast, "ilena", monitoring), cast.bodies["rf"].id, reason=REASON)
    ended = undertakings.stage(cast, "od")
    notices.give_notice(
        henrik, ended.checklist, NoticeKind.ENDED, reason=REASON, from_on=clock.today()
    )
    reference = {"reference": monitoring.reference}
    terms = {"checklist_id": _text_of(monitoring, ChecklistKind.TERMS).id}
    notice = terms | {"notice_id": id_of(Notice.id, Notice.checklist_id == terms["checklist_id"])}
    recompute()
    return [
        ("henrik", "ending.close", notice),
        ("ilena", "departures.show", reference | {"organisation_id": cast.bodies["lh"].id}),
        ("ilena", "ending.agree_anew", {"checklist_id": ended.checklist.id}),
        ("ilena", "joining.take_back", reference | {"organisation_id": cast.bodies["rf"].id}),
        ("otto", "departures.take_back", reference),
        *_of_waiting_texts(cast),
    ]


def _of_waiting_texts(cast: Cast) -> list[Wanted]:
    """Send two texts for signature, of which one is signed on paper by a party."""
    stage = undertakings.stage(cast, modes=(Mode.OMB_PLUS,), in_force=False)
    plan = _text_of(stage.cooperation, ChecklistKind.URGENT_PLAN)
    demo_checklists.fill_in(cast, plan)
    for text in (stage.checklist, plan):
        demo_checklists.send(cast, text)
    scan = scans.record(cast.actor("samira"), plan)
    recompute()
    paper = {"checklist_id": plan.id, "record_id": scan.id}
    tomas = cast.actor("tomas")
    opened = [
        shown.mark_of(tomas, waiting.revision.digest)
        for waiting in waiting_texts.waiting(tomas, stage.cooperation.id)
    ]
    reference = {"reference": stage.cooperation.reference}
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


def of_accounts(cast: Cast, begun: Begun) -> list[Wanted]:
    """Suspend somebody; take a second factor from somebody, who then needs one."""
    people_service.suspend(cast.actor("iris"), cast.users["anton"].id, reason=REASON)
    token = getting_started.token_for(cast.users["iris"].id)
    return [
        ("", "accounts.accept_invitation", {"token": begun.invitation_token}),
        ("", "security.reset_password", {"token": _token_for_a_password(cast)}),
        ("iris", "getting_started.mail_arrived", {"mail_token": token}),
        ("iris", "people.restore", {"user_id": cast.users["anton"].id}),
        ("iris", "succession.replace", {"organisation_id": cast.bodies["lh"].id}),
        ("marek", "accounts.second_factor_needed", {"next": "/undertakings"}),
    ]


def _token_for_a_password(cast: Cast) -> str:
    token: str = generate_reset_password_token(cast.users["celia"])  # type: ignore[no-untyped-call]
    return token


def publish_terms(cast: Cast, draft_id: UUID, drafted: UUID) -> tuple[UUID, list[Wanted]]:
    """Publish a draft of the terms; return the next draft, and the pages of several versions."""
    iris = cast.actor("iris")
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

"""Assembly of the application: extensions, blueprints, event handlers, task sources.

In one file: it is the only place that knows all packages, and most of it is tables.
"""

import datetime as dt
import os
import pwd
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Flask
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from tracker.access import reading
from tracker.access.actor import Actor
from tracker.access.gate import init_gate
from tracker.access.page_organisation import init_page_organisation
from tracker.accounts import bound as account_bound
from tracker.accounts import coordinators, origins
from tracker.accounts import pages as account_pages
from tracker.accounts import queries as account_queries
from tracker.accounts import routes as account_routes
from tracker.accounts.factors import credentials
from tracker.accounts.people import pages as people_pages
from tracker.accounts.people import routes as people_routes
from tracker.accounts.people import service as people_service
from tracker.accounts.people import sessions
from tracker.accounts.policy import can_see_people
from tracker.accounts.security_log import routes as security_log_routes
from tracker.accounts.security_log import service as security_log
from tracker.accounts.sign_in import sessions as session_cookies
from tracker.accounts.sign_in import setup as sign_in
from tracker.activity import binding, stale, verbs
from tracker.activity import queries as trail_queries
from tracker.activity import service as trail
from tracker.activity.queries import Seen
from tracker.activity.service import Handler
from tracker.activity.stale import Recomputation, Stale
from tracker.activity.verbs import Verb
from tracker.agreements import departures as checklist_departures
from tracker.agreements import evidence as agreement_evidence
from tracker.agreements import joining as checklist_joining
from tracker.agreements import renewal
from tracker.agreements import succession as checklist_successions
from tracker.agreements.paper import pages as paper_pages
from tracker.agreements.paper import routes as paper_routes
from tracker.agreements.routes import (
    accepting as accepting_routes,
)
from tracker.agreements.routes import (
    departures as departure_routes,
)
from tracker.agreements.routes import (
    history as history_routes,
)
from tracker.agreements.routes import (
    joining as joining_routes,
)
from tracker.agreements.routes import (
    keeping as keeping_routes,
)
from tracker.agreements.routes import (
    notices as notice_routes,
)
from tracker.agreements.routes import (
    requests as request_routes,
)
from tracker.agreements.routes import (
    signing as signing_routes,
)
from tracker.agreements.routes import (
    together as together_routes,
)
from tracker.authoring import my_work as authoring_work
from tracker.authoring import policy as authoring
from tracker.authoring.checklists import routes as authoring_routes
from tracker.authoring.guidance import routes as guidance_editing_routes
from tracker.authoring.item_words import routes as item_words_routes
from tracker.authoring.items import routes as checklist_item_routes
from tracker.authoring.model_texts import routes as model_text_routes
from tracker.authoring.own_guidance import queries as own_queries
from tracker.authoring.own_guidance import routes as own_routes
from tracker.authoring.own_passages import routes as own_passage_routes
from tracker.authoring.passages import routes as passage_routes
from tracker.authoring.translations import routes as words_routes
from tracker.checklist_templates import risky_phrases
from tracker.checklists import beside
from tracker.checklists import my_work as checklist_work
from tracker.checklists import queries as checklist_queries
from tracker.checklists import service as checklists
from tracker.checklists.assignments import service as assignments
from tracker.checklists.outside_reading import pages as reading_pages
from tracker.checklists.outside_reading import queries as outside_readings
from tracker.checklists.outside_reading import routes as reading_routes
from tracker.checklists.outside_reading import service as outside_reading
from tracker.checklists.routes import answers as checklist_routes
from tracker.checklists.routes import (
    assignments as assignment_routes,
)
from tracker.checklists.routes import (
    beginning as beginning_routes,
)
from tracker.checklists.routes import (
    copying as copying_routes,
)
from tracker.checklists.routes import (
    drafts as draft_routes,
)
from tracker.checklists.routes import (
    left_to_decide as deciding_routes,
)
from tracker.checklists.routes import (
    model_answers as model_answer_routes,
)
from tracker.checklists.routes import (
    own_texts as own_text_routes,
)
from tracker.checklists.routes import (
    positions as position_routes,
)
from tracker.checklists.routes import (
    recorded_selection as recorded_selection_routes,
)
from tracker.checklists.routes import (
    safeguards as safeguard_routes,
)
from tracker.checklists.routes import (
    template_upgrade as template_upgrade_routes,
)
from tracker.closing import handlers as closing
from tracker.closing import pages as closing_pages
from tracker.closing import queries as closing_queries
from tracker.closing import routes as closing_routes
from tracker.commands import Commands
from tracker.comments import pages as comment_pages
from tracker.comments import queries as comment_queries
from tracker.comments import routes as comment_routes
from tracker.comments import service as comments
from tracker.cooperations import clearances
from tracker.cooperations import departures as party_departures
from tracker.cooperations import entries as cooperation_entries
from tracker.cooperations import keys as cooperation_keys
from tracker.cooperations import of_organisation as cooperations_of_organisation
from tracker.cooperations import queries as cooperation_queries
from tracker.cooperations import routes as cooperation_routes
from tracker.cooperations import service as cooperations
from tracker.cooperations.invitation_requests import pages as invitation_request_pages
from tracker.cooperations.invitation_requests import routes as invitation_request_routes
from tracker.cooperations.selection import routes as selection_routes
from tracker.cooperations.succession import routes as succession_routes
from tracker.core import clock, keys, paths
from tracker.core.db import db
from tracker.core.extensions import babel, csrf
from tracker.core.keys import Keys, WatchedFolder
from tracker.core.request_log import init_request_log
from tracker.core.security import init_security_headers, init_signing
from tracker.core.services import Services, give
from tracker.dashboard import my_work, tasks
from tracker.dashboard import routes as dashboard_routes
from tracker.evidence import routes as evidence_routes
from tracker.evidence.certificates import routes as certificate_routes
from tracker.evidence.certificates import service as certificates
from tracker.evidence.keys import signing_keys
from tracker.evidence.keys.signing_keys import KeyFolder
from tracker.evidence.log import checkpoints
from tracker.evidence.log.checkpoints import CheckpointSettings
from tracker.evidence.public_check import routes as verify_routes
from tracker.getting_started import routes as getting_started_routes
from tracker.guidance import own as own_guidance
from tracker.guidance import routes as guidance_routes
from tracker.help import routes as help_routes
from tracker.help.pages import init_help
from tracker.lifecycle import bound as lifecycle_bound
from tracker.lifecycle import queries as lifecycle_queries
from tracker.lifecycle import routes as lifecycle_routes
from tracker.lifecycle import service as lifecycle
from tracker.mail import routes as mail_routes
from tracker.notifications import routes as notification_routes
from tracker.notifications import service as notifications
from tracker.organisations import page_parts
from tracker.organisations import routes as organisation_routes
from tracker.oversight import entries as register_entries
from tracker.oversight import policy as oversight
from tracker.oversight import routes as oversight_routes
from tracker.oversight.undertaking_register import policy as undertaking_register
from tracker.oversight.undertaking_register import routes as undertaking_register_routes
from tracker.reviews import pages as review_pages
from tracker.reviews import queries as review_queries
from tracker.reviews import routes as review_routes
from tracker.reviews import service as reviews
from tracker.settings import Settings, SettingsError
from tracker.signoff import queries as signoff_queries
from tracker.signoff import routes as power_routes
from tracker.signoff import settings as signing_settings
from tracker.signoff.settings import SigningSettings
from tracker.ui import errors, malware, navigation
from tracker.ui import routes as ui_routes
from tracker.ui.addresses import init_addresses
from tracker.ui.assets import init_assets
from tracker.ui.compression import init_compression
from tracker.ui.errors import Application, register_error_pages
from tracker.ui.gallery import register_gallery
from tracker.ui.locale import init_locale, select_language
from tracker.ui.navigation import Entry, everybody, init_frame, register_navigation
from tracker.ui.uploads import init_uploads
from tracker.undertakings import adding as undertaking_interests
from tracker.undertakings import clearing_states
from tracker.undertakings import handlers as undertakings
from tracker.undertakings import pages as undertaking_pages
from tracker.undertakings import queries as undertaking_queries
from tracker.undertakings import routes as undertaking_routes
from tracker.undertakings import scope as undertaking_scope
from tracker.undertakings.in_presence import routes as undertaking_presence_routes
from tracker.undertakings.paper import routes as undertaking_paper_routes
from tracker.undertakings.together import routes as undertakings_together_routes
from tracker.visits import bars as visit_bars
from tracker.visits import own_part
from tracker.visits import pages as visit_pages
from tracker.visits import queries as visit_queries
from tracker.visits import routes as visit_routes
from tracker.visits import service as visits
from tracker.visits import team as visit_team
from tracker.worker import failures as worker_failures
from tracker.worker import routes as running_routes

# How many statements stay compiled: tests send more kinds than the pages that people open (adr 51).
_MOST_COMPILED, _MOST_COMPILED_IN_TESTS = 150, 500

MODELS = (
    "tracker.activity.models",
    "tracker.activity.stale_models",
    "tracker.mail.models",
    "tracker.notifications.models",
    "tracker.organisations.models",
    "tracker.accounts.models",
    "tracker.guidance.models",
    "tracker.signoff.models",
    "tracker.signoff.paper_models",
    "tracker.cooperations.models",
    "tracker.cooperations.selection.models",
    "tracker.cooperations.invitation_requests.models",
    "tracker.checklists.models",
    "tracker.authoring.models",
    "tracker.comments.models",
    "tracker.undertakings.models",
    "tracker.closing.models",
    "tracker.visits.models",
    "tracker.reviews.models",
    "tracker.evidence.models",
    "tracker.oversight.models",
    "tracker.worker.models",
)

# Event handlers, in the order they run, in the transaction of the event.
FOLLOWS: dict[Verb, tuple[Handler, ...]] = {
    verbs.INVITATION_ACCEPTED: (
        cooperations.follow_invitation,
        outside_reading.follow_invitation,
    ),
    verbs.ORGANISATION_CHANGED: (
        checklists.follow_organisation,
        undertaking_interests.follow_organisation,
    ),
    verbs.PERSON_SUSPENDED: (
        cooperations.follow_departure,
        checklists.follow_person,
        undertakings.follow_suspension,
        undertakings.follow_decider,
        lifecycle.follow_person,
        visit_team.follow_person,
        visits.follow_person,
    ),
    verbs.PERSON_RESTORED: (
        checklists.follow_person,
        undertakings.follow_suspension,
        lifecycle.follow_person,
        visit_team.follow_person,
        visits.follow_person,
    ),
    verbs.ROLE_ENDED: (
        people_service.follow_last_role,
        cooperations.follow_departure,
        undertakings.follow_decider,
        checklists.follow_person,
        lifecycle.follow_person,
        visit_team.follow_person,
        visits.follow_person,
    ),
    verbs.POWER_RAN_OUT: (undertakings.follow_decider,),
    verbs.COOPERATION_CHANGED: (checklists.follow, lifecycle.follow),
    verbs.MODES_CHANGED: (checklists.follow_modes, lifecycle.follow_modes, visits.follow),
    verbs.OUTSIDE_BODY_REMOVED: (checklists.follow, lifecycle.follow, visits.follow),
    verbs.PARTY_JOINED: (
        lifecycle.follow_party,
        undertakings.follow_people,
        visit_team.follow_people,
        visits.follow,
    ),
    verbs.PARTY_JOINING: (visits.follow,),
    verbs.JOINING_TAKEN_BACK: (
        checklist_joining.follow_taking_back,
        undertakings.follow_people,
        lifecycle.follow,
        visit_team.follow_people,
        visits.follow,
    ),
    # What extends beyond a party's last day is checked when that day becomes known, and on the day
    # itself.
    verbs.PARTY_LEAVING: (visits.follow,),
    verbs.PARTY_STAYS: (visits.follow,),
    verbs.PARTY_LEFT: (
        checklist_departures.follow_departure,
        checklists.follow,
        undertakings.follow_people,
        lifecycle.follow,
        visit_team.follow_people,
        visits.follow,
    ),
    verbs.PARTY_REPLACED: (
        checklist_successions.follow_replacement,
        checklists.follow,
        undertakings.follow_people,
        lifecycle.follow,
        visit_team.follow_people,
        visits.follow,
    ),
    verbs.PERSON_JOINED: (
        checklists.follow,
        undertakings.follow_people,
        undertaking_interests.follow_person,
        lifecycle.follow,
        visit_team.follow_people,
        visits.follow,
    ),
    verbs.PERSON_LEFT: (
        checklists.follow_leaving,
        comments.follow_leaving,
        checklists.follow,
        undertakings.follow_people,
        lifecycle.follow,
        visit_team.follow_people,
        visits.follow,
        closing.follow_departure,
    ),
    verbs.ANSWER_SAVED: (
        undertakings.follow_list,
        lifecycle.follow_answer,
        visit_team.follow_answer,
        visit_bars.follow_answer,
        visits.follow_draft,
    ),
    verbs.ANSWERS_COPIED: (
        lifecycle.follow_answer,
        visit_bars.follow_answer,
        visits.follow_draft,
    ),
    verbs.MODEL_TEXT_USED: (
        lifecycle.follow_answer,
        visit_bars.follow_answer,
        visits.follow_draft,
    ),
    verbs.OWN_MODEL_TEXT_USED: (
        lifecycle.follow_answer,
        visit_bars.follow_answer,
        visits.follow_draft,
    ),
    verbs.COPIES_READ: (lifecycle.follow_answer, visits.follow_draft),
    verbs.ITEMS_ACCEPTED: (lifecycle.follow_answer, visits.follow_draft),
    verbs.ACCEPTANCE_UNDONE: (lifecycle.follow_answer, visits.follow_draft),
    verbs.POSITION_TAKEN: (lifecycle.follow_answer, visits.follow_draft),
    verbs.PROPOSAL_MADE: (lifecycle.follow_answer, visits.follow_draft),
    verbs.PROPOSAL_ACCEPTED: (
        lifecycle.follow_answer,
        visit_bars.follow_answer,
        visits.follow_draft,
    ),
    verbs.PROPOSAL_TURNED_DOWN: (lifecycle.follow_answer, visits.follow_draft),
    verbs.FLAG_RAISED: (lifecycle.follow_answer,),
    verbs.FLAG_CLOSED: (lifecycle.follow_answer,),
    verbs.HINT_ANSWERED: (lifecycle.follow_answer,),
    verbs.SAFEGUARDS_REVIEWED: (lifecycle.follow_answer,),
    verbs.AMENDMENT_OPENED: (lifecycle.follow_reopened, lifecycle.follow, visits.follow),
    verbs.AMENDMENT_CALLED_OFF: (
        outside_reading.follow_frozen,
        lifecycle.follow_answer,
        lifecycle.follow,
        visits.follow,
    ),
    verbs.CHECKLIST_MOVED: (lifecycle.follow_answer, visits.follow_draft),
    verbs.SENT_FOR_SIGNATURE: (
        outside_reading.follow_frozen,
        lifecycle.follow,
        visits.follow,
    ),
    verbs.FORMER_AGREEMENT_RECORDED: (
        outside_reading.follow_frozen,
        lifecycle.follow,
        visits.follow,
    ),
    verbs.SIGNATURE_REQUEST_WITHDRAWN: (
        lifecycle.follow_reopened,
        lifecycle.follow,
        visits.follow,
    ),
    verbs.DECLINED: (lifecycle.follow_reopened, lifecycle.follow, visits.follow),
    verbs.SIGNATURE_REQUEST_EXPIRED: (
        lifecycle.follow_reopened,
        lifecycle.follow,
        visits.follow,
    ),
    verbs.NOTICE_GIVEN: (reviews.follow_notice,),
    verbs.TEXT_SUSPENDED: (
        checklists.follow_text,
        undertakings.follow_stop,
        lifecycle.follow_stop,
        reviews.follow_stop,
        visits.follow,
    ),
    verbs.TEXT_ENDED: (
        checklist_joining.follow_end,
        checklists.follow_text,
        undertakings.follow_stop,
        lifecycle.follow_stop,
        reviews.follow_stop,
        visits.follow,
    ),
    # The cooperation's stage comes first: while it is suspended nobody is asked.
    verbs.SUSPENSION_LIFTED: (
        checklists.follow_text,
        lifecycle.follow_lift,
        undertakings.follow_lift,
        visits.follow,
    ),
    verbs.TEXT_RENEWED: (undertakings.follow_lift, lifecycle.follow_renewal),
    # New parties come first: who is asked for an undertaking depends on them.
    verbs.CAME_INTO_FORCE: (
        checklist_joining.follow_force,
        checklists.follow_text,
        undertakings.follow_terms,
        undertaking_interests.follow_terms,
        lifecycle.follow_force,
        reviews.follow_force,
        visits.follow,
    ),
    verbs.CLEARANCE_CLOSED: (undertakings.follow_clearance, visits.follow),
    verbs.ROLE_GIVEN: (
        checklists.follow_person,
        lifecycle.follow_person,
        visit_team.follow_person,
        visits.follow_person,
    ),
    verbs.ROLE_CONFIRMED: (
        checklists.follow_person,
        lifecycle.follow_person,
        visit_team.follow_person,
        visits.follow_person,
    ),
    verbs.ROLE_ACCEPTED: (
        cooperations.tell_of_power,
        checklists.follow_person,
        lifecycle.follow_person,
        visit_team.follow_person,
        visits.follow_person,
    ),
    verbs.CLEARANCE_OPENED: (visits.follow,),
    verbs.STAGE_CHANGED: (
        party_departures.follow_stage,
        checklist_joining.follow_stage,
        checklists.follow_stage,
        closing.follow_stage,
        reviews.follow_stage,
        visits.follow,
    ),
    verbs.UNDERTAKING_SIGNED: (visits.follow,),
    verbs.INTEREST_ADDED: (visit_bars.follow, visits.follow),
    verbs.INTERESTS_DECIDED: (visit_bars.follow, visits.follow),
    verbs.VISIT_PLANNED: (visit_bars.follow,),
    verbs.VISIT_CHANGED: (visit_bars.follow,),
    verbs.UNDERTAKING_COUNTERSIGNED: (closing.follow_clearance, visits.follow),
    verbs.UNDERTAKING_CLOSED: (closing.follow_undertaking, visits.follow),
}

# Verbs that may change an agreement's entry in the register.
FOLLOWS_FOR_THE_REGISTER = (
    verbs.COOPERATION_OPENED,
    verbs.COOPERATION_CHANGED,
    verbs.PARTY_JOINED,
    verbs.PARTY_JOINING,
    verbs.JOINING_TAKEN_BACK,
    verbs.PARTY_LEAVING,
    verbs.PARTY_STAYS,
    verbs.PARTY_LEFT,
    verbs.PARTY_REPLACED,
    verbs.CHECKLIST_STARTED,
    verbs.AMENDMENT_OPENED,
    verbs.AMENDMENT_CALLED_OFF,
    verbs.SENT_FOR_SIGNATURE,
    verbs.FORMER_AGREEMENT_RECORDED,
    verbs.SIGNATURE_REQUEST_WITHDRAWN,
    verbs.SIGNATURE_REQUEST_EXPIRED,
    verbs.DECLINED,
    verbs.FLAG_RAISED,
    verbs.FLAG_CLOSED,
    verbs.CAME_INTO_FORCE,
    verbs.NOTICE_GIVEN,
    verbs.NOTICE_TAKEN_BACK,
    verbs.REVIEW_CONCLUDED,
    verbs.TEXT_SUSPENDED,
    verbs.TEXT_ENDED,
    verbs.SUSPENSION_LIFTED,
    verbs.TEXT_RENEWED,
    verbs.GATE_OVERRIDDEN,
    verbs.VISIT_STOPPED,
)
for _verb in FOLLOWS_FOR_THE_REGISTER:
    FOLLOWS[_verb] = (*FOLLOWS.get(_verb, ()), register_entries.follow)

# Verbs that may change a cooperation's entry in the list of cooperations; first, since other
# handlers may find cooperations by it.
FOLLOWS_FOR_THE_LIST = (
    verbs.COOPERATION_OPENED,
    verbs.COOPERATION_CHANGED,
    verbs.PARTY_JOINED,
    verbs.PARTY_JOINING,
    verbs.JOINING_TAKEN_BACK,
    verbs.PARTY_LEAVING,
    verbs.PARTY_STAYS,
    verbs.PARTY_LEFT,
    verbs.PARTY_REPLACED,
)
for _verb in FOLLOWS_FOR_THE_LIST:
    FOLLOWS[_verb] = (cooperation_entries.follow, *FOLLOWS.get(_verb, ()))
# Verbs by which a notice that hasn't been applied yet is given, applied, withdrawn or replaced.
FOLLOWS_FOR_NOTICES_IN_THE_LIST = (
    verbs.NOTICE_GIVEN,
    verbs.NOTICE_TAKEN_BACK,
    verbs.TEXT_SUSPENDED,
    verbs.TEXT_ENDED,
    verbs.SUSPENSION_LIFTED,
    verbs.CAME_INTO_FORCE,
)
for _verb in FOLLOWS_FOR_NOTICES_IN_THE_LIST:
    FOLLOWS[_verb] = (cooperation_entries.follow_notices, *FOLLOWS.get(_verb, ()))
FOLLOWS[verbs.STAGE_CHANGED] = (
    cooperation_entries.follow_stage,
    *FOLLOWS[verbs.STAGE_CHANGED],
)

# Verbs on a person's account, which go to the security log as well.
for _verb in security_log.OF_VERBS:
    FOLLOWS[_verb] = (*FOLLOWS.get(_verb, ()), security_log.follow)

# Whoever acts by a role that no event binds is refused, before anything follows from the act.
for _verb in account_bound.ACTS:
    FOLLOWS[_verb] = (account_bound.follow_act, *FOLLOWS.get(_verb, ()))
FOLLOWS[verbs.ANSWER_SAVED] = (account_bound.follow_answer, *FOLLOWS[verbs.ANSWER_SAVED])

# Functions that recompute what an event made stale, once, just before the commit.
RECOMPUTATIONS: dict[Stale, Recomputation] = {
    Stale.TEAM: visit_team.bring_up_to_date,
    Stale.CHECKLIST: assignments.recount,
    Stale.CLEARANCES: undertakings.bring_up_to_date,
    Stale.BARS: visit_bars.work_out,
    Stale.VISIT: visits.recheck,
    Stale.COOPERATION: lifecycle.advance,
    Stale.REGISTER: register_entries.refresh,
}

# The conditions under which a person sees an event of a cooperation: all of them must allow it.
SEEN: tuple[Seen, ...] = (
    undertaking_scope.events_seen,
    closing_queries.events_seen,
    visit_queries.events_seen,
)

# Sources of tasks: for a person (My work), and for a cooperation (its page).
TASK_SOURCES: tuple[tasks.Source, ...] = (
    account_pages.my_tasks,
    invitation_request_pages.my_tasks,
    my_work.checklist_tasks,
    paper_pages.my_tasks,
    reading_pages.my_tasks,
    checklist_work.assigned,
    checklist_work.drafts_begun,
    comment_pages.my_tasks,
    undertaking_pages.my_tasks,
    closing_pages.my_tasks,
    visit_pages.my_tasks,
    authoring_work.shipped_texts,
)
GROUP_SOURCES: tuple[tasks.GroupSource, ...] = (
    undertaking_pages.cooperation_tasks,
    closing_pages.cooperation_tasks,
    visit_pages.cooperation_tasks,
    review_pages.cooperation_tasks,
)


def acts_for_an_organisation(actor: Actor | None) -> bool:
    """Show an entry to people who are acting for an organisation."""
    return actor is not None and actor.organisation_id is not None


def looks_after_people(actor: Actor | None) -> bool:
    """Show an entry to people who may see the list of people."""
    return actor is not None and bool(can_see_people(actor))


def sees_the_register(actor: Actor | None) -> bool:
    """Show an entry to managers and auditors."""
    return actor is not None and bool(oversight.can_see_register(actor))


def sees_undertakings_alone(actor: Actor | None) -> bool:
    """Show an entry to an NPM's coordinators, who see no other register."""
    return (
        actor is not None
        and not oversight.can_see_register(actor)
        and bool(undertaking_register.can_see_undertakings(actor))
    )


def writes_own_guidance(actor: Actor | None) -> bool:
    """Show an entry to people who write their organisation's own guidance."""
    return actor is not None and bool(authoring.can_write_own(actor))


def administers(actor: Actor | None) -> bool:
    """Show an entry to administrators."""
    return actor is not None and actor.is_administrator


# Blueprints and single pages that belong to the entry *Cooperations* as well.
COOPERATION_PAGES = frozenset(
    {
        "assignments",
        "beginning",
        "checklists",
        "closing",
        "comments",
        "copying",
        "dashboard.cooperation",
        "dashboard.history",
        "departures",
        "ending",
        "history",
        "invitation_requests.make",
        "joining",
        "keeping",
        "lifecycle",
        "model_answers",
        "moving",
        "own_texts",
        "paper",
        "positions",
        "readings.ask",
        "readings.take_back",
        "requests",
        "reviews",
        "safeguards",
        "selection",
        "signing",
        "together",
        "undertaking_paper",
        "undertaking_presence",
        "undertakings",
        "undertakings_together",
        "visits",
    }
)
# A person's own undertakings belong to *My work*.
OWN_PAGES = frozenset(
    {
        "closing.confirm",
        "getting_started.settings",
        "readings.answer_hint",
        "readings.flag",
        "readings.show",
        "undertakings.add_interest",
        "undertakings.mine",
        "undertakings.show",
        "undertakings.sign",
        "undertakings.terms",
        "undertakings.withdraw",
    }
)

# The modules whose blueprints are registered.
ROUTES = (
    ui_routes,
    account_routes,
    people_routes,
    security_log_routes,
    power_routes,
    organisation_routes,
    mail_routes,
    notification_routes,
    getting_started_routes,
    guidance_routes,
    help_routes,
    cooperation_routes,
    succession_routes,
    selection_routes,
    invitation_request_routes,
    recorded_selection_routes,
    checklist_routes,
    position_routes,
    draft_routes,
    history_routes,
    safeguard_routes,
    reading_routes,
    accepting_routes,
    signing_routes,
    together_routes,
    keeping_routes,
    paper_routes,
    request_routes,
    notice_routes,
    departure_routes,
    joining_routes,
    template_upgrade_routes,
    assignment_routes,
    beginning_routes,
    deciding_routes,
    copying_routes,
    model_answer_routes,
    own_text_routes,
    comment_routes,
    authoring_routes,
    checklist_item_routes,
    guidance_editing_routes,
    passage_routes,
    model_text_routes,
    own_routes,
    own_passage_routes,
    words_routes,
    item_words_routes,
    undertaking_routes,
    undertakings_together_routes,
    undertaking_paper_routes,
    undertaking_presence_routes,
    closing_routes,
    lifecycle_routes,
    visit_routes,
    review_routes,
    evidence_routes,
    certificate_routes,
    verify_routes,
    oversight_routes,
    undertaking_register_routes,
    dashboard_routes,
    running_routes,
)
# The main navigation: page, label, who sees it.
NAVIGATION = (
    Entry("dashboard.my_work", _l("My work"), parts=OWN_PAGES),
    Entry("cooperations.index", _l("Cooperations"), acts_for_an_organisation, COOPERATION_PAGES),
    Entry(
        "oversight.register",
        _l("Register"),
        sees_the_register,
        frozenset({"undertaking_register", "evidence"}),
    ),
    Entry("undertaking_register.show", _l("Undertakings"), sees_undertakings_alone),
    Entry("guidance.library", _l("Guidance"), everybody, frozenset({"own_guidance.article"})),
    Entry(
        "own_guidance.articles",
        _l("Our guidance"),
        writes_own_guidance,
        frozenset({"own_passages"}),
    ),
    Entry(
        "people.listed",
        _l("People"),
        looks_after_people,
        frozenset({"security_log.listed", "invitation_requests.answer"}),
    ),
    Entry("organisations.listed", _l("Organisations"), administers),
    Entry("authoring.versions", _l("Checklists"), administers),
    Entry("guidance_editing.articles", _l("Guidance texts"), administers),
    Entry(
        "mail.messages",
        _l("Mail"),
        administers,
        frozenset({"getting_started.mail", "getting_started.mail_arrived"}),
    ),
)


def build_app(settings: Settings | None = None, *, may_create: bool = True) -> Flask:
    """Return the application; raise SettingsError or KeysError if it can't start.

    The folder and keys of a new instance are created only if may_create allows it.
    """
    settings = settings or Settings.from_environment()
    app = Application(
        "tracker",
        root_path=str(paths.PACKAGE),
        template_folder=str(paths.TEMPLATES),
        static_folder=str(paths.STATIC),
        static_url_path="/static",
    )
    app.extensions["settings"] = settings
    init_compression(app)
    _configure(app, settings, may_create=may_create)
    db.init_app(app)
    init_uploads(app)
    init_addresses(app)
    csrf.init_app(app)
    sign_in.init_sign_in(app)
    init_gate(app, _load_actor, _turn_away)
    init_page_organisation(app)
    sign_in.init_second_factor(app)
    _add_template_context(app)
    app.cli = Commands(app.name)
    return app


def services_of(settings: Settings, ring: Keys) -> Services:
    """Return the services of an application: keys, settings, and functions of higher packages."""
    host = urlsplit(settings.base_url).hostname or ""
    roles = frozenset(settings.second_factor_roles)
    return Services.of(
        keys.KEYS.holding(WatchedFolder(settings.data_dir / "keys", ring)),
        signing_keys.KEY_FOLDER.holding(KeyFolder(settings.data_dir / "keys" / "evidence", host)),
        clock.ZONE.holding(ZoneInfo(settings.timezone)),
        checkpoints.SETTINGS.holding(
            CheckpointSettings(settings.base_url, dt.timedelta(minutes=settings.checkpoint_minutes))
        ),
        signing_settings.SIGNING_SETTINGS.holding(
            SigningSettings(four_eyes=settings.four_eyes, days=settings.signature_days)
        ),
        credentials.COMPULSORY_ROLES.holding(roles),
        reading.GUARD.holding(sign_in.second_factor_to_set_up),
        reading.MAY_OPEN.holding(own_part.still_opens),
        origins.ORIGIN_READER.holding(session_cookies.origin),
        navigation.UNREAD.holding(sign_in.unread_notifications),
        notifications.CONTACTS.holding(account_queries.contacts),
        sessions.LASTS.holding(dt.timedelta(hours=settings.session_hours)),
        risky_phrases.LANGUAGES.holding(settings.languages),
        risky_phrases.SEARCHED.holding(risky_phrases.Searched()),
        trail.HANDLERS.holding(FOLLOWS),
        trail_queries.SEEN.holding(SEEN),
        stale.RECOMPUTATIONS.holding(RECOMPUTATIONS),
        binding.KEY_READER.holding(cooperation_keys.rows_key_of),
        tasks.SOURCES.holding(TASK_SOURCES),
        tasks.GROUP_SOURCES.holding(GROUP_SOURCES),
        page_parts.PEOPLE.holding(people_pages.page),
        page_parts.COOPERATIONS.holding(cooperations_of_organisation.newest),
        page_parts.IS_PARTNER.holding(cooperations_of_organisation.is_partner),
        page_parts.NOBODY_ACTS.holding(people_pages.nobody_acts),
        page_parts.WITHOUT_COORDINATOR.holding(coordinators.without_coordinator),
        page_parts.REQUESTS.holding(invitation_request_pages.links),
        account_queries.OUTSIDE_READERS.holding(outside_readings.may_come_in),
        beside.VISIT_READER.holding(visit_queries.facts),
        clearances.NOTICES_STOP.holding(checklist_queries.notices_stop),
        clearances.FIRST_STOP.holding(checklist_queries.first_stop),
        clearances.STOPPED_BY.holding(checklist_queries.stopped_by),
        clearances.RENEWS_ITSELF.holding(renewal.goes_on_after_its_term),
        beside.GOING_ON.holding(visit_queries.text_goes_on),
        beside.VISIT_NUMBER.holding(visit_queries.number_of_text),
        beside.COMMENT_READER.holding(comment_queries.beside),
        beside.CLEARANCE_READER.holding(clearing_states.words_beside),
        cooperation_queries.AGREEING_READER.holding(lifecycle_bound.agreeing),
        cooperation_queries.AS_RECORDED_READER.holding(lifecycle_bound.is_as_recorded_with_people),
        cooperation_queries.STOP_READER.holding(checklist_queries.terms_stopped),
        cooperation_entries.NOTICE_DAYS_READER.holding(checklist_queries.notice_days),
        cooperation_queries.TERMS_READER.holding(lifecycle_queries.terms_state),
        lifecycle_queries.END_READER.holding(review_queries.end_decided),
        beside.TEXT_READER.holding(agreement_evidence.on_pages),
        beside.OWN_GUIDANCE_READER.holding(own_queries.beside),
        own_guidance.OWN_READER.holding(own_queries.in_library),
        signoff_queries.CERTIFICATE_READER.holding(certificates.marks),
        undertaking_queries.VISIT_READER.holding(visit_queries.still_to_come),
        malware.COMMAND.holding(settings.malware_command),
        malware.FAILURE_RECORDER.holding(worker_failures.note_malware_command),
    )


def _load_actor() -> Actor | None:
    """Return the actor of a request, with the clearances that are open today."""
    return sign_in.load_actor(clearances.open_clearances)


def _turn_away() -> Response:
    """Redirect to the sign-in page; text typed on a checklist is saved for its author."""
    turned_away = sign_in.turn_away()
    return draft_routes.turn_away() or turned_away


def _form_was_sent_late(_error: CSRFError) -> Response:
    """Respond to a form whose CSRF token is not the session's, without losing what was typed."""
    return draft_routes.form_was_sent_late() or errors.session_ended()


def _add_template_context(app: Flask) -> None:
    """Add the context that every page needs."""
    babel.init_app(app, locale_selector=select_language)
    init_locale(app, sign_in.profile_language)
    init_assets(app)
    init_frame(app)
    init_help(app)
    register_navigation(
        app,
        NAVIGATION,
        home="dashboard.my_work",
        sign_in="security.login",
        sign_out="security.logout",
        check="verification.verify",
        help="help.mine",
    )
    init_signing(app)
    init_security_headers(app)
    register_error_pages(app)
    app.register_error_handler(CSRFError, _form_was_sent_late)
    register_gallery(app)
    for routes in ROUTES:
        app.register_blueprint(routes.blueprint)


def _require_owner(folder: Path) -> None:
    """Raise SettingsError if an existing folder belongs to another user.

    Root, for example, could write there, and leave keys and files that their owner can't read.
    """
    owner = folder.stat().st_uid if folder.exists() else os.geteuid()
    if owner != os.geteuid():
        name = _name_of(owner)
        message = f"{folder} belongs to {name}. Run this as {name}, with the settings of {name}."
        raise SettingsError(message)


def _name_of(user_id: int) -> str:
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return f"user {user_id}"


def _configure(app: Flask, settings: Settings, *, may_create: bool) -> None:
    if may_create:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    elif settings.database_file is not None and not settings.database_is_there:
        message = (
            f"there is no database {settings.database_file}. tracker run creates it; "
            "TRACKER_DATA_DIR and TRACKER_DATABASE_URL say where it is."
        )
        raise SettingsError(message)
    _require_owner(settings.data_dir)
    new = may_create and not settings.database_is_there
    ring = keys.load(settings.data_dir / "keys", may_make=new)
    give(app, services_of(settings, ring))
    if settings.trusted_proxies:
        # Only this many proxies are trusted to name the client; anybody else could forge the
        # header. The base URL says whether it is https.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # Flask's own way
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0
        )
    init_request_log(app)
    if settings.secure:
        app.debug = False  # Flask reads FLASK_DEBUG, which opens pages for developers
    app.config.update(
        SECRET_KEY=settings.secret_key or ring.secret.hex(),
        TRUSTED_HOSTS=settings.own_hosts,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        # Logs contain no content: database errors are logged without their parameters. The
        # connection used last is used next, so that only as many connections as are needed at a
        # time keep SQLite's statements and pages in memory. Only in tests does SQLAlchemy look for
        # tables that a statement doesn't join, since what it needs for that stays in memory.
        SQLALCHEMY_ENGINE_OPTIONS={
            "hide_parameters": True,
            "pool_use_lifo": True,
            "enable_from_linting": settings.testing,
            "query_cache_size": _MOST_COMPILED_IN_TESTS if settings.testing else _MOST_COMPILED,
        },
        TESTING=settings.testing,
        MAX_CONTENT_LENGTH=settings.max_upload_bytes,
        # For form fields too: a letter outside ASCII is sent as six bytes or more.
        MAX_FORM_MEMORY_SIZE=settings.max_upload_bytes,
    )

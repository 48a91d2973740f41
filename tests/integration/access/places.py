"""Every URL of the application with values from the demonstration, and who opens it.

In one file: one table, which a guard compares with all URLs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask, current_app
from sqlalchemy.orm import selectinload
from werkzeug.routing import Rule

from tests import open_sessions
from tests.factories.demonstration import Demonstration
from tracker.access.actor import Role
from tracker.accounts import queries
from tracker.accounts.models import Membership, Passkey
from tracker.authoring.models import OwnArticle
from tracker.checklist_templates import library
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.loading import load
from tracker.checklists.models import (
    Checklist,
    Flag,
    ModelAnswer,
    Notice,
    OwnModelText,
    Proposal,
    ProposalState,
)
from tracker.checklists.negotiation import hints
from tracker.closing.models import MaterialReturn
from tracker.comments.models import Comment, CommentAudience
from tracker.cooperations.models import CooperationPerson
from tracker.core.db import db
from tracker.evidence.models import SignedCheckpoint
from tracker.getting_started import service as getting_started
from tracker.guidance.models import Article
from tracker.mail.models import OutboxMessage
from tracker.notifications.models import Notification
from tracker.undertakings.models import Undertaking

# Parts of rules that are numbers.
NUMBERS = frozenset({"before", "number", "passage_number", "revision", "size"})
UNKNOWN = "00000000-0000-4000-8000-000000000000"
ANYBODY = "nobody signed in"
# A page of samples that exists only in development and testing.
GALLERY = "gallery.show"

# Whom the columns of docs/permissions.md mean, for each cooperation: its own people, and those of
# organisations that aren't parties. A kind that it doesn't have is left out.
_EVERYWHERE = {
    ANYBODY: None,
    "administrator": "iris",
    "auditor": "greta",
    "other NPM": "vera",
    "NPM coordinator": "ilena",
    "NPM signatory": "tomas",
    "NPM manager": "milan",
    "NPM team lead": "pavo",
    "NPM member": "nadia",
}
KINDS: dict[str, dict[str, str | None]] = {
    "complete": {
        **_EVERYWHERE,
        "other CSO": "celia",
        "CSO coordinator": "samira",
        "CSO signatory": "henrik",
        "CSO expert, cleared": "leyla",
        "CSO member, not cleared": "dina",
    },
    "waiting": {
        **_EVERYWHERE,
        "other CSO": "samira",
        "CSO coordinator": "joana",
        "CSO signatory": "otto",
        "CSO member, not cleared": "leyla",
    },
    "differing": {
        **_EVERYWHERE,
        "other CSO": "joana",
        "CSO coordinator": "samira",
        "CSO signatory": "henrik",
        "CSO member, not cleared": "dina",
    },
}
COLUMNS = tuple(KINDS["complete"])


@dataclass(frozen=True, slots=True)
class Address:
    """One address: its rule, the object it is filled in with, and whose people the columns mean."""

    rule: str
    endpoint: str
    methods: tuple[str, ...]
    thing: str
    cooperation: str
    address: str


@dataclass(frozen=True, slots=True)
class Thing:
    """What fills in an address: in words, of which cooperation, and the values."""

    words: str
    values: dict[str, Any]
    cooperation: str = "complete"


def places(app: Flask, demonstration: Demonstration) -> list[Address]:
    """Return every address of the application, in the order of their rules; needs its context."""
    known = things(demonstration)
    urls = app.url_map.bind("localhost")
    return [
        Address(
            rule.rule,
            rule.endpoint,
            methods_of(rule),
            thing.words,
            thing.cooperation,
            urls.build(rule.endpoint, thing.values, methods_of(rule)[0]),
        )
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)
        if rule.endpoint != GALLERY
        for thing in things_of(rule, known)
    ]


def methods_of(rule: Rule) -> tuple[str, ...]:
    """Return the methods of a rule, reading before sending."""
    return tuple(sorted((rule.methods or set()) & {"GET", "POST"}))


def things_of(rule: Rule, known: dict[str, list[Thing]]) -> list[Thing]:
    """Return what a rule's parts are filled in with; fail for unknown parts."""
    if not rule.arguments:
        return [Thing("", {})]
    for name in (rule.endpoint, " ".join(sorted(rule.arguments))):
        if name in known:
            return known[name]
    message = f"Say in {__name__} what stands in {rule.rule} ({rule.endpoint})."
    raise LookupError(message)


def unknown_of(app: Flask) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield rule, address and methods of every rule with parts, filled in with unknown values."""
    urls = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if rule.arguments:
            values = {name: 999 if name in NUMBERS else UNKNOWN for name in rule.arguments}
            methods = methods_of(rule)
            yield rule.rule, urls.build(rule.endpoint, values, methods[0]), methods


def things(demonstration: Demonstration) -> dict[str, list[Thing]]:
    """Return the objects of the demonstration by endpoint or by the names of a rule's parts."""
    return {
        **_people(demonstration),
        **_cooperations(demonstration),
        **_checklists(demonstration),
        **_undertakings(demonstration),
        **_returns(demonstration),
        **_comments(demonstration),
        **_authoring(demonstration),
        **_guidance(demonstration),
        "filename": [Thing("a style sheet", {"filename": "css/base.css"})],
        "mail_token": [
            Thing(
                "the administrator's test email",
                {"mail_token": getting_started.token_for(demonstration.users["iris"])},
            )
        ],
        "help_page": [Thing("", {"help_page": "expert"})],
        "size": [Thing("", {"size": _size()})],
        "before size": [Thing("", {"before": _size(), "size": _size()})],
        "notification_id": [
            Thing("a coordinator's own", {"notification_id": _notification_of(demonstration)})
        ],
        "message_id": [Thing("", {"message_id": _first(sa.select(OutboxMessage.id))})],
        # Pages of the sign-in library that stay disabled.
        "security.two_factor_setup_validate": [Thing("", {"token": "x"})],
        "security.reset_password": [Thing("a link that is not valid", {"token": "x"})],
        **_answers(),
    }


def _notification_of(demonstration: Demonstration) -> UUID:
    own = Notification.user_id == demonstration.users["ilena"]
    notification_id: UUID = _first(sa.select(Notification.id).where(own))
    return notification_id


def _answers() -> dict[str, list[Thing]]:
    """Return where passkeys' responses are sent; what is sent here isn't one."""
    machine = current_app.extensions["security"].wan_serializer
    state = {"challenge": "x", "user_verification": True}
    tokens = {
        "register": machine.dumps({**state, "name": "Key", "usage": "first"}),
        "signin": machine.dumps(state),
        "verify": machine.dumps(state),
    }
    return {
        f"security.wan_{page}_response": [Thing("", {"token": token})]
        for page, token in tokens.items()
    }


def _people(demonstration: Demonstration) -> dict[str, list[Thing]]:
    user = demonstration.users["dina"]
    role = _first(
        sa.select(Membership.id).where(Membership.user_id == user, Membership.role == Role.MEMBER)
    )
    own = demonstration.organisations["od"]
    coordinator = demonstration.users["samira"]
    waits = sa.select(Membership.id).where(queries.waits())
    coordinator_role = _first(
        sa.select(Membership.id).where(
            Membership.user_id == coordinator, Membership.role == Role.COORDINATOR
        )
    )
    return {
        "organisation_id": [Thing("the CSO", {"organisation_id": own})],
        "organisations.add_kind": [Thing("", {"kind": "cso"})],
        "setting": [Thing("", {"setting": "TIMEZONE"})],
        "user_id": [Thing("a member of the CSO", {"user_id": user})],
        "user_id where": [Thing("a member of the CSO", {"user_id": user, "where": own})],
        "membership_id user_id": [
            Thing("a member of the CSO", {"user_id": user, "membership_id": role}),
            Thing(
                "the CSO's coordinator", {"user_id": coordinator, "membership_id": coordinator_role}
            ),
        ],
        "people.confirm_role": [
            Thing(
                "a role of the CSO that waits",
                {"user_id": user, "membership_id": _first(waits.where(Membership.user_id == user))},
            )
        ],
        "powers.accept": [
            Thing(
                "a role of the other NPM that waits",
                {
                    "membership_id": _first(
                        waits.where(Membership.user_id == demonstration.users["vera"])
                    )
                },
            )
        ],
        "where": [Thing("the CSO", {"where": own})],
        "passkey_id": [Thing("of a member of the CSO", {"passkey_id": _passkey_of(user)})],
        "session_id": [Thing("of a member of the CSO", {"session_id": open_sessions.id_of(user)})],
        "invitation_id": [Thing("to the CSO", {"invitation_id": demonstration.invitation})],
        "accounts.accept_invitation": [
            Thing("a link that is valid", {"token": demonstration.invitation_token})
        ],
    }


def _passkey_of(user: UUID) -> Any:
    return _first(sa.select(Passkey.id).where(Passkey.user_id == user))


def _cooperations(demonstration: Demonstration) -> dict[str, list[Thing]]:
    reference = demonstration.references["complete"]
    person = _first(
        sa.select(CooperationPerson.id).where(
            CooperationPerson.cooperation_id == demonstration.cooperations["complete"],
            CooperationPerson.user_id == demonstration.users["dina"],
        )
    )
    return {
        "reference": [Thing("", {"reference": reference})],
        "kind reference": [
            Thing(
                "a recommended urgent-action plan", {"reference": reference, "kind": "urgent_plan"}
            )
        ],
        "person_id reference": [
            Thing("a member of the CSO", {"reference": reference, "person_id": person})
        ],
        "body_id reference": [
            Thing("a body that is not listed", {"reference": reference, "body_id": UUID(int=7)})
        ],
        "number reference": [Thing("the ready visit", {"reference": reference, "number": 1})],
        "number reference user_id": [
            Thing(
                "the ready visit, somebody who has an account",
                {
                    "reference": reference,
                    "number": 1,
                    "user_id": demonstration.users["leyla"],
                },
            )
        ],
        "organisation_id reference": [
            Thing(
                "the CSO",
                {"reference": reference, "organisation_id": demonstration.organisations["od"]},
            )
        ],
        "invitation_request_id": [Thing("no such request", {"invitation_request_id": UUID(int=7)})],
        "invitation_request_id reference": [
            Thing("no such request", {"reference": reference, "invitation_request_id": UUID(int=7)})
        ],
        **{
            f"reviews.{page}": [Thing("no such review", {"reference": reference, "number": 1})]
            for page in ("show", "write", "confirm", "conclude", "call_off")
        },
    }


def _mark(checklist_id: UUID, code: str) -> str:
    """Return the key by which pages name an item's first words that may limit the NPM."""
    loaded = load(db.session.get_one(Checklist, checklist_id))
    return hints.on_item(loaded, loaded.item(code))[0].mark


def _checklists(demonstration: Demonstration) -> dict[str, list[Thing]]:
    checklists = demonstration.checklists
    draft = {"checklist_id": checklists["differing", "terms"]}
    waiting = {"checklist_id": checklists["waiting", "terms"]}
    terms = {"checklist_id": checklists["complete", "terms"]}
    roles = {"checklist_id": checklists["complete", "visit_roles"]}
    copied = {"checklist_id": checklists["copied", "terms"]}
    flag = _first(sa.select(Flag.id).where(Flag.closed_at.is_(None)))
    notice = _first(sa.select(Notice.id))
    proposal = _first(sa.select(Proposal.id).where(Proposal.state == ProposalState.OPEN))
    return {
        "checklist_id": [
            Thing("terms in draft", draft, "differing"),
            Thing("terms waiting for a signature", waiting, "waiting"),
            Thing("terms in force", terms),
            Thing("roles of the visit (K2)", roles),
        ],
        "checklist_id code": [
            Thing("terms in draft", draft | {"code": "M18"}, "differing"),
            Thing("terms in force", terms | {"code": "M18"}),
            Thing("roles of the visit (K2)", roles | {"code": "V5"}),
        ],
        "checklist_id user_id": [
            Thing(
                "the CSO's signatory, of terms waiting for a signature",
                waiting | {"user_id": demonstration.users["otto"]},
                "waiting",
            )
        ],
        "checklist_id notice_id": [
            Thing("terms in force, the CSO's notice", terms | {"notice_id": notice})
        ],
        "checklist_id flag_id": [Thing("terms in draft", draft | {"flag_id": flag}, "differing")],
        "checklist_id code mark": [
            Thing(
                "terms in draft, the NPM's words",
                draft | {"code": "M18", "mark": _mark(draft["checklist_id"], "M18")},
                "differing",
            )
        ],
        "checklist_id proposal_id": [
            Thing("terms in draft, the CSO's", draft | {"proposal_id": proposal}, "differing")
        ],
        "checklist_id number": [
            Thing("terms in force", terms | {"number": 1}),
            Thing("roles of the visit (K2)", roles | {"number": 1}),
        ],
        "checklist_id language number": [
            Thing("terms in force", terms | {"number": 1, "language": "en"}),
            Thing("roles of the visit (K2)", roles | {"number": 1, "language": "en"}),
        ],
        "checklist_id former_id": [
            Thing("terms of the same parties", {**copied, "former_id": terms["checklist_id"]})
        ],
        "checklist_id record_id": [
            Thing(
                "a scan that was withdrawn", waiting | {"record_id": demonstration.paper}, "waiting"
            )
        ],
        "reading_id": [Thing("nobody from outside is asked", {"reading_id": UNKNOWN})],
        "code reading_id": [Thing("", {"reading_id": UNKNOWN, "code": "M5"})],
        "code mark reading_id": [
            Thing("", {"reading_id": UNKNOWN, "code": "M5", "mark": "0" * 64})
        ],
        "model_id": [
            Thing("the NPM's", {"model_id": _model(demonstration, "npm")}),
            Thing("the CSO's", {"model_id": _model(demonstration, "od")}),
        ],
        "own_text_id": [Thing("the NPM's", {"own_text_id": _first(sa.select(OwnModelText.id))})],
        "checklists.template": [Thing("", {"kind": "terms"})],
    }


def _model(demonstration: Demonstration, body: str) -> Any:
    owner = ModelAnswer.organisation_id == demonstration.organisations[body]
    return _first(sa.select(ModelAnswer.id).where(owner))


def _undertakings(demonstration: Demonstration) -> dict[str, list[Thing]]:
    reference = {"reference": demonstration.references["complete"]}
    waiting, signed = (
        {
            "undertaking_id": _first(
                sa.select(Undertaking.id).where(
                    Undertaking.user_id == demonstration.users[key],
                    Undertaking.cooperation_id == demonstration.cooperations["complete"],
                )
            )
        }
        for key in ("dina", "leyla")
    )
    return {
        "undertaking_id": [
            Thing("asked of the member", waiting),
            Thing("countersigned, of the expert", signed),
        ],
        # Nobody here signs on paper; undertakings/paper tests who opens a scan.
        "reference undertaking_id": [
            Thing("asked of the member", reference | waiting),
            Thing("countersigned, of the expert", reference | signed),
        ],
        # The demonstration has none: undertakings/test_added_pages.py tests who opens it.
        "interest_id reference undertaking_id": [
            Thing("an interest never added", reference | signed | {"interest_id": UNKNOWN}),
        ],
        "language undertaking_id": [
            Thing("countersigned, of the expert", signed | {"language": "en"}),
        ],
    }


def _returns(demonstration: Demonstration) -> dict[str, list[Thing]]:
    """Return the request to the interpreter to confirm what became of copies."""
    request = {"return_id": _first(sa.select(MaterialReturn.id))}
    reference = {"reference": demonstration.references["complete"]}
    return {
        "return_id": [Thing("asked of the interpreter", request)],
        "reference return_id": [Thing("asked of the interpreter", reference | request)],
    }


def _comments(demonstration: Demonstration) -> dict[str, list[Thing]]:
    """Return comments on the terms in draft.

    Pages only for authors are requested by others, since an author may edit only for some time.
    """

    def first(item: str, audience: CommentAudience) -> dict[str, Any]:
        wanted = sa.select(Comment.id).where(Comment.item == item, Comment.audience == audience)
        return {"comment_id": _first(wanted)}

    to_all = Thing("to all parties, a CSO's", first("M18", CommentAudience.ALL), "differing")
    settled = Thing("to all parties, settled", first("M12", CommentAudience.ALL), "differing")
    own = Thing("own side only, the NPM's", first("M18", CommentAudience.OWN), "differing")
    return {
        "comment_id": [to_all, settled, own],
        "comments.edit": [to_all],
        "comments.withdraw": [to_all],
    }


def _authoring(demonstration: Demonstration) -> dict[str, list[Thing]]:
    draft = {"draft_id": demonstration.template_draft}
    newest = library.newest(ChecklistKind.TERMS)
    tried = {"text_id": newest.id}
    return {
        "kind number": [
            Thing("the newest terms", {"kind": newest.kind.value, "number": newest.version})
        ],
        "kind language number": [
            Thing(
                "Arabic words of the newest terms",
                {"kind": newest.kind.value, "number": newest.version, "language": "ar"},
            )
        ],
        "code kind number": [
            Thing(
                "an item of the newest terms",
                {"kind": newest.kind.value, "number": newest.version, "code": "M18"},
            )
        ],
        "code kind language number": [
            Thing(
                "Arabic words of an item of the newest terms",
                {
                    "kind": newest.kind.value,
                    "number": newest.version,
                    "language": "ar",
                    "code": "M18",
                },
            )
        ],
        "kind language": [
            Thing("the model text of the terms", {"kind": newest.kind.value, "language": "en"})
        ],
        "code kind language": [
            Thing(
                "the model text of an item of the terms",
                {"kind": newest.kind.value, "language": "en", "code": "M18"},
            )
        ],
        "draft_id": [Thing("of changed terms", draft)],
        "code draft_id": [Thing("an item of changed terms", draft | {"code": "M18"})],
        "text_id": [Thing("the newest terms", tried)],
        "code text_id": [Thing("the newest terms", tried | {"code": "M18"})],
    }


def _size() -> int:
    """Return the size of the log in some checkpoint."""
    size = _first(sa.select(SignedCheckpoint.size))
    assert isinstance(size, int)
    return size


def _guidance(demonstration: Demonstration) -> dict[str, list[Thing]]:
    """Return an article for all, and one each of the CSO's and the NPM's own."""
    article = _first(
        sa.select(Article)
        .where(Article.is_current, Article.language == "en")
        .options(selectinload(Article.passages))
        .order_by(Article.slug)
    )
    slug, number = {"slug": article.slug}, article.revision

    def own(body: str) -> dict[str, Any]:
        organisation = demonstration.organisations[body]
        wanted = sa.select(OwnArticle.id).where(OwnArticle.organisation_id == organisation)
        return {"article_id": _first(wanted)}

    return {
        "slug": [Thing("", slug)],
        "revision slug": [Thing("", slug | {"revision": number})],
        "language slug": [Thing("", slug | {"language": "en"})],
        "key language slug": [
            Thing("a passage", slug | {"language": "en", "key": article.passages[0].key})
        ],
        "key language slug to": [
            Thing(
                "a passage",
                slug | {"language": "en", "key": article.passages[0].key, "to": "down"},
            )
        ],
        "language number slug": [Thing("", slug | {"language": "en", "number": number})],
        "article_id": [
            Thing("own guidance of the CSO, for partners too", own("od")),
            Thing("own guidance of the NPM", own("npm")),
        ],
        "article_id passage_number": [
            Thing("a passage of the NPM's own", own("npm") | {"passage_number": 1})
        ],
        "article_id passage_number to": [
            Thing("a passage of the NPM's own", own("npm") | {"passage_number": 1, "to": "down"})
        ],
    }


def _first(wanted: "sa.Select[Any]") -> Any:
    row_id = db.session.scalars(wanted.limit(1)).first()
    if row_id is None:
        message = f"The demonstration has nothing for: {wanted}"
        raise LookupError(message)
    return row_id

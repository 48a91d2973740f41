"""View models for undertakings signed on paper: the scan, and the sentence of its signature."""

from flask_babel import gettext as _

from tracker.access.actor import Actor
from tracker.cooperations import keys
from tracker.signoff import paper, paper_view
from tracker.signoff.models import RequestState
from tracker.signoff.paper_models import PaperRecord
from tracker.signoff.paper_view import PaperView
from tracker.ui.locale import as_date
from tracker.undertakings.models import Undertaking, UndertakingState
from tracker.undertakings.pages import Signed


def view(undertaking: Undertaking, record: PaperRecord, signed: Signed) -> PaperView:
    """Return the scan of an undertaking for display."""
    waits = undertaking.state is UndertakingState.ON_PAPER
    state = paper.state_of(
        record,
        RequestState.WAITING if waits else None,
        paper.rests_on(signed.revision.signatures),
    )
    return paper_view.view(record, state, keys.key_of(undertaking.cooperation_id))


def sentence(record: PaperRecord, person: str, actor: Actor) -> str:
    """Return the sentence that the signature of a scan stores if this person confirms it."""
    return str(
        _(
            "%(person)s signed this undertaking on paper on %(day)s. %(recorder)s recorded the "
            "scan (SHA-256 %(digest)s) for %(organisation)s; %(confirmer)s compared it with the "
            "text and confirmed it.",
            person=person,
            day=as_date(record.signed_on),
            recorder=record.user_name,
            digest=record.scan_digest,
            organisation=record.organisation_name,
            confirmer=actor.name,
        )
    )

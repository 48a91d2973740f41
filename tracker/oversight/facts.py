"""Results of the register and the audit, as plain values. Pure."""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from tracker.activity.verify import ChainFault
from tracker.checklist_templates.models import ChecklistKind
from tracker.cooperations.models import Mode
from tracker.visits.models import VisitStage

# The register -------------------------------------------------------------------------------------


class AgreementState(enum.StrEnum):
    """The status of an agreement in the register."""

    DRAFTING = "drafting"
    WAITING = "waiting"
    DECLINED = "declined"
    BEGINS_LATER = "begins_later"
    IN_FORCE = "in_force"
    ENDS_SOON = "ends_soon"
    REVIEW_OVERDUE = "review_overdue"
    SUSPENDED = "suspended"
    ENDED = "ended"
    # Its stored status contradicts its signatures and events.
    DISAGREES = "disagrees"


class Narrowing(enum.StrEnum):
    """The filters of the register; an agreement may match several."""

    BEGINS_LATER = "begins_later"
    IN_FORCE = "in_force"
    ENDS_SOON = "ends_soon"
    LACKS_SIGNATURES = "lacks_signatures"
    DECLINED = "declined"
    DRAFTING = "drafting"
    SUSPENDED = "suspended"
    ENDED = "ended"
    REVIEW_OVERDUE = "review_overdue"
    # Whether an override still counts or not: auditors see each.
    OVERRIDDEN = "overridden"
    FLAGGED = "flagged"


class Need(enum.IntEnum):
    """The groups in which the register is ordered: what needs a manager most comes first.

    An agreement is in the first one that it belongs to.
    """

    DECLINED = 0
    REVIEW_OVERDUE = 1
    LACKS_SIGNATURES = 2
    FLAGGED = 3
    ENDS_SOON = 4
    SUSPENDED = 5
    NONE = 6
    ENDED = 7
    DRAFTING = 8


@dataclass(frozen=True, slots=True)
class Question:
    """The filters of a request to the register."""

    words: str = ""
    mode: Mode | None = None
    narrowing: Narrowing | None = None
    # Words of a party's name.
    party: str = ""
    kind: ChecklistKind | None = None
    # Agreements that were or will be valid on one of these days.
    from_on: dt.date | None = None
    until_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """How many agreements match the filters: by state, and in each group of the order."""

    # "" is all of them; else by Narrowing, each among those that match the other filters.
    counts: Mapping[str, int]
    # How many of those that match all filters are in each group.
    needs: Mapping[Need, int]
    # When the text that has waited longest for signatures was sent; None if only visits' texts do.
    waiting_since: dt.date | None


@dataclass(frozen=True, slots=True)
class Override:
    """A named NPM manager's override of gate J3 for a visit, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class VisitMark:
    """A visit as managers and auditors see it: that it exists, its stage, who overrode J3."""

    number: int
    stage: VisitStage
    is_ready: bool
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True)
class TakenOver:
    """The replacement of a party by another body, and since when."""

    former: str
    successor: str
    since: dt.date


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """One agreement of the register, without anything of class K2 to K7.

    Of a visit's texts it says only that they exist and their status: no dates, no signatures.
    """

    checklist_id: UUID
    cooperation_id: UUID
    reference: str
    title: str
    kind: ChecklistKind
    visit: VisitMark | None
    # Whether the person may open it; most people can't open a visit's texts.
    is_open: bool
    # (id, name), the NPM first.
    parties: tuple[tuple[UUID, str], ...]
    modes: tuple[str, ...]
    form: str
    state: AgreementState
    # Whether it is in force and a new text is being drafted or signed.
    is_amended: bool
    # The names of the parties that have yet to sign.
    waiting_for: tuple[str, ...]
    # The day on which the newest text was declined, or else sent.
    since: dt.date | None
    revision: int | None
    signed: int | None
    # Unknown for a prior agreement, which was signed on paper.
    to_sign: int | None
    from_on: dt.date | None
    until_on: dt.date | None
    review_on: dt.date | None
    # When the last review was held.
    reviewed_on: dt.date | None = None
    # A prior agreement on paper: not reviewed here, not signed electronically.
    made_before: bool = False
    is_flagged: bool = False
    taken_over: tuple[TakenOver, ...] = ()


# The audit ----------------------------------------------------------------------------------------


class Table(enum.StrEnum):
    """The table of a broken row."""

    CHAIN = "chain"
    EVENT = "event"
    DETAILS = "event_detail"
    REVISION = "revision"
    SIGNATURE = "signature"
    CERTIFICATE = "certificate"
    NOTICE = "notice"
    RENEWAL = "renewal"
    PAPER = "paper_record"
    PAPER_DECISION = "paper_decision"
    SUCCESSION = "succession"
    CHECKLIST = "checklist"
    REQUEST = "signature_request"
    UNDERTAKING = "undertaking"
    COOPERATION = "cooperation"
    KEY = "cooperation_key"
    EVIDENCE_KEY = "evidence_key"
    LEAF = "log_leaf"
    NODE = "log_node"
    CHECKPOINT = "checkpoint"
    ACCOUNT = "user"
    PASSKEY = "passkey"
    # For a checked row, RowLocation.of says which.
    CHECKED = "checked"


class Fault(enum.StrEnum):
    """What can be wrong besides the faults within a chain."""

    DAMAGED = "damaged"
    NO_INSTANCE_CHAIN = "no_instance_chain"
    NO_CHAIN = "no_chain"
    NO_VISIT_CHAIN = "no_visit_chain"
    END_REPLACED = "end_replaced"
    NOT_REGISTERED = "not_registered"
    REGISTERED_TWICE = "registered_twice"
    NO_COOPERATION = "no_cooperation"
    BELONGS_NOWHERE = "belongs_nowhere"
    KEY_GONE = "key_gone"
    KEY_UNREADABLE = "key_unreadable"
    NOT_BOUND = "not_bound"
    BOUND_TWICE = "bound_twice"
    DOCUMENT_CHANGED = "document_changed"
    DOCUMENT_UNREADABLE = "document_unreadable"
    FILE_CHANGED = "file_changed"
    FILE_UNREADABLE = "file_unreadable"
    CHANGED = "row_changed"
    OTHER_TEXT = "other_text"
    NOT_PROVEN = "not_proven"
    OTHER_PASSKEY = "other_passkey"
    OTHER_ADDRESS = "other_address"
    OTHER_CREDENTIALS = "other_credentials"
    FORMER_CREDENTIALS = "former_credentials"
    PASSKEY_NOT_SET_UP = "passkey_not_set_up"
    NO_PAPER = "no_paper"
    OWN_SCAN = "own_scan"
    SIGNED_SCAN = "signed_scan"
    ANSWERED_TWICE = "answered_twice"
    TAKER_DECIDED = "taker_decided"
    SCAN_CHANGED = "scan_changed"
    DISAGREES = "disagrees"
    ROW_GONE = "row_gone"
    END_CHANGED = "end_changed"
    NOT_NUMBERED = "not_numbered"
    OTHER_HASH = "other_hash"
    OTHER_ROOT = "other_root"
    NOT_SIGNED = "not_signed"
    CHECKPOINT_GONE = "checkpoint_gone"
    REWRITTEN = "rewritten"
    SHORTENED = "shortened"
    ROW_UNKNOWN = "row_unknown"
    ROW_DIFFERS = "row_differs"
    ROW_DIFFERED = "row_differed"
    ROW_DELETED = "row_deleted"
    EMPTIED = "emptied"
    ANCHOR_UNKNOWN = "anchor_unknown"
    ANCHOR_OTHER = "anchor_other"


@dataclass(frozen=True, slots=True)
class RowLocation:
    """A row: its table, and its chain, the number of an event, or another name.

    The chain is named by its cooperation's reference; empty is the instance's. of_visit: it is
    that of one of the cooperation's visits; which one isn't said. checkpoint is the size of the one
    that a chain contradicts. For a checked row, of names the table, and event is the last one that
    bound the row, if any.
    """

    table: Table
    reference: str = ""
    event: int | None = None
    row: str = ""
    checkpoint: int | None = None
    of: str = ""
    of_visit: bool = False


@dataclass(frozen=True, slots=True)
class Erasure:
    """Details of events, or a cooperation's key, that were erased as an event says: no fault."""

    # The chain, as in a RowLocation; whether its key was erased.
    reference: str
    of_key: bool
    at: dt.datetime
    # Empty: the application itself.
    by: str = ""
    of_visit: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and where."""

    fault: Fault | ChainFault
    place: RowLocation


@dataclass(frozen=True, slots=True)
class Counts:
    """How much was checked."""

    # Of the instance and of cooperations.
    chains: int = 0
    events: int = 0
    details: int = 0
    revisions: int = 0
    signatures: int = 0
    certificates: int = 0
    keys: int = 0
    leaves: int = 0
    checkpoints: int = 0
    anchors: int = 0
    notices: int = 0
    renewals: int = 0
    scans: int = 0
    decisions: int = 0
    successions: int = 0
    accounts: int = 0
    rows: int = 0
    visit_chains: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """How much was checked up to the first broken row; None means that nothing was altered."""

    counts: Counts
    finding: Finding | None = None
    erased: tuple[Erasure, ...] = ()
    # When the rows older than row binding were bound as they were, if there were any.
    adopted_at: dt.datetime | None = None
    # Chains whose older rows are not bound yet, and so not checked.
    not_adopted: int = 0

"""Every verb of the trail, in the past tense, with the only keys its details may have.

No key contains anything of class K2 to K7: no place, no date of a visit, no answer, no interest.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verb:
    """A kind of event and the only keys its details may have."""

    name: str
    keys: frozenset[str]


VERBS: dict[str, Verb] = {}


def _verb(name: str, *keys: str) -> Verb:
    verb = Verb(name, frozenset(keys))
    VERBS[name] = verb
    return verb


# Any chain, never shown: rows changed after the last event or without one; and, once, the rows that
# are older than row binding.
ROWS_NOTED = _verb("rows_noted")
ROWS_ADOPTED = _verb("rows_adopted")

# The instance's chain
INSTANCE_STARTED = _verb("instance_started")
CONTENT_LOADED = _verb("content_loaded", "kind", "name", "version", "digest")
CONTENT_WITHDRAWN = _verb("content_withdrawn", "kind", "name", "version")
TEMPLATE_DRAFTED = _verb("template_drafted", "kind", "base", "digest")
TEMPLATE_DISCARDED = _verb("template_discarded", "kind", "digest")
TEMPLATE_PUBLISHED = _verb("template_published", "kind", "version", "base", "digest", "reason")
TEMPLATE_WORDS_CHANGED = _verb(
    "template_words_changed", "kind", "version", "language", "number", "digest", "reason"
)
TEMPLATE_RETIRED = _verb("template_retired", "kind", "version", "digest", "reason")
ARTICLE_PUBLISHED = _verb("article_published", "name", "version", "base", "digest", "reason")
ARTICLE_PASSED_OVER = _verb("article_passed_over", "name", "version", "digest", "reason")
MODEL_TEXT_CHANGED = _verb(
    "model_text_changed", "kind", "language", "item", "version", "digest", "reason"
)
MODEL_TEXT_RESET = _verb(
    "model_text_reset", "kind", "language", "item", "version", "digest", "reason"
)
# An organisation's own articles: whose and which, but nothing of their text.
OWN_ARTICLE_ADDED = _verb("own_article_added", "organisation", "version", "digest")
OWN_ARTICLE_CHANGED = _verb("own_article_changed", "organisation", "version", "digest")
OWN_ARTICLE_WITHDRAWN = _verb("own_article_withdrawn", "organisation", "version")
OWN_ARTICLE_RESTORED = _verb("own_article_restored", "organisation", "version")
ORGANISATION_ADDED = _verb("organisation_added", "name", "kind", "another_than")
ORGANISATION_CHANGED = _verb("organisation_changed", "name", "changed", "another_than")
ORGANISATION_REPLACED = _verb("organisation_replaced", "former", "successor", "since", "source")
MAIL_TESTED = _verb("mail_tested")
# An administrator said that a setting of the server is right as it is.
SETTING_CHECKED = _verb("setting_checked", "name", "value")
PERSON_INVITED = _verb("person_invited", "email", "organisation", "roles", "cooperation")
INVITATION_SENT_AGAIN = _verb("invitation_sent_again", "email")
INVITATION_REVOKED = _verb("invitation_revoked", "email")
# The ids are for the handler that adds the person to the cooperation they were invited to.
INVITATION_ACCEPTED = _verb(
    "invitation_accepted",
    "email",
    "name",
    "organisation",
    "organisation_id",
    "roles",
    "cooperation",
    "function",
)
# A person without an email address, who never signs in.
PERSON_ADDED = _verb("person_added", "person", "organisation", "organisation_id", "role")
PERSON_CHANGED = _verb("person_changed", "changed")
# By somebody else, since the person's signatures show the name.
PERSON_RENAMED = _verb("person_renamed", "person", "former")
ROLE_GIVEN = _verb(
    "role_given", "person", "organisation", "organisation_id", "role", "since", "until"
)
# A signatory or manager role; how: by a colleague of the organisation, or by an administrator.
ROLE_CONFIRMED = _verb(
    "role_confirmed",
    "person",
    "organisation",
    "organisation_id",
    "role",
    "how",
    "since",
    "until",
)
# A role an administrator confirmed; evidence is the digest of the role as the person accepted it.
ROLE_ACCEPTED = _verb(
    "role_accepted", "person", "organisation", "organisation_id", "role", "method"
)
# last: whether it was the person's last role in that organisation.
ROLE_ENDED = _verb(
    "role_ended", "person", "organisation", "organisation_id", "role", "last", "reason"
)
# Before the last day (until) of a power to sign or decide; subject is the role.
POWER_END_REMINDED = _verb(
    "power_end_reminded", "person", "person_id", "organisation", "organisation_id", "role", "until"
)
# The day after a signatory's power ended while their role continues. nobody_left: whether nobody
# signs or decides for the organisation any more.
POWER_RAN_OUT = _verb(
    "power_ran_out",
    "person",
    "person_id",
    "organisation",
    "organisation_id",
    "role",
    "until",
    "nobody_left",
)
PERSON_SUSPENDED = _verb("person_suspended", "person", "reason")
PERSON_RESTORED = _verb("person_restored", "person")
PASSWORD_CHANGED = _verb("password_changed")
SECOND_FACTOR_SET = _verb("second_factor_set")
RECOVERY_CODES_MADE = _verb("recovery_codes_made")
SECOND_FACTOR_RESET = _verb("second_factor_reset", "person", "reason")
# evidence binds person, passkey and public key: whose key a signature was made with.
PASSKEY_ADDED = _verb("passkey_added")
PASSKEY_RENAMED = _verb("passkey_renamed")
PASSKEY_REMOVED = _verb("passkey_removed", "reason")
PASSKEY_SET_ASIDE = _verb("passkey_set_aside", "person")
SESSIONS_ENDED = _verb("sessions_ended", "person", "reason")
# evidence binds all credentials of the person as they are after the change.
CREDENTIALS_BOUND = _verb("credentials_bound", "what")
CREDENTIALS_ADOPTED = _verb("credentials_adopted", "accounts", "passkeys")
DETAILS_ERASED = _verb("details_erased", "reason")
COOPERATION_REGISTERED = _verb("cooperation_registered", "reference")
EVIDENCE_KEY_MADE = _verb("evidence_key_made", "use", "number", "fingerprint")
EVIDENCE_KEY_IMPORTED = _verb("evidence_key_imported", "use", "number", "fingerprint")
EVIDENCE_KEY_RETIRED = _verb("evidence_key_retired", "use", "number", "fingerprint")
EVIDENCE_KEY_REVOKED = _verb("evidence_key_revoked", "use", "number", "fingerprint", "reason")
# The keys of fields, trail and second factors: the files in the folder of keys.
KEY_CHANGE_BEGUN = _verb("key_change_begun", "name", "number")
KEY_CHANGE_ENDED = _verb("key_change_ended", "name", "number")
# Neither its item nor its title: an organisation's model answers are nobody else's business.
MODEL_ANSWER_KEPT = _verb("model_answer_kept")
MODEL_ANSWER_RENAMED = _verb("model_answer_renamed")
MODEL_ANSWER_DELETED = _verb("model_answer_deleted")
MODEL_TEXT_KEPT = _verb("model_text_kept")
MODEL_TEXT_RETIRED = _verb("model_text_retired")

# A cooperation's chain
# demonstration: whether it is one; certificates say so (older events don't).
COOPERATION_OPENED = _verb(
    "cooperation_opened", "reference", "title", "parties", "modes", "demonstration"
)
COOPERATION_CHANGED = _verb("cooperation_changed", "changed")
MODES_CHANGED = _verb("modes_changed", "modes", "questions", "modes_before", "questions_before")
OUTSIDE_BODY_ADDED = _verb("outside_body_added", "name", "kind")
OUTSIDE_BODY_REMOVED = _verb("outside_body_removed", "name", "kind")
PARTNER_SELECTION_RECORDED = _verb("partner_selection_recorded", "organisation")
# Who was proposed as a partner's first coordinator is in no event.
INVITATION_REQUESTED = _verb("invitation_requested", "organisation")
INVITATION_REQUEST_CONFIRMED = _verb("invitation_request_confirmed", "organisation")
INVITATION_REQUEST_DECLINED = _verb("invitation_request_declined", "organisation", "reason")
INVITATION_REQUEST_LAPSED = _verb("invitation_request_lapsed", "organisation")
INVITATION_REQUEST_WITHDRAWN = _verb("invitation_request_withdrawn", "organisation")
PARTY_JOINED = _verb("party_joined", "organisation")
# A CSO that joins while terms are in force: invited, and not joining after all.
PARTY_JOINING = _verb("party_joining", "organisation", "reason")
JOINING_TAKEN_BACK = _verb("joining_taken_back", "organisation", "organisation_id", "reason")
PARTY_LEAVING = _verb("party_leaving", "organisation", "since", "reason")
PARTY_STAYS = _verb("party_stays", "organisation", "reason")
# The ids are for the handlers that update each checklist.
PARTY_LEFT = _verb("party_left", "organisation", "organisation_id", "since")
PARTY_REPLACED = _verb(
    "party_replaced", "former", "former_id", "successor", "successor_id", "since", "source"
)
PERSON_JOINED = _verb(
    "person_joined", "person", "person_id", "organisation", "organisation_id", "function"
)
PERSON_LEFT = _verb("person_left", "person", "organisation")
# begins_on: the first day of the fully signed text, if it is still to come.
STAGE_CHANGED = _verb("stage_changed", "before", "after", "begins_on", "ran_out_on")
CHECKLIST_STARTED = _verb("checklist_started", "kind", "template_version", "visit")
CHECKLIST_MOVED = _verb("checklist_moved", "kind", "before", "after", "new", "changed", "gone")
ANSWER_SAVED = _verb("answer_saved", "kind", "item", "version", "scope", "organisation")
ANSWERS_COPIED = _verb("answers_copied", "kind", "items", "organisation")
MODEL_TEXT_USED = _verb(
    "model_text_used", "kind", "items", "language", "text_version", "organisation"
)
OWN_MODEL_TEXT_USED = _verb("own_model_text_used", "kind", "items", "organisation")
COPIES_READ = _verb("copies_read", "kind", "items", "organisation")
ITEMS_ACCEPTED = _verb("items_accepted", "kind", "items", "versions", "organisation")
ACCEPTANCE_UNDONE = _verb("acceptance_undone", "kind", "items", "organisation")
POSITION_TAKEN = _verb("position_taken", "kind", "item", "version", "stance", "organisation")
PROPOSAL_MADE = _verb("proposal_made", "kind", "item", "version", "organisation")
PROPOSAL_ANSWERED = _verb(
    "proposal_answered", "kind", "item", "version", "organisation", "proposed_by"
)
PROPOSAL_ACCEPTED = _verb("proposal_accepted", "kind", "item", "version", "proposed_by")
PROPOSAL_TURNED_DOWN = _verb("proposal_turned_down", "kind", "item", "version", "proposed_by")
PROPOSAL_WITHDRAWN = _verb("proposal_withdrawn", "kind", "item", "version", "organisation")
# Raised by a rule of the template: no organisation, but the NPM's powers that the rule protects.
FLAG_RAISED = _verb("flag_raised", "kind", "item", "organisation", "powers")
FLAG_CLOSED = _verb("flag_closed", "kind", "item", "how")
# Of a phrase that may limit the NPM: harmless (its side), accepted (the second reader), flagged.
HINT_ANSWERED = _verb("hint_answered", "kind", "item", "organisation", "how")
# because: of the NPM's head, who wrote answers too, or of a reader from outside with a function.
SAFEGUARDS_REVIEWED = _verb("safeguards_reviewed", "kind", "because", "name", "function", "method")
OUTSIDE_READER_ASKED = _verb("outside_reader_asked", "kind", "name", "function", "until", "reason")
OUTSIDE_READER_ACCEPTED = _verb("outside_reader_accepted", "kind", "name")
# Withdrawn, expired, or the text frozen without it; confirming has its own verb.
OUTSIDE_READING_ENDED = _verb("outside_reading_ended", "kind", "name", "how")
# Only comments to all parties; those to the author's own side leave no event.
COMMENT_MADE = _verb("comment_made", "kind", "item", "organisation")
COMMENT_EDITED = _verb("comment_edited", "kind", "item")
COMMENT_WITHDRAWN = _verb("comment_withdrawn", "kind", "item")
COMMENT_SETTLED = _verb("comment_settled", "kind", "item")
COMMENT_REOPENED = _verb("comment_reopened", "kind", "item")
COMMENT_TASK_MADE = _verb("comment_task_made", "kind", "item")
COMMENT_TASK_DONE = _verb("comment_task_done", "kind", "item")
SENT_FOR_SIGNATURE = _verb(
    "sent_for_signature", "kind", "revision", "document_digest", "signatories"
)
SIGNATURE_REQUEST_WITHDRAWN = _verb("signature_request_withdrawn", "kind", "revision", "reason")
SIGNATURE_REQUEST_EXPIRED = _verb("signature_request_expired", "kind", "revision", "until")
SIGNATORIES_REMINDED = _verb("signatories_reminded", "kind", "revision", "people")
SIGNING_PASSED_ON = _verb(
    "signing_passed_on",
    "kind",
    "revision",
    "organisation",
    "organisation_id",
    "before",
    "before_id",
    "after",
    "after_id",
    "reason",
)
SIGNED = _verb("signed", "kind", "revision", "document_digest", "organisation", "method")
# Signing on paper: the digest of the scan, and nothing of what it shows.
PAPER_RECORDED = _verb(
    "paper_recorded", "kind", "revision", "document_digest", "organisation", "scan_digest"
)
FORMER_AGREEMENT_RECORDED = _verb(
    "former_agreement_recorded", "kind", "revision", "document_digest", "signed_on", "ends_on"
)
PAPER_CONFIRMED = _verb("paper_confirmed", "kind", "revision", "organisation", "scan_digest")
PAPER_REFUSED = _verb("paper_refused", "kind", "revision", "organisation", "reason")
PAPER_WITHDRAWN = _verb("paper_withdrawn", "kind", "revision", "organisation", "reason")
SIGNED_ON_PAPER = _verb(
    "signed_on_paper",
    "kind",
    "revision",
    "document_digest",
    "organisation",
    "signed_on",
    "scan_digest",
)
DECLINED = _verb("declined", "kind", "revision", "organisation", "items", "reason")
# organisation: the party that is joining, if the amendment is for that.
AMENDMENT_OPENED = _verb("amendment_opened", "kind", "items", "reason", "organisation")
# items: those restored to what the revision in force says.
AMENDMENT_CALLED_OFF = _verb("amendment_called_off", "kind", "revision", "items", "reason")
# suspended_by: the organisations whose suspensions end because they have signed since; and, the
# same way, whose notices that hadn't taken effect no longer count. ran_out_on: the last day of the
# agreed terms, if it had passed, so that the text isn't in force.
CAME_INTO_FORCE = _verb(
    "came_into_force",
    "kind",
    "revision",
    "document_digest",
    "begins_on",
    "ran_out_on",
    "suspended_by",
    "suspensions_replaced",
    "ends_replaced",
)
NOTICE_GIVEN = _verb("notice_given", "kind", "revision", "what", "organisation", "since", "reason")
NOTICE_TAKEN_BACK = _verb("notice_taken_back", "kind", "revision", "what", "organisation", "reason")
TEXT_SUSPENDED = _verb("text_suspended", "kind", "revision", "organisation", "reason")
TEXT_ENDED = _verb("text_ended", "kind", "revision", "organisation", "reason")
SUSPENSION_LIFTED = _verb("suspension_lifted", "kind", "revision", "organisation", "reason")
TEXT_RENEWED = _verb("text_renewed", "kind", "revision", "since", "until", "review")
# One per language; the event binds the row, and with it the digest of the PDF.
CERTIFICATE_MADE = _verb(
    "certificate_made", "kind", "revision", "language", "document_digest", "certificate_digest"
)
# Whether the public page that verifies a certificate names the people who signed.
VERIFICATION_CHANGED = _verb("verification_changed", "shows_signers")
REVIEW_BEGUN = _verb("review_begun", "number", "organisation", "revision")
REVIEW_SAVED = _verb("review_saved", "number", "version", "organisation", "record_digest")
REVIEW_CONFIRMED = _verb("review_confirmed", "number", "version", "organisation", "record_digest")
# Immediately before it is concluded, if the NPM does so without parties that haven't confirmed.
REVIEW_CONCLUDED_WITHOUT = _verb(
    "review_concluded_without",
    *("number", "version", "organisation", "parties", "reason", "record_digest"),
)
REVIEW_CONCLUDED = _verb("review_concluded", "number", "version", "on", "outcome", "next")
REVIEW_CALLED_OFF = _verb("review_called_off", "number", "reason")
UNDERTAKING_ASKED = _verb("undertaking_asked", "person", "organisation", "terms_revision")
UNDERTAKING_SIGNED = _verb(
    "undertaking_signed",
    *("person", "organisation", "terms_revision", "document_digest", "method"),
    # Title and version of each document signed with it, if there are any.
    "documents",
)
UNDERTAKING_FROZEN = _verb("undertaking_frozen", "person", "organisation", "document_digest")
# Signed on paper by a person who has no account. Why a scan was refused is not in the history.
UNDERTAKING_SCAN_RECORDED = _verb(
    "undertaking_scan_recorded", "person", "document_digest", "scan_digest"
)
UNDERTAKING_SCAN_CONFIRMED = _verb("undertaking_scan_confirmed", "person", "scan_digest")
UNDERTAKING_SCAN_REFUSED = _verb("undertaking_scan_refused", "person", "scan_digest")
UNDERTAKING_SCAN_WITHDRAWN = _verb("undertaking_scan_withdrawn", "person", "scan_digest")
# Neither whose nor what: declared interests are between the person and the NPM (C13).
# of_party: the person's organisation did, by what it does (M1, M14).
INTEREST_ADDED = _verb("interest_added", "of_party")
INTERESTS_DECIDED = _verb("interests_decided")
UNDERTAKING_COUNTERSIGNED = _verb("undertaking_countersigned", "person", "method")
UNDERTAKING_CLOSED = _verb("undertaking_closed", "person", "reason")
# What a person did with their copies once their access had ended (C17); not their words.
RETURN_REQUESTED = _verb("return_requested", "person", "organisation")
RETURN_CONFIRMED = _verb("return_confirmed", "person", "organisation", "disposal")
# how: in_person or on_paper; the person has no account, and the NPM recorded what they confirmed.
RETURN_RECORDED = _verb("return_recorded", "person", "organisation", "disposal", "how")
RETURN_EXCEPTED = _verb("return_excepted", "person", "organisation")
RETURN_CANCELLED = _verb("return_cancelled", "person", "organisation")
CLOSING_COMPLETED = _verb("closing_completed")
MAILED_CODES_ALLOWED = _verb("mailed_codes_allowed", "organisation", "reason")
MAILED_CODES_STOPPED = _verb("mailed_codes_stopped", "organisation", "reason")
CLEARANCE_OPENED = _verb("clearance_opened", "person", "scope", "until")
CLEARANCE_CLOSED = _verb("clearance_closed", "person", "reason")
VISIT_PLANNED = _verb("visit_planned", "number")
VISIT_CHANGED = _verb("visit_changed", "number", "changed")
VISIT_STAGE_CHANGED = _verb("visit_stage_changed", "number", "before", "after")
VISIT_BECAME_READY = _verb("visit_became_ready", "number")
VISIT_LOST_READINESS = _verb("visit_lost_readiness", "number")
GATE_OVERRIDDEN = _verb("gate_overridden", "number", "gate", "reason")
VISIT_STOPPED = _verb("visit_stopped", "number", "reason")
# Not the person's name, which is planning (class K2).
VISIT_PUT_IN_CHARGE = _verb("visit_put_in_charge", "number")
AUDIENCE_CHANGED = _verb("audience_changed", "number")
TEAM_CHANGED = _verb("team_changed", "number")
# How many frozen texts of class K8 it includes, and whether any of class K2 to K7.
EVIDENCE_EXPORTED = _verb("evidence_exported", "texts", "closed")
# Nothing was altered: in an organisation's register, or without one in the whole instance.
INTEGRITY_CHECKED = _verb("integrity_checked", "organisation")
REGISTER_EXPORTED = _verb("register_exported", "rows", "format")
UNDERTAKINGS_EXPORTED = _verb("undertakings_exported", "rows", "format")

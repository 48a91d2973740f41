"""Labels for the kinds of entries in the security log, and for how people sign in."""

from flask_babel import lazy_gettext as _l

from tracker.accounts.models import SecurityKind, SignInMethod

KINDS: dict[SecurityKind, object] = {
    SecurityKind.SIGNED_IN: _l("Signed in"),
    SecurityKind.SIGN_IN_FAILED: _l("Sign-in failed"),
    SecurityKind.PROOF_FAILED: _l("Proof of identity failed"),
    SecurityKind.SIGNED_OUT: _l("Signed out"),
    SecurityKind.REFUSED: _l("Not allowed"),
    SecurityKind.SESSION_ENDED: _l("Another session ended"),
    SecurityKind.SESSIONS_ENDED: _l("Signed out on every device"),
    SecurityKind.PASSWORD_LINK_REQUESTED: _l("Link for a new password requested"),
    SecurityKind.PASSWORD_CHANGED: _l("Password changed"),
    SecurityKind.SECOND_FACTOR_SET: _l("Code app set up"),
    SecurityKind.SECOND_FACTOR_RESET: _l("Second factor reset"),
    SecurityKind.RECOVERY_CODES_MADE: _l("New recovery codes"),
    SecurityKind.PASSKEY_ADDED: _l("Passkey added"),
    SecurityKind.PASSKEY_REMOVED: _l("Passkey removed"),
    SecurityKind.PASSKEY_SET_ASIDE: _l("Passkey disabled: it may have been copied"),
    SecurityKind.INVITATION_ACCEPTED: _l("Invitation accepted"),
    SecurityKind.INVITATION_REFUSED: _l(
        "Invitation refused: its sender can no longer give this access"
    ),
    SecurityKind.ROLE_GIVEN: _l("Role given"),
    SecurityKind.ROLE_CONFIRMED: _l("Role confirmed"),
    SecurityKind.ROLE_ACCEPTED: _l("Role accepted"),
    SecurityKind.ROLE_ENDED: _l("Role ended"),
    SecurityKind.PERSON_SUSPENDED: _l("Account suspended"),
    SecurityKind.PERSON_RESTORED: _l("Account reopened"),
}

METHODS: dict[SignInMethod, object] = {
    SignInMethod.PASSWORD: _l("password"),
    SignInMethod.CODE: _l("code from an app"),
    SignInMethod.RECOVERY_CODE: _l("recovery code"),
    SignInMethod.PASSKEY: _l("passkey"),
    SignInMethod.MAILED_CODE: _l("code sent by email"),
    SignInMethod.INVITATION: _l("invitation"),
    SignInMethod.TOO_MANY: _l("too many attempts before"),
    SignInMethod.CLOSED: _l("right password, but the account is closed"),
}

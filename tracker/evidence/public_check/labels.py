"""Labels for verification: each verdict with its style mark and its meaning."""

from flask_babel import lazy_gettext as _l

from tracker.evidence.public_check.facts import Answer, Verdict
from tracker.signoff.labels import validity_words
from tracker.signoff.outcomes import Validity

# The heading, its meaning, and the kind of notice.
VERDICTS: dict[Verdict, tuple[object, object, str]] = {
    Verdict.GENUINE: (
        _l("Genuine."),
        _l("It's as it was signed, everyone has signed, and it's still valid."),
        "held",
    ),
    Verdict.BEGINS_LATER: (
        _l("Genuine."),
        _l("It's as it was signed."),
        "held",
    ),
    Verdict.WAITING: (
        _l("Genuine, but not signed by all yet."),
        _l("It's as it was frozen for signature. It binds nobody until everyone has signed."),
        "wait",
    ),
    Verdict.NOT_SIGNED: (
        _l("Genuine, but never agreed."),
        _l("It's as it was frozen for signature, but not everyone signed it."),
        "stop",
    ),
    Verdict.SUPERSEDED: (
        _l("Genuine, but superseded."),
        _l("It's as it was signed. A later revision has replaced it."),
        "wait",
    ),
    Verdict.SUSPENDED: (
        _l("Genuine, but suspended."),
        _l("It's as it was signed, but a party has suspended it: it isn't valid at the moment."),
        "wait",
    ),
    Verdict.ENDED: (
        _l("Genuine, but ended."),
        _l("It's as it was signed, but it has ended. Some duties may continue, as the text says."),
        "wait",
    ),
    Verdict.VISIT_STOPPED: (
        _l("Genuine, but ended."),
        _l(
            "It's as it was signed, but it has ended: the visit was stopped. Some duties may "
            "continue, as the text says."
        ),
        "wait",
    ),
    Verdict.DISAGREES: (
        _l("It doesn't match its signatures."),
        _l(
            "This text was frozen here, but its signatures and its history don't match. Don't "
            "rely on it. Ask the people who run this service."
        ),
        "stop",
    ),
    Verdict.ALTERED: (
        _l("Altered."),
        _l(
            "It isn't as it was made here. Don't rely on it, and ask the person who gave it to you."
        ),
        "stop",
    ),
    Verdict.BUNDLE: (
        _l("A genuine evidence bundle."),
        _l(
            "Every part of it is intact, and a key of this site sealed it. It shows how things "
            "were when it was exported: check a certificate in it to know what is still valid."
        ),
        "held",
    ),
    Verdict.EXPORT: (
        _l("A genuine list."),
        _l(
            "It is unchanged since it was exported from the register here. It shows how things "
            "were then: check a certificate to know what is still valid."
        ),
        "held",
    ),
    Verdict.STRANGE_BUNDLE: (
        _l("An evidence bundle from somewhere else."),
        _l(
            "It wasn't sealed with a key from here, so nothing else in it was checked. Ask at the "
            "place it names."
        ),
        "stop",
    ),
    Verdict.UNKNOWN: (
        _l("Unknown."),
        _l(
            "Nothing like this was made here. It may be mistyped, altered, or from somewhere "
            "else. Try the file itself."
        ),
        "stop",
    ),
}


def answer_words(answer: Answer) -> tuple[object, object, str]:
    """Return the heading of an answer, its meaning, and the kind of notice."""
    heading, meaning, kind = VERDICTS[answer.verdict]
    if answer.begins_on is None:
        return heading, meaning, kind
    state, _mark = validity_words(Validity.BEGINS_LATER, answer.begins_on)
    return heading, f"{state}. {meaning}", kind

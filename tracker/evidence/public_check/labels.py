"""Labels for verification: each verdict with its style mark and its meaning."""

from flask_babel import lazy_gettext as _l

from tracker.evidence.public_check.facts import Answer, Verdict
from tracker.signoff.labels import validity_words
from tracker.signoff.outcomes import Validity

# The heading, its meaning, and the kind of notice.
VERDICTS: dict[Verdict, tuple[object, object, str]] = {
    Verdict.GENUINE: (
        _l("Genuine."),
        _l("It is as it was signed, all have signed, and it still holds."),
        "held",
    ),
    Verdict.BEGINS_LATER: (
        _l("Genuine."),
        _l("It is as it was signed."),
        "held",
    ),
    Verdict.WAITING: (
        _l("Genuine, but not signed by all yet."),
        _l("It is as it was frozen for signature. It binds nobody before all have signed."),
        "wait",
    ),
    Verdict.NOT_SIGNED: (
        _l("Genuine, but never agreed."),
        _l("It is as it was frozen for signature, but not all signed it."),
        "stop",
    ),
    Verdict.SUPERSEDED: (
        _l("Genuine, but superseded."),
        _l("It is as it was signed. A later revision has taken its place."),
        "wait",
    ),
    Verdict.SUSPENDED: (
        _l("Genuine, but suspended."),
        _l("It is as it was signed, and a party has suspended it: it does not hold meanwhile."),
        "wait",
    ),
    Verdict.ENDED: (
        _l("Genuine, but ended."),
        _l("It is as it was signed, and no longer runs. Some duties may go on, as the text says."),
        "wait",
    ),
    Verdict.DISAGREES: (
        _l("It does not agree with its signatures."),
        _l(
            "This text was frozen here, but its signatures and its history don't agree with each "
            "other. Don't rely on it. Ask the people who run this service."
        ),
        "stop",
    ),
    Verdict.ALTERED: (
        _l("Altered."),
        _l("It is not as it was made here. Do not rely on it, and ask whoever gave it to you."),
        "stop",
    ),
    Verdict.BUNDLE: (
        _l("A genuine bundle of evidence."),
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
        _l("A bundle of evidence from another place."),
        _l(
            "It is sound in itself, but no key of this place sealed it. Ask at the place that it "
            "names."
        ),
        "stop",
    ),
    Verdict.UNKNOWN: (
        _l("Unknown."),
        _l(
            "Nothing of this kind was made here. It may be mistyped, altered, or from another "
            "place. Try the file itself."
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

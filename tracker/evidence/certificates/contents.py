"""The contents of a certificate as plain values: the text, its signatures, its evidence.

Everything is in one of the languages of the frozen text; strings in another language are marked.

In one file: the parts of one document, rendered in one language by the same functions.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import current_app
from flask_babel import gettext as _

from tracker.activity.queries import HistoryLine
from tracker.agreements import frozen_text
from tracker.checklists.history import item_titles
from tracker.checklists.localized_values import Choices, Confirmation, Part_, Table
from tracker.core import clock
from tracker.core.localized import language_of
from tracker.evidence.certificates.pdf import MARKER
from tracker.mail.render import in_language, link
from tracker.signoff.labels import (
    METHODS,
    SignedWhen,
    capacity_words,
    confirmed_words,
    how_signed,
    passed_on_words,
    power_words,
    scan_words,
    signed_words,
    when_signed,
)
from tracker.signoff.models import Revision, Signature
from tracker.ui import qr_code
from tracker.ui.locale import (
    as_date,
    as_datetime,
    direction,
    listed,
    name_of,
    with_semicolons,
)
from tracker.undertakings import frozen_text as undertakings
from tracker.undertakings.facts import COVERS
from tracker.undertakings.frozen_text import SignedDocument

# The name of the attached file: the bytes whose digest was signed.
CANONICAL = "canonical-document.json"
CANONICAL_TYPE = "application/json"
GROUP = 8
# How many letters fit beside their label.
SHORT = 24
# How many letters fit in a line of a table, and the least and most for a column.
LINE, NARROW, WIDE = 76, 9, 36

Values = dict[str, Any]
# The markers templates use; these characters are escaped in text.
_MARK = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class PassedOn:
    """One time that a signature was passed on: the names of both people, and why."""

    before: str
    after: str
    reason: str


@dataclass(frozen=True, slots=True)
class Source:
    """Everything a certificate is made from, read beforehand."""

    revision: Revision
    document: Mapping[str, Any]
    # As in the cooperation's row, which the caller has compared with its events.
    is_demonstration: bool
    signatures: Sequence[Signature]
    # The oldest first.
    events: Sequence[HistoryLine]
    key_number: int
    key_fingerprint: str
    made_at: dt.datetime
    # How each signature that was passed on came to its signer, by its id; the earliest first.
    passed_on: Mapping[UUID, Sequence[PassedOn]] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """The reference of the cooperation, as the text has it."""
        return str(self.document["cooperation"]["reference"])

    @property
    def is_undertaking(self) -> bool:
        """Whether it is a personal undertaking."""
        return "undertaking" in self.document


def languages(source: Source) -> tuple[str, ...]:
    """Return the languages a certificate is made in, the binding one first."""
    return frozen_text.languages_of(source.document)


def address(reference: str, digest: str) -> str:
    """Return the URL at which anybody can check a text; it is printed and never changes."""
    return link(f"verify?{urlencode({'reference': reference, 'digest': digest})}")


def certificate(source: Source, language: str) -> Values:
    """Return the content of a text's certificate in one of its languages."""
    with in_language(language):
        text = _undertaking(source, language) if source.is_undertaking else _text(source, language)
        return {
            "lang": language,
            "dir": direction(language),
            "name": _("Common Terms"),
            "author": current_app.extensions["settings"].base_url,
            "marker": MARKER + source.revision.digest,
            "words": {"certificate": _("Certificate"), "not_answered": _("Not answered")},
            "notices": _notices(source, language),
            **text,
            "signatures_title": _("Signatures"),
            "signatures": [
                _signature(signature, source.passed_on.get(signature.id, ()), language)
                for signature in source.signatures
            ],
            "evidence": _evidence(source, language),
            "digest": _groups(source.revision.digest),
        }


# The text -----------------------------------------------------------------------------------------


def _text(source: Source, language: str) -> Values:
    text = frozen_text.read(source.document, language)
    return {
        "title": _say(text.title, language),
        "above": _(
            "%(reference)s, revision %(number)s",
            reference=text.reference,
            number=source.revision.number,
        ),
        "below": [
            _say(text.cooperation, language),
            _say(_("between %(parties)s", parties=listed(text.parties)), language, is_said=True),
        ],
        "running": f"{text.title} · {text.reference}",
        "contents": _("Contents") if text.is_long else None,
        "sections": [
            {
                "title": _say(section.title, language),
                "items": [_item(item, language) for item in section.items],
            }
            for section in text.sections
        ]
        + [_beside(_("About this text"), text.about, language)],
    }


def _beside(title: str, parts: Sequence[Part_], language: str) -> Values:
    """Return a section with what a text says apart from its clauses: facts, not headings."""
    return {
        "title": _say(title, language, is_said=True),
        "are_facts": True,
        "items": [
            {
                "code": "",
                "label": _say(label, language, is_said=True),
                "prompt": None,
                "answers": [{"by": None, "parts": [_part(("", words), language)]}],
            }
            for label, words in parts
        ],
    }


def _item(item: frozen_text.FrozenItem, language: str) -> Values:
    return {
        "code": item.code,
        "label": _say(item.label, language),
        "prompt": _say(item.prompt, language),
        "answers": [
            {
                "by": _say(answer.by, language) if answer.by else None,
                "labelled": item.is_labelled(answer),
                "parts": [_part(part, language, below=item.label) for part in answer.parts],
            }
            for answer in item.answers
        ],
    }


def _part(part: Part_, language: str, below: str = "") -> Values:
    """Return a field of an answer, without a label that says what the heading above it says."""
    label, value = part
    values: Values = {"label": _say(label, language) if label and label != below else None}
    if isinstance(value, Table):
        return values | {
            "short": False,
            "heads": [_say(head, language) for head in value.heads],
            "lines": [[_say(cell, language) for cell in line] for line in value.lines],
            "widths": _widths(value),
            "stacked": value.is_stacked,
            "empty_columns": sorted(value.empty_columns),
        }
    if isinstance(value, Choices) and len(value.entries) > 1:
        entries = [_say(entry, language) for entry in value.entries]
        return values | {"short": False, "entries": entries}
    if isinstance(value, Confirmation) and label:
        statement = {"label": _say(label, language), "statement": True}
        return statement | {"short": False, "text": _say(value, language)}
    words = str(value or "")
    is_short = len(words) <= SHORT and "\n" not in words
    return values | {"short": is_short, "text": _say(value or "", language)}


def _widths(table: Table) -> list[int]:
    """Return the relative widths of columns, in letters.

    Each gets the width of its longest word; those with long texts share the rest of the line.
    """
    columns = list(zip(table.heads, *table.lines, strict=True))
    needed = [max(max(map(_longest_word, column)) + 2, NARROW) for column in columns]
    wished = [
        max(min(max(map(len, column)), WIDE) - need, 0)
        for column, need in zip(columns, needed, strict=True)
    ]
    left = max(LINE - sum(needed), 0)
    share = min(left / sum(wished), 1) if any(wished) else 0
    return [need + round(wish * share) for need, wish in zip(needed, wished, strict=True)]


def _longest_word(text: str) -> int:
    return max(map(len, text.split()), default=0)


def _undertaking(source: Source, language: str) -> Values:
    text = undertakings.read(source.document, language)
    terms = source.document["terms"]
    title = _("Undertaking of confidentiality")
    parts = [_("Briefing"), _("Interests")]
    confirmed = _("%(sentence)s %(day)s", sentence=text.briefing, day=text.briefing_held)
    entries = [
        (parts[0], confirmed.strip() if text.briefing else _("None was confirmed.")),
        (parts[1], text.interests or _("Nothing was declared.")),
        *([(_("What was asked of interests"), text.question)] if text.question else []),
        *([(_("Interests of the organisation"), text.because)] if text.because else []),
        *text.about,
    ]
    return {
        "title": _say(title, language, is_said=True),
        "above": _(
            "%(reference)s, on revision %(revision)s of the terms",
            reference=source.reference,
            revision=terms["revision"],
        ),
        "below": [
            _say(
                _(
                    "of %(name)s, %(organisation)s",
                    name=text.name,
                    organisation=text.organisation,
                ),
                language,
                is_said=True,
            ),
            _say(source.document["cooperation"]["title"], language),
        ],
        "running": f"{title} · {source.reference}",
        "sections": [
            {
                "title": _say(_("What was undertaken"), language, is_said=True),
                "sentence": _say(text.sentence, language),
                "items": [
                    {
                        "code": code,
                        "label": _say(label, language) if label else None,
                        "prompt": None,
                        "answers": [
                            {
                                "by": None,
                                "parts": [_part(("", words), language)],
                            }
                        ],
                    }
                    for code, label, words in text.points
                ],
            },
            *_documents(text.documents, language),
            _beside(_("What was confirmed beside it"), entries, language),
        ],
    }


def _documents(documents: Sequence[SignedDocument], language: str) -> list[Values]:
    """Return the section with the documents signed with an undertaking, if there are any."""
    if not documents:
        return []
    items = []
    for document in documents:
        words = {"kind": document.kind, "version": document.version}
        kind = (
            _("%(kind)s. Version: %(version)s", **words)
            if document.kind
            else _("Version: %(version)s", **words)
        )
        items.append(
            {
                "code": COVERS,
                "label": _say(document.title, language),
                "prompt": _say(kind, language, is_said=True),
                "answers": [
                    {"by": None, "parts": [_part(("", words), language)], "is_quoted": is_quoted}
                    for words, is_quoted in ((document.text, True), (document.sentence, False))
                ],
                "digest": {
                    "label": f"{_('Digest of this text')} (SHA-256)",
                    "groups": _groups(document.digest),
                },
            }
        )
    return [{"title": _say(_("Other documents signed"), language, is_said=True), "items": items}]


# Signatures ---------------------------------------------------------------------------------------


def _signature(signature: Signature, passed_on: Sequence[PassedOn], language: str) -> Values:
    power = (
        power_words(signature.power, signature.power_from, signature.power_until)
        if signature.power
        else ""
    )
    confirmed = confirmed_words(signature.power_confirmed)
    when = when_signed(signature.signed_at, signature.paper)
    return {
        "name": _say(signature.signer_name, language),
        "capacity": _say(capacity_words(signature), language, is_said=True),
        "heading": _say(
            _(
                "%(name)s, %(capacity)s",
                name=signature.signer_name,
                capacity=capacity_words(signature),
            ),
            language,
            is_said=True,
        ),
        "passed_on": [
            _say(passed_on_words(step.before, step.after, step.reason), language, is_said=True)
            for step in passed_on
        ],
        "proof_label": _("On paper") if when.is_on_paper else _("Proof of identity"),
        "proof": _proof(signature, when),
        "power": _say(_("by %(power)s", power=power), language, is_said=True) if power else None,
        "confirmed": _say(confirmed, language, is_said=True) if confirmed else None,
        "when": signed_words(when),
        "method": scan_words(when) or str(METHODS[signature.method]),
        "sentence": _say(signature.sentence, language, of=signature.language),
        "digest": _groups(signature.digest),
        "account": str(signature.user_id),
    }


def _proof(signature: Signature, when: SignedWhen) -> str:
    """Return how a signer proved who they are, and when; for a paper, each date with its name."""
    if when.is_on_paper:
        return str(
            _(
                "%(signed)s. %(method)s. %(scan)s.",
                signed=signed_words(when),
                method=how_signed(signature),
                scan=scan_words(when),
            )
        )
    return str(
        _("%(method)s, %(when)s", method=how_signed(signature), when=signed_words(when)),
    )


# Notices and evidence -----------------------------------------------------------------------------


def _notices(source: Source, language: str) -> list[Values]:
    """Return what a reader has to know first: whether the text is valid, or a demonstration."""
    known = languages(source)
    notices = []
    if source.is_demonstration:
        notices.append(
            _("Demonstration. These people and organisations do not exist, and nobody signed.")
        )
    before = source.document.get("made_before")
    if before is not None:
        notices.append(
            _(
                "Made on paper on %(day)s, before you used this tool.",
                day=as_date(dt.date.fromisoformat(before["signed_on"])),
            )
            + " "
            + _(
                "This revision contains what is known about it here. No second reader reviewed "
                "it here, and it wasn't signed electronically: the scan shows what was signed, "
                "and the other parties confirmed it."
            )
        )
    if len(known) > 1 and language == known[0]:
        notices.append(
            _(
                "This text was agreed in %(languages)s. If two of them differ, this one, in "
                "%(binding)s, is binding.",
                languages=listed(name_of(code) for code in known),
                binding=name_of(known[0]),
            )
        )
    elif len(known) > 1:
        notices.append(
            _(
                "This is the text in %(language)s. If two languages differ, the one in "
                "%(binding)s is binding.",
                language=name_of(language),
                binding=name_of(known[0]),
            )
        )
    return [_say(words, language, is_said=True) for words in notices]


def _evidence(source: Source, language: str) -> Values:
    where = address(source.reference, source.revision.digest)
    titles = _titles(source, language)
    return {
        "title": _("Evidence"),
        "lede": _(
            "Anyone who has this file can check it without an account, at the address below. It "
            "shows whether the text is genuine and still valid, and nothing of what it says."
        ),
        "facts": [
            {"label": label, "value": _say(words, language, is_said=True)}
            for label, words in _facts(source)
        ],
        "digests": [
            {"label": label, "about": about, "groups": _groups(digest)}
            for label, about, digest in _digests(source)
        ],
        "check": {
            "title": _("Check this document"),
            "words": _("Open this address, or point a camera at the code beside it."),
            "address": where,
            "qr": qr_code.svg(where),
            "digest_label": _("Digest of the text (SHA-256 of its canonical form, RFC 8785)"),
            "alt": _("Code with the address of the page where this text can be checked"),
        },
        "signers_title": _("Who signed, and how it was proved"),
        "sentence_label": _("The sentence agreed to"),
        "digest_label": _("Digest of the signature"),
        "account_label": _("Account"),
        "events_title": _("What happened"),
        "events_words": _(
            "Events in the trail of this cooperation, each bound to the one before by its digest."
        ),
        "event_heads": [_("No."), _("When"), _("What happened, and who did it")],
        "events": [
            _event(item_titles.with_titles(line, titles, source.revision.kind), language)
            for line in source.events
        ],
    }


def _titles(source: Source, language: str) -> item_titles.Titles:
    """Return the titles of a text's items by kind and code, as it was frozen."""
    if source.is_undertaking:
        return {}
    return {source.revision.kind: frozen_text.read(source.document, language).titles}


def _facts(source: Source) -> list[tuple[str, str]]:
    document = source.document
    version = frozen_text.template_version_of(document)
    known = languages(source)
    facts = [
        (
            _("Text"),
            _(
                "Frozen on %(when)s from template version %(version)s",
                when=as_datetime(source.revision.frozen_at),
                version=version,
            ),
        )
    ]
    if document.get("guidance"):
        facts.append(
            (
                _("Guidance"),
                with_semicolons(
                    _(
                        "%(article)s, revision %(number)s",
                        article=f"{passage['slug']} ({name_of(passage['language'])})",
                        number=passage["revision"],
                    )
                    for passage in document["guidance"]
                ),
            )
        )
    facts += [
        (
            _("Languages"),
            _(
                "%(languages)s. Binding: %(binding)s.",
                languages=listed(name_of(code) for code in known),
                binding=name_of(known[0]),
            ),
        ),
        (
            _("Inside this file"),
            _(
                "%(name)s, the canonical form of the text (RFC 8785), byte for byte as it was "
                "signed",
                name=CANONICAL,
            ),
        ),
        (
            _("Made"),
            _(
                "%(when)s, and signed with the document key %(number)s of this instance",
                when=as_datetime(source.made_at),
                number=source.key_number,
            ),
        ),
        (_("Times"), _("Times are in %(place)s.", place=clock.zone().key)),
    ]
    return facts


def _digests(source: Source) -> list[tuple[str, str, str]]:
    digests = []
    if source.is_undertaking:
        digests.append(
            (
                _("Digest of the terms"),
                _("SHA-256 of the text that the undertaking is based on"),
                source.document["terms"]["digest"],
            )
        )
    digests.append(
        (
            _("Key of this file"),
            _("SHA-256 of the certificate it is signed with"),
            source.key_fingerprint,
        )
    )
    return digests


def _event(line: HistoryLine, language: str) -> Values:
    if not line.details and not line.who:
        words, who = _("The details of this event were erased."), ""
    else:
        words = _sentence(line)
        who = _who(line)
    return {
        "number": line.number,
        "when": as_datetime(line.at, "medium"),
        "words": _say(words, language, is_said=True),
        "who": _say(who, language, is_said=True) if who else None,
        "digest": _groups(line.digest),
    }


def _sentence(line: HistoryLine) -> str:
    """Return an event as a sentence, as pages show it."""
    sentences = current_app.jinja_env.get_template("history/sentences.html").module
    words = unescape(_MARK.sub("", getattr(sentences, line.verb)(line.details)))
    return " ".join(words.split())


def _who(line: HistoryLine) -> str:
    if line.who and line.acting_for:
        return str(_("%(name)s, for %(organisation)s", name=line.who, organisation=line.acting_for))
    if line.who:
        return line.who
    if line.is_veiled:
        return str(_("Someone from %(organisation)s", organisation=line.acting_for or ""))
    return str(_("By the application"))


# Words --------------------------------------------------------------------------------------------


def _say(words: str, around: str, *, of: str = "", is_said: bool = False) -> Values:
    """Return text with its language and direction if they differ from those around it.

    is_said: the application wrote it in the surrounding language. Other text without a language was
    typed by people, and its direction follows from its first letter.
    """
    spoken = around if is_said else (of or language_of(words))
    values: Values = {"t": str(words)}
    if spoken and spoken != around:
        values["lang"] = spoken
    turned = direction(spoken) if spoken else _typed_direction(str(words), direction(around))
    if turned != direction(around):
        values["dir"] = turned
    return values


def _typed_direction(words: str, otherwise: str) -> str:
    """Return the direction of typed text: that of its first letter that has one.

    Digits, as in phone numbers, have none: they are isolated where they would be reversed.
    """
    kinds = {unicodedata.bidirectional(letter) for letter in words}
    for letter in words:
        match unicodedata.bidirectional(letter):
            case "L":
                return "ltr"
            case "R" | "AL":
                return "rtl"
    return "number" if otherwise == "rtl" and kinds & {"EN", "AN"} else otherwise


def _groups(digest: str) -> list[str]:
    return [digest[at : at + GROUP] for at in range(0, len(digest), GROUP)]

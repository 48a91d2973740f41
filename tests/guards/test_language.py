"""Phrases of a translated sentence, which code, documents, pages and commands must not contain."""

import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest
from babel.messages.pofile import read_po

from tests.guards.sources import outline_of, text_of
from tests.guards.test_project import name, python_files
from tracker import create_app
from tracker.core.paths import CONTENT, PACKAGE, ROOT
from tracker.settings import Settings

# What not to write, and what to write instead. Only phrases that good English never needs: "own
# article", "own passage" and "own guidance" are terms of the product.
PHRASES = {
    r"\b(?:the|an) own\b(?! (?:articles?|passages?|guidance|one|text)\b)": "one's own, their own",
    r"\bof who (?:is|was|may|can|signs)\b": "name the people, as in: invalid signatories",
    r"\bwhose day has come\b": "that are due today",
    r"\bin as many statements for many as for one\b": "in a constant number of statements",
    r"\bup the house\b": "in a higher package",
    r"\bkept in no table\b": "never stored",
    r"\bwords that know the(?:ir)? language\b": "a str subclass that carries its language code",
    r"\b(?:at|the) door\b": "access control",
    r"\bset who may have it\b|\bset aside for good\b": "disable",
    r"\blaxer\b": "looser",
    r"\bbrought along\b": "shipped",
    r"\bnobody gives the own\b": "you can't give yourself",
    r"\bput back what a process has but once\b": "reset process-wide state",
    r"\blay the lines\b": "format",
    r"\bbefore the product came\b|\bmade before the product\b": "a prior agreement",
    r"\bthe party acted for\b": "the actor's party",
    r"\bis none any more\b": "is no longer a party",
}
# The same for what pages, mails, commands and guides say: the phrases to avoid on pages, in the
# order of the table that the project gives its authors, and what to write instead.
ON_PAGES = {
    r"\baccounts come by\b": "you need an invitation to join",
    r"\ba link for a new one\b": "we'll email you a link",
    r"\btimes are those of\b": "times are in",
    r"^waits for (?:you|others)\b": "your tasks, waiting for others",
    r"\bdo what a comment asks\b": "task from a comment",
    r"\bundertakings? of (?:\d+|%\(num\)s) (?:person|people)\b": "1 undertaking to countersign",
    r"\bbring(?:s|ing)? (?:\w+ )?in\b": "add a person",
    r"\btak(?:es?|en|ing) (?:out|in)\b": "remove, export, save",
    r"\btak(?:es?|en|ing) evidence out\b|\btake it with you\b": "export evidence, export",
    r"\bpropos(?:e|es|ed) (?:other|mine)\b": "suggest a change",
    r"\bask(?:ed|s)? to talk\b": "ask to discuss",
    r"\bset this answer\b": "wrote this answer",
    r"\bno position yet\b": "not yet reviewed",
    r"\bwith other words\b": "suggest something else",
    r"\bturn(?:s|ed)? (?:\w+ ){0,3}down\b": "decline",
    r"\bcame about\b": "history",
    r"\bflags? a limit\b": "limits the NPM's independence",
    r"\bexplain the term\b|\bclose the flag\b": "explain why this is acceptable",
    r"^rests on\b|\brests on S\d": "source, based on",
    r"\bnot complete and agreed\b": "items still to agree, by their names",
    r"\bwhen nothing of (?:this|it) is left\b": "before you can send this",
    r"\bthe proposal is the answer\b": "change accepted",
    r"\bfreeze and send\b": "send for signature",
    r"\bby the power of\b|\bbind it to this text\b": "under ..., this agreement then binds it",
    r"\bon the page before\b": "step 2 of 2",
    r"\blanguage that counts\b": "binding language",
    r"\bsets? (?:it|them) off\b": "what triggers the plan",
    r"\black(?:s|ing)? signatures?\b": "waiting for signatures",
    r"\bbeing filled in\b": "draft",
    r"\bcan it be trusted\b": "check that nothing was altered",
    r"\bis open to you\b": "you now have access",
    r"\btells? nobody\b": "tell only the people on the list",
    r"(?:^|[.:] )who is not listed\b": "only people listed here",
    r"\btakes? part in all\b": "added so far",
    r"\w\(s\)(?!\w)": "both forms of the plural",
    r"\bshow again with\b": "update the list",
    r"\bwhat it touches\b": "affects",
    r"\bno \w+ answers this\b": "no agreements found",
    r"\bbrought along\b": "supplied with the software",
    r"\blaxer\b": "looser",
    r"\b(?:the|an) own\b(?! guidance\b)": "their, a personal",
    r"\bit holds already\b|\bfirst day of that power\b": "valid from, already valid",
    r"^you can't scan it\b": "can't scan the code?",
    r"\bnobody gives\b": "you can't give yourself",
    # Not in the table.
    r"\bat once\b": "immediately, at the same time",
    r"\bduty to keep silent\b": "duty of confidentiality",
    r"\bby mail\b": "by email",
    r"\b(?:is|are) told\b": "is notified, gets a message",
    r"\bcounts as yes\b": "is needed for now",
}
# The same words with whatever follows: finding the comments of a file takes much longer.
_SUSPECT = re.compile("|".join(pattern.partition("(?!")[0] for pattern in PHRASES), re.IGNORECASE)
CATALOGUE = PACKAGE / "translations" / "messages.pot"
GUILTY = [
    "Take on an item that nobody of the own side has.",
    "Return the labels of who is misnamed.",
    "Apply the notices whose day has come.",
    "What follows an event further up the house.",
    "Read rows in as many statements for many as for one.",
    "It can be made stricter, not laxer.",
]
INNOCENT = [
    "Assign an unassigned item to yourself.",
    "Return the labels of invalid signatories.",
    "Apply notices that are due today.",
    "Event handlers, in the order they run.",
    "A person's own undertaking, and one's own side.",
]


def phrases_in(text: str, phrases: Mapping[str, str] = PHRASES) -> list[str]:
    """Return the phrases in a text, each with what to write instead."""
    flat = " ".join(text.split())
    return [
        f"{match[0]!r}: {better}"
        for pattern, better in phrases.items()
        for match in re.finditer(pattern, flat, re.IGNORECASE)
    ]


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of each docstring and comment of a module."""
    yield from outline_of(path).docstrings
    for token in tokenize.generate_tokens(io.StringIO(text_of(path)).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


@pytest.mark.parametrize("text", GUILTY)
def test_a_translated_phrase_is_found(text: str) -> None:
    assert phrases_in(text)


@pytest.mark.parametrize("text", INNOCENT)
def test_plain_english_passes(text: str) -> None:
    assert phrases_in(text) == []


def test_no_docstring_or_comment_reads_as_translated() -> None:
    code = [path for path in python_files() if path != Path(__file__)]
    assert len(code) > 100
    suspect = [path for path in code if _SUSPECT.search(" ".join(text_of(path).split()))]
    assert [
        f"{name(path)}:{line}: {phrase}"
        for path in suspect
        for line, text in prose(path)
        for phrase in phrases_in(text)
    ] == []


def test_no_document_reads_as_translated() -> None:
    documents = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
    assert len(documents) > 10
    assert [
        f"{name(path)}: {phrase}" for path in documents for phrase in phrases_in(path.read_text())
    ] == []


def test_no_page_reads_as_translated() -> None:
    with CATALOGUE.open("rb") as file:
        messages = [message.id for message in read_po(file) if message.id]
    texts = [text for text in messages if isinstance(text, str)]
    texts += [text for several in messages if not isinstance(several, str) for text in several]
    assert len(texts) > 3000
    assert [text for text in texts if phrases_in(text, ON_PAGES)] == []


def test_no_guide_and_no_text_of_help_reads_as_translated() -> None:
    paths = [*(ROOT / "docs" / "guides").glob("*.md"), *(CONTENT / "help" / "en").glob("*.md")]
    assert len(paths) > 14
    assert [
        f"{name(path)}: {phrase}"
        for path in sorted(paths)
        for paragraph in re.split(r"\n\n|\n(?=[-|\d#])", path.read_text())
        for phrase in phrases_in(paragraph, PHRASES | ON_PAGES)
    ] == []


def test_no_help_of_a_command_reads_as_translated(tmp_path: Path) -> None:
    app = create_app(Settings.from_environment({"TRACKER_DATA_DIR": str(tmp_path)}))
    texts = list(helps(app.cli))
    assert len(texts) > 40
    assert [text for text in texts if phrases_in(text, PHRASES | ON_PAGES)] == []


def helps(command: click.Command) -> Iterator[str]:
    """Yield the help of a command, of its options and of the commands in it."""
    yield command.help or ""
    for option in command.params:
        yield getattr(option, "help", None) or ""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for key in command.list_commands(context):
            inner = command.get_command(context, key)
            if inner is not None:
                yield from helps(inner)


def test_no_comment_of_a_template_reads_as_translated() -> None:
    comments = [
        (path, comment)
        for path in sorted((ROOT / "templates").rglob("*"))
        if path.is_file()
        for comment in re.findall(r"\{#-?(.*?)-?#\}", path.read_text(), re.DOTALL)
    ]
    assert len(comments) > 200
    assert [
        f"{name(path)}: {phrase}"
        for path, comment in comments
        for phrase in phrases_in(comment, PHRASES | ON_PAGES)
    ] == []


@pytest.mark.parametrize(
    "text",
    [
        "Take out a word",
        "A coordinator of the NPM brings you in.",
        "%(party)s proposed other words",
        "Waits for you",
        "signs the own undertaking",
        "How it came about",
        "What it opened closes at once.",
        "Turn the proposal down",
        "Sign with a code by mail",
        "All parties are told.",
        "Undertakings of %(num)s people",
        "Not complete and agreed yet: M1, M2",
        "by the power of section 12, and bind it to this text",
        "at least 2 row(s)",
        "Lacks signatures",
        "Tell nobody who is not listed in V2",
        "Who is not listed here does not see this cooperation.",
        "No agreement answers this.",
        "Without one, it holds already",
    ],
)
def test_a_translated_phrase_of_a_page_is_found(text: str) -> None:
    assert phrases_in(text, ON_PAGES)

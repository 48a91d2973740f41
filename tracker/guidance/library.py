"""The shipped guidance: read from its folder, checked, and returned as plain values.

taxonomy.yaml        categories and topics
statements.yaml      the statements of the source
guidance/<lang>/*.md the articles: front matter in YAML, lead, passages `## Title {#key S1 S2 U6}`

A passage carries statements of the source (S) and may name the items of the checklists that it
concerns most (M, C, V, U).

In one file: reading and checking of the folder are one pass, so that each mistake has its line.
"""

import datetime as dt
import hashlib
import io
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, StringConstraints
from ruamel.yaml import YAML

from tracker.core.content import YamlText, name_of, read_text, read_yaml, repeated
from tracker.core.mistakes import ContentError, Mistake
from tracker.core.schema_problems import Reading
from tracker.guidance import markdown
from tracker.guidance.markdown import PASSAGE_RANK, Heading, PassageHeading
from tracker.guidance.models import Force, Passage
from tracker.settings import KNOWN_LANGUAGES

TAXONOMY = "taxonomy.yaml"
STATEMENTS = "statements.yaml"
ARTICLES = "guidance"
_FENCE = "---"
_LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
_KEY = r"^[a-z0-9]+(-[a-z0-9]+)*$"
# Ids that the page of an article uses itself, so no passage may have them.
_PARTS_OF_A_PAGE = re.compile(r"content|passages|.*-title")


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{text} isn't a web address")
    return text


Slug = Annotated[str, StringConstraints(pattern=_KEY, max_length=60)]
TermSlug = Annotated[str, StringConstraints(pattern=_KEY, max_length=80)]
Code = Annotated[str, StringConstraints(pattern=r"^S[1-9][0-9]{0,2}$")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
Number = Annotated[int, Field(ge=1, strict=True)]


# What a text that must have a pattern looks like, as mistakes say it.
_HEAD = Reading(
    forms={
        _KEY: _l("small letters, digits and hyphens"),
        r"^S[1-9][0-9]{0,2}$": _l("the code of a statement, such as S12"),
        _LANGUAGE: _l("the code of a language, such as en"),
    }
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _known_languages(words: dict[str, str]) -> dict[str, str]:
    for code in words:
        if code not in KNOWN_LANGUAGES:
            raise ValueError(f"language {code!r} isn't one of {', '.join(KNOWN_LANGUAGES)}")
    return words


# Texts in languages other than the file's, by language.
OtherWords = Annotated[dict[str, Words], AfterValidator(_known_languages)]


class Term(_Strict):
    """A category or a topic, its name in English and in other languages."""

    slug: TermSlug
    name: Words
    names: OtherWords = {}


class StatementText(_Strict):
    """A statement of the source, in our own words."""

    code: Code
    article: Slug
    force: Force
    subject: Words | None = None
    text: Words
    texts: OtherWords = {}


class SourceText(_Strict):
    """The source of an article."""

    title: Words
    url: WebAddress


class FrontMatter(_Strict):
    """The front matter of an article's file."""

    slug: Slug
    question: Words
    summary: Words
    category: TermSlug
    topics: tuple[TermSlug, ...] = Field(min_length=1)
    language: Annotated[str, StringConstraints(pattern=_LANGUAGE)]
    revision: Number
    # For a translation: the revision of the English article that it translates.
    translates: Number | None = None
    revised_on: dt.date
    source: SourceText


class _Taxonomy(_Strict):
    categories: tuple[Term, ...] = Field(min_length=1)
    topics: tuple[Term, ...] = Field(min_length=1)


class _Statements(RootModel[tuple[StatementText, ...]]):
    pass


@dataclass(frozen=True, slots=True)
class PassageText:
    """A passage as in its file."""

    number: int
    key: str
    title: str
    statements: tuple[str, ...]
    markdown: str
    # The items of the checklists that the passage concerns most.
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ArticleText:
    """An article as in its file, with the digest of the file's text."""

    file: str
    head: FrontMatter
    revision_line: int
    lead: str
    passages: tuple[PassageText, ...]
    digest: str

    @property
    def identity(self) -> tuple[str, str]:
        """What all revisions of the article have in common: slug and language."""
        return self.head.slug, self.head.language

    @property
    def plain_text(self) -> str:
        """All text of the article except its question, a line for each paragraph, for searching."""
        return plain_text(self.head.summary, self.lead, self.passages)


@dataclass(frozen=True, slots=True)
class Library:
    """All guidance of the content folder, checked."""

    categories: tuple[Term, ...]
    topics: tuple[Term, ...]
    statements: tuple[StatementText, ...]
    articles: tuple[ArticleText, ...]

    @property
    def codes(self) -> frozenset[str]:
        """The codes of all statements."""
        return frozenset(statement.code for statement in self.statements)

    @property
    def carried(self) -> dict[str, set[str]]:
        """Each passage as "article/key", with the codes of its statements."""
        statements_carried: dict[str, set[str]] = {}
        for article in self.articles:
            for passage in article.passages:
                place = statements_carried.setdefault(f"{article.head.slug}/{passage.key}", set())
                place.update(passage.statements)
        return statements_carried

    @property
    def not_carried(self) -> tuple[str, ...]:
        """The codes of statements that no passage has, in order."""
        carried = set().union(*self.carried.values())
        return tuple(
            statement.code for statement in self.statements if statement.code not in carried
        )


def read_body(
    body: str, slug: str, statements: Mapping[str, str], items: Container[str]
) -> tuple[str, tuple[PassageText, ...]]:
    """Parse the lead and the passages of an article.

    statements are all codes, each with the slug of its article; items are the codes of all items of
    the checklists. Raise ContentError with all
    mistakes by their line in the text.
    """
    return _read_written(_Reader(Path(), statements=dict(statements), items=items), body, slug)


def read_own_body(body: str, items: Container[str]) -> tuple[str, tuple[PassageText, ...]]:
    """Parse the lead and the passages of an organisation's own article.

    Its passages name items of the checklists instead of statements: `## Title {M4 C2}`, and don't
    need a key. Raise ContentError with all mistakes by their line in the text.
    """
    return _read_written(_OwnReader(Path(), items=items), body, None)


def as_body(lead: str, passages: Iterable[PassageText | Passage]) -> str:
    """Write lead and passages as one text that parses to the same."""
    parts = [lead] if lead else []
    for passage in passages:
        codes = " ".join([f"#{passage.key}", *passage.statements, *passage.items])
        parts.append(f"## {passage.title} {{{codes}}}\n\n{passage.markdown}")
    return "\n\n".join(parts) + "\n"


def plain_text(summary: str, lead: str, passages: Iterable[PassageText | Passage]) -> str:
    """Return the text of an article except its question, a line for each paragraph."""
    parts = [summary, markdown.plain(lead)]
    for passage in passages:
        parts += [passage.title, markdown.plain(passage.markdown)]
    return "\n".join(part for part in parts if part)


def as_file(head: FrontMatter, body: str) -> str:
    """Write an article as a file of the content folder: head, then text."""
    yaml = YAML(typ="rt")
    yaml.width = 100_000  # each value on its own line
    text = io.StringIO()
    yaml.dump(head.model_dump(exclude_none=True), text)
    return f"{_FENCE}\n{text.getvalue()}{_FENCE}\n\n{body}"


def digest_of(text: str) -> str:
    """Return the digest of a file's text, which identifies a revision in frozen texts."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_file(text: str, file: str) -> tuple[FrontMatter | None, str]:
    """Split an uploaded text into its head, or None, and its body.

    Only the form of the head is checked. Raise ContentError with all mistakes by their line.
    """
    lines = text.splitlines()
    end = _end_of_head(lines)
    if end is None:
        return None, text.strip()
    mistakes: list[Mistake] = []
    yaml = read_yaml("\n".join(lines[1:end]), file, mistakes, first_line=2)
    head = None if yaml is None else yaml.fit(FrontMatter, mistakes, reading=_HEAD)
    if head is None:
        raise ContentError(mistakes)
    return head, "\n".join(lines[end + 1 :]).strip()


def _end_of_head(lines: list[str]) -> int | None:
    """Return the line on which an article's head ends; None if it has none."""
    if _FENCE not in lines[1:] or lines[0] != _FENCE:
        return None
    return lines.index(_FENCE, 1)


def _read_written(
    reader: "_Reader", body: str, slug: str | None
) -> tuple[str, tuple[PassageText, ...]]:
    parsed = _ArticleReader(reader, "text", body).read_body(body, 1, slug)
    if reader.mistakes:
        raise ContentError(reader.mistakes)
    return parsed


def read(content: Path) -> Library:
    """Read and check the guidance of a content folder; raise ContentError with all mistakes."""
    reader = _Reader(content)
    library = reader.read()
    if reader.mistakes:
        raise ContentError(reader.mistakes)
    return library


@dataclass(slots=True)
class _Reader:
    """Reads one content folder and collects its mistakes.

    References are checked against everything that is defined, well-formed or not, so that one
    mistake doesn't cause others.
    """

    content: Path
    mistakes: list[Mistake] = field(default_factory=list)
    categories: set[str] = field(default_factory=set)
    topics: set[str] = field(default_factory=set)
    statements: dict[str, str] = field(default_factory=dict)
    # All existing items, if known: shipped files are checked against the checklists later.
    items: Container[str] | None = None
    # The form of a passage's heading, as mistakes show it.
    example: str = "## Title {#key S1}"

    def read(self) -> Library:
        taxonomy = self._read_taxonomy()
        statements = self._read_statements()
        articles = tuple(self._read_articles())
        return Library(
            taxonomy.categories if taxonomy else (),
            taxonomy.topics if taxonomy else (),
            statements.root if statements else (),
            articles,
        )

    def wrong(self, file: str, line: int, message: str, advice: str = "") -> None:
        self.mistakes.append(Mistake(file, line, message, advice))

    def heading(self, words: str, _number: int) -> PassageHeading | None:
        """Parse the heading of a passage; None if it is malformed."""
        return markdown.passage_heading(words)

    def code_mistake(self, code: str, slug: str | None) -> str | None:
        """Return what is wrong with a code that a passage names."""
        article = self.statements.get(code)
        if article is None:
            return str(_("there is no statement %(code)s", code=code))
        if slug and article != slug:
            return str(
                _(
                    "statement %(code)s belongs to the article %(article)s",
                    code=code,
                    article=article,
                )
            )
        return None

    def code_mistakes(self, read: PassageHeading, slug: str | None) -> Iterator[str]:
        """Yield what is wrong with the codes in the heading of a passage."""
        messages = [self.code_mistake(code, slug) for code in read.statements]
        messages += [self.item_mistake(code) for code in read.items]
        yield from (message for message in messages if message)
        for _place, code in repeated([*read.statements, *read.items]):
            yield _("%(code)s is there twice", code=code)

    def advice_on_codes(self, slug: str | None) -> str:
        """Return which codes a passage of an article may name."""
        own = [code for code, article in self.statements.items() if article == slug]
        if not own:
            return ""
        codes = ", ".join(own)
        return str(
            _("This article's statements are %(codes)s. Items have codes like M10.", codes=codes)
        )

    def item_mistake(self, code: str) -> str | None:
        """Return what is wrong with an item that a passage names."""
        if self.items is None or code in self.items:
            return None
        return str(_("there is no item %(code)s in the checklists", code=code))

    def _read_taxonomy(self) -> _Taxonomy | None:
        text = self._yaml(TAXONOMY)
        if text is None:
            return None
        for part, known in (("categories", self.categories), ("topics", self.topics)):
            terms = text.tree.get(part) if isinstance(text.tree, Mapping) else None
            for place, slug in enumerate(_named(terms, "slug")):
                if slug in known:
                    self.wrong(TAXONOMY, text.line((part, place)), f"{slug} stands there twice")
                known.update([slug] if slug else [])
        return text.fit(_Taxonomy, self.mistakes)

    def _read_statements(self) -> _Statements | None:
        text = self._yaml(STATEMENTS)
        if text is None:
            return None
        slugs = {path.stem for path in self.content.glob(f"{ARTICLES}/*/*.md")}
        articles = _named(text.tree, "article")
        for place, code in enumerate(_named(text.tree, "code")):
            if code in self.statements:
                self.wrong(STATEMENTS, text.line((place,)), f"{code} stands there twice")
            if articles[place] and articles[place] not in slugs:
                line = text.line((place, "article"))
                self.wrong(STATEMENTS, line, f"there is no article {articles[place]}")
            if code:
                self.statements[code] = articles[place]
        return text.fit(_Statements, self.mistakes)

    def _read_articles(self) -> Iterator[ArticleText]:
        folder = self.content / ARTICLES
        paths = sorted(path for path in folder.glob("*/*") if not path.name.startswith("."))
        if not paths:
            self.wrong(ARTICLES, 1, "there are no articles")
        for path in paths:
            file = name_of(self.content, path)
            if path.suffix != ".md":
                self.wrong(file, 1, "only articles, named with .md, stand here")
                continue
            text = read_text(self.content, path, self.mistakes)
            article = None if text is None else _ArticleReader(self, file, text).read()
            if article:
                yield article

    def _yaml(self, file: str) -> YamlText | None:
        text = read_text(self.content, self.content / file, self.mistakes)
        return None if text is None else read_yaml(text, file, self.mistakes)


@dataclass(slots=True)
class _OwnReader(_Reader):
    """Reads articles whose passages name items of the checklists, and need no key."""

    example: str = "## Title {M4}"

    def heading(self, words: str, number: int) -> PassageHeading | None:
        read = markdown.passage_heading(words)
        if read is None:
            return markdown.own_heading(words, number)
        return replace(read, statements=(*read.statements, *read.items), items=())

    def code_mistake(self, code: str, _slug: str | None) -> str | None:
        return self.item_mistake(code)


@dataclass(slots=True)
class _ArticleReader:
    """Reads one article's file."""

    reader: _Reader
    file: str
    text: str

    def read(self) -> ArticleText | None:
        lines = self.text.splitlines()
        end = _end_of_head(lines)
        if end is None:
            message = _("the file has no head between two lines %(fence)s", fence=_FENCE)
            self.wrong(1, message, _("Begin it as a downloaded article does."))
            return None
        yaml = read_yaml("\n".join(lines[1:end]), self.file, self.reader.mistakes, first_line=2)
        mistakes = self.reader.mistakes
        head = None if yaml is None else yaml.fit(FrontMatter, mistakes, reading=_HEAD)
        slug = head.slug if head else None
        lead, passages = self.read_body("\n".join(lines[end + 1 :]), end + 2, slug)
        if not yaml or not head:
            return None
        self._check_head(yaml, head)
        line = yaml.line(("revision",))
        return ArticleText(self.file, head, line, lead, passages, digest_of(self.text))

    def wrong(self, line: int, message: str, advice: str = "") -> None:
        self.reader.wrong(self.file, line, message, advice)

    def _check_head(self, yaml: YamlText, head: FrontMatter) -> None:
        _folder, language, name = self.file.split("/")
        if name != f"{head.slug}.md":
            self.wrong(yaml.line(("slug",)), f"slug is {head.slug}, but the file's name {name}")
        if language != head.language:
            message = f"language is {head.language}, but the folder's name {language}"
            self.wrong(yaml.line(("language",)), message)
        if head.category not in self.reader.categories:
            self.wrong(yaml.line(("category",)), f"there is no category {head.category}")
        for place, topic in enumerate(head.topics):
            if topic not in self.reader.topics:
                self.wrong(yaml.line(("topics", place)), f"there is no topic {topic}")
        for place, topic in repeated(head.topics):
            self.wrong(yaml.line(("topics", place)), f"topic {topic} stands there twice")

    def read_body(
        self, body: str, first_line: int, slug: str | None
    ) -> tuple[str, tuple[PassageText, ...]]:
        """Split the body at its passages' headings; slug is the article's, if it is known."""
        for line, reason in markdown.unfit(body):
            self.wrong(first_line + line, reason)
        headings = markdown.headings(body)
        starts = [heading for heading in headings if heading.rank == PASSAGE_RANK]
        for heading in headings:
            before = not starts or heading.line < starts[0].line
            if heading.rank < PASSAGE_RANK or before:
                message = _("a heading belongs into a passage, which begins with ##")
                advice = _("Write ### here, or %(example)s first.", example=self.reader.example)
                self.wrong(first_line + heading.line, message, advice)
        if not starts:
            message = _("the article has no passage")
            advice = _("Begin one with a line such as %(example)s.", example=self.reader.example)
            self.wrong(first_line, message, advice)
        lines = body.splitlines()
        ends = [*(heading.line for heading in starts[1:]), len(lines)]
        passages = (
            tuple(
                self._read_passage(number, heading, lines[heading.end : end], first_line, slug)
                for number, (heading, end) in enumerate(zip(starts, ends, strict=True), start=1)
            )
            if starts
            else ()
        )
        for place, key in repeated([passage.key for passage in passages]):
            message = _("passage %(key)s is there twice", key=key)
            advice = _("Give each passage a key of its own.")
            self.wrong(first_line + starts[place].line, message, advice)
        return "\n".join(lines[: starts[0].line if starts else None]).strip(), passages

    def _read_passage(
        self,
        number: int,
        heading: Heading,
        lines: list[str],
        first_line: int,
        slug: str | None,
    ) -> PassageText:
        line = first_line + heading.line
        text = "\n".join(lines).strip()
        if not text:
            advice = _("Write its text below the heading, or remove the heading.")
            self.wrong(line, _("the passage has no text"), advice)
        read = self.reader.heading(heading.words, number)
        if read is None:
            message = _("this heading isn't one that begins a passage")
            advice = _("Write it like this: %(example)s", example="## Title {#key S1 S2}")
            self.wrong(line, message, advice)
            return PassageText(number, f"line {line}", heading.words, (), text)
        if not re.match(_KEY, read.key):
            message = _(
                "the key %(key)s may contain small letters, digits and hyphens only", key=read.key
            )
            self.wrong(line, message, _("Write a key such as use-and-publication."))
        elif _PARTS_OF_A_PAGE.fullmatch(read.key):
            message = _("the key %(key)s names a part of the page", key=read.key)
            self.wrong(line, message, _("Choose another key."))
        for message in self.reader.code_mistakes(read, slug):
            self.wrong(line, message, self.reader.advice_on_codes(slug))
        return PassageText(number, read.key, read.title, read.statements, text, read.items)


def _named(things: Any, key: str) -> list[str]:
    """Return the value of one key of each thing in a list as written; "" if it has none."""
    listed = things if isinstance(things, list) else []
    return [str(thing.get(key, "")) if isinstance(thing, Mapping) else "" for thing in listed]

"""View models for guidance pages."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from markupsafe import Markup, escape

from tracker.access.actor import Actor
from tracker.guidance import queries
from tracker.guidance.labels import FORCE
from tracker.guidance.markdown import render
from tracker.guidance.models import Article, Passage, Statement
from tracker.guidance.own import OwnPassageText, OwnText, find_own
from tracker.guidance.queries import RevisionLine, Taxonomy, Use
from tracker.guidance.service import ARTICLE
from tracker.search import service as search
from tracker.search.words import NOTHING, Question, mark, snippet

# How many passages of an article are named under it.
_MOST_PASSAGES = 4
_MOST_HITS = 1000

Address = Callable[[Use], str | None]


@dataclass(frozen=True, slots=True)
class Choice:
    """What is asked of the library: words, a category and a topic, each or none."""

    question: Question = NOTHING
    category: str = ""
    topic: str = ""


@dataclass(frozen=True, slots=True)
class PassageLink:
    """A passage that answers, to go to."""

    key: str
    number: int
    title: Markup


@dataclass(frozen=True, slots=True)
class Line:
    """An article in the library; words asked for are marked.

    One of an organisation's own has an id and names the organisation; the others have a slug.
    """

    slug: str
    language: str
    question: Markup
    excerpt: Markup
    category: str
    uses: int
    passages: tuple[PassageLink, ...]
    own_id: UUID | None = None
    organisation: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The articles that answer, and how many there would be under each category and topic.

    topics_there are the topics that any article is on, whatever is asked.
    """

    articles: tuple[Article | OwnText, ...]
    categories: dict[str, int]
    topics: dict[str, int]
    topics_there: frozenset[str]
    hits: dict[str, search.Hit]

    def lines(
        self, shown: Sequence[Article | OwnText], taxonomy: Taxonomy, asked: Question
    ) -> list[Line]:
        """Return some of the articles as they are shown, with the passages that answer."""
        uses = queries.count_uses()
        shipped = [row for row in shown if isinstance(row, Article)]
        passages = queries.passages_of(shipped) if asked else {}
        return [
            _own_line(row, taxonomy, asked)
            if isinstance(row, OwnText)
            else Line(
                slug=row.slug,
                language=row.language,
                question=mark(row.question, asked),
                excerpt=self.hits[row.slug].snippet if asked else escape(row.summary),
                category=taxonomy.categories.get(row.category, row.category),
                uses=uses.get(row.slug, 0),
                passages=_answering(passages.get(row.slug, ()), asked),
            )
            for row in shown
        ]


def _own_line(row: OwnText, taxonomy: Taxonomy, asked: Question) -> Line:
    return Line(
        slug="",
        language=row.language,
        question=mark(row.question, asked),
        excerpt=snippet(row.text, asked) if asked else escape(row.summary),
        category=taxonomy.categories.get(row.category, row.category),
        uses=row.uses,
        passages=_answering(row.passages, asked),
        own_id=row.id,
        organisation=row.organisation,
    )


def find(choice: Choice, language: str, actor: Actor | None = None) -> Found:
    """Return the articles that answer a choice: the best first, without words by their question.

    What organisations wrote themselves is among them where the actor may see it; where words are
    looked for it comes first. The number beside a category says how many articles answer the words
    and the topic, and the number beside a topic how many answer the words and the category: what
    choosing it would show.
    """
    articles = queries.current_articles(language)
    visible = find_own(actor, choice.question)
    own = [row for row in visible if row.answers]
    everything: list[Article | OwnText] = [*articles, *visible]
    answering: list[Article | OwnText]
    hits: dict[str, search.Hit] = {}
    if choice.question:
        languages = {row.slug: row.language for row in articles}
        found = search.find(choice.question, [ARTICLE], limit=_MOST_HITS)
        hits = {hit.key: hit for hit in found if languages.get(hit.key) == hit.language}
        places = {slug: place for place, slug in enumerate(hits)}
        shipped = sorted(
            (row for row in articles if row.slug in hits), key=lambda row: places[row.slug]
        )
        answering = [*own, *shipped]
    else:
        answering = sorted([*own, *articles], key=lambda row: row.question.casefold())
    in_category = [row for row in answering if choice.category in {"", row.category}]
    on_topic = [row for row in answering if not choice.topic or choice.topic in row.topics]
    return Found(
        articles=tuple(row for row in in_category if row in on_topic),
        categories=_counted([[row.category] for row in on_topic]),
        topics=_counted([row.topics for row in in_category]),
        topics_there=frozenset(slug for row in everything for slug in row.topics),
        hits=hits,
    )


@dataclass(frozen=True, slots=True)
class StatementView:
    """A statement that a passage carries; force is how strongly the source puts it."""

    code: str
    force: object
    text: str


@dataclass(frozen=True, slots=True)
class UseView:
    """An item of a checklist that rests on a passage, with the way to it where there is one."""

    code: str
    label: str
    url: str | None


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage with what it carries and what rests on it."""

    key: str
    number: int
    title: str
    marked_title: Markup
    text: Markup
    statements: tuple[StatementView, ...]
    uses: tuple[UseView, ...]


@dataclass(frozen=True, slots=True)
class ArticleView:
    """One revision of an article, and the others."""

    article: Article
    lead: Markup
    passages: tuple[PassageView, ...]
    category: str
    topics: dict[str, str]
    revisions: tuple[RevisionLine, ...]

    @property
    def current(self) -> RevisionLine | None:
        """The current revision in the same language; none once the article is withdrawn."""
        return next((line for line in self._own if line.is_current), None)

    @property
    def older(self) -> list[RevisionLine]:
        """The other revisions in the same language, the newest first."""
        return [line for line in self._own if line.revision != self.article.revision]

    @property
    def languages(self) -> list[str]:
        """The other languages in which the article is current."""
        return [
            line.language
            for line in self.revisions
            if line.is_current and line.language != self.article.language
        ]

    @property
    def _own(self) -> list[RevisionLine]:
        return [line for line in self.revisions if line.language == self.article.language]


def article_view(row: Article, asked: Question, address: Address, language: str) -> ArticleView:
    """Return an article as it is shown; words asked for are marked. address leads to an item.

    language is the reader's, in which categories and topics are named.
    """
    refs = {passage.key: f"{row.slug}/{passage.key}" for passage in row.passages}
    statements = queries.statements(code for one in row.passages for code in one.statements)
    # What rests on the guidance rests on the text as it is now, not on an older one.
    uses = queries.uses_of(list(refs.values()), language) if row.is_current else {}
    taxonomy = queries.taxonomy(language)
    return ArticleView(
        article=row,
        lead=render(row.lead, question=asked),
        passages=tuple(
            PassageView(
                key=passage.key,
                number=passage.number,
                title=passage.title,
                marked_title=mark(passage.title, asked),
                text=render(passage.markdown, question=asked),
                statements=_carried(passage, statements, row.language),
                uses=tuple(
                    UseView(use.code, use.label, address(use))
                    for use in uses.get(refs[passage.key], ())
                ),
            )
            for passage in row.passages
        ),
        category=taxonomy.categories.get(row.category, row.category),
        topics={slug: taxonomy.topics.get(slug, slug) for slug in row.topics},
        revisions=tuple(queries.revisions(row.slug)),
    )


def _carried(
    passage: Passage, statements: dict[str, Statement], language: str
) -> tuple[StatementView, ...]:
    found = (statements[code] for code in passage.statements if code in statements)
    return tuple(
        StatementView(
            one.code, FORCE[one.force], queries.in_language(one.text, one.texts, language)
        )
        for one in found
    )


def _counted(named: Iterable[Sequence[str]]) -> dict[str, int]:
    """Count how often each slug is named; the empty one stands for all."""
    counts: dict[str, int] = {"": 0}
    for slugs in named:
        for slug in ("", *slugs):
            counts[slug] = counts.get(slug, 0) + 1
    return counts


def _answering(
    passages: Sequence[Passage | OwnPassageText], asked: Question
) -> tuple[PassageLink, ...]:
    """Choose the passages to name: those that hold most of the words asked for, in their order.

    Among those equally good the ones with the words in their title come first.
    """
    worth = {
        one: (asked.count_held(f"{one.title}\n{one.markdown}"), asked.count_held(one.title))
        for one in passages
    }
    most = max((held for held, _titled in worth.values()), default=0)
    best = sorted(
        (one for one in passages if most and worth[one][0] == most),
        key=lambda one: (-worth[one][1], one.number),
    )
    return tuple(
        PassageLink(one.key, one.number, mark(one.title, asked))
        for one in sorted(best[:_MOST_PASSAGES], key=lambda one: one.number)
    )

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
from tracker.guidance.queries import ArticleRead, RevisionLine, Taxonomy, Use
from tracker.guidance.service import ARTICLE
from tracker.search import service as search
from tracker.search.words import NOTHING, Question, mark, snippet

# How many passages are listed under an article.
_MOST_PASSAGES = 4
_MOST_HITS = 1000

Address = Callable[[Use], str | None]


@dataclass(frozen=True, slots=True)
class Choice:
    """The filters of the library: search words, a category and a topic, each optional."""

    question: Question = NOTHING
    category: str = ""
    topic: str = ""


@dataclass(frozen=True, slots=True)
class PassageLink:
    """A matching passage to link to."""

    key: str
    number: int
    title: Markup


@dataclass(frozen=True, slots=True)
class Line:
    """An article in the library; search words are marked.

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
    """The matching articles, and how many there would be in each category and topic.

    topics_there are the topics of any article, whatever the filters.
    """

    articles: tuple[Article | OwnText, ...]
    categories: dict[str, int]
    topics: dict[str, int]
    topics_there: frozenset[str]
    hits: dict[str, search.Hit]

    def lines(
        self, shown: Sequence[Article | OwnText], taxonomy: Taxonomy, question: Question
    ) -> list[Line]:
        """Return some of the articles as they are shown, with the matching passages."""
        uses = queries.count_uses()
        shipped = [row for row in shown if isinstance(row, Article)]
        passages = queries.passages_of(shipped) if question else {}
        return [
            _own_line(row, taxonomy, question)
            if isinstance(row, OwnText)
            else Line(
                slug=row.slug,
                language=row.language,
                question=mark(row.question, question),
                excerpt=self.hits[row.slug].snippet if question else escape(row.summary),
                category=taxonomy.categories.get(row.category, row.category),
                uses=uses.get(row.slug, 0),
                passages=_answering(passages.get(row.slug, ()), question),
            )
            for row in shown
        ]


def _own_line(row: OwnText, taxonomy: Taxonomy, question: Question) -> Line:
    return Line(
        slug="",
        language=row.language,
        question=mark(row.question, question),
        excerpt=snippet(row.text, question) if question else escape(row.summary),
        category=taxonomy.categories.get(row.category, row.category),
        uses=row.uses,
        passages=_answering(row.passages, question),
        own_id=row.id,
        organisation=row.organisation,
    )


def find(choice: Choice, language: str, actor: Actor | None = None) -> Found:
    """Return the articles that match the filters: the best first, without words by their question.

    They include organisations' own ones that the actor may see, first in a search. The number
    beside a category says how many articles match the words and the topic, and the number beside a
    topic how many match the words and the category: what choosing it would show.
    """
    articles = queries.current_articles(language)
    visible = find_own(actor, choice.question)
    own = [row for row in visible if row.matches]
    everything: list[Article | OwnText] = [*articles, *visible]
    answering: list[Article | OwnText]
    hits: dict[str, search.Hit] = {}
    if choice.question:
        languages = {row.slug: row.language for row in articles}
        results = search.find(choice.question, [ARTICLE], limit=_MOST_HITS)
        hits = {hit.key: hit for hit in results if languages.get(hit.key) == hit.language}
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
    """A statement of a passage; force is how strongly the source puts it."""

    code: str
    force: object
    text: str


@dataclass(frozen=True, slots=True)
class UseView:
    """An item of a checklist based on a passage, with a link if there is one."""

    code: str
    label: str
    url: str | None


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage with its statements and the items based on it."""

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
        """The current revision in the same language; none if the article is withdrawn."""
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


def article_view(
    article: ArticleRead, question: Question, address: Address, language: str
) -> ArticleView:
    """Return an article for display; search words are marked. address returns an item's URL.

    language is the reader's, in which categories, topics and items are named.
    """
    row = article.article
    statements = queries.statements(
        code for passage in article.passages for code in passage.statements
    )
    taxonomy = queries.taxonomy(language)
    return ArticleView(
        article=row,
        lead=render(row.lead, question=question),
        passages=tuple(
            PassageView(
                key=passage.key,
                number=passage.number,
                title=passage.title,
                marked_title=mark(passage.title, question),
                text=render(passage.markdown, question=question),
                statements=_carried(passage, statements, row.language),
                uses=tuple(
                    UseView(use.code, use.label, address(use)) for use in article.uses[passage.key]
                ),
            )
            for passage in article.passages
        ),
        category=taxonomy.categories.get(row.category, row.category),
        topics={slug: taxonomy.topics.get(slug, slug) for slug in row.topics},
        revisions=tuple(article.revisions),
    )


def _carried(
    passage: Passage, statements: dict[str, Statement], language: str
) -> tuple[StatementView, ...]:
    statements_carried = (statements[code] for code in passage.statements if code in statements)
    return tuple(
        StatementView(
            statement.code,
            FORCE[statement.force],
            queries.in_language(statement.text, statement.texts, language),
        )
        for statement in statements_carried
    )


def _counted(named: Iterable[Sequence[str]]) -> dict[str, int]:
    """Count how often each slug occurs; the empty one stands for all."""
    counts: dict[str, int] = {"": 0}
    for slugs in named:
        for slug in ("", *slugs):
            counts[slug] = counts.get(slug, 0) + 1
    return counts


def _answering(
    passages: Sequence[Passage | OwnPassageText], question: Question
) -> tuple[PassageLink, ...]:
    """Choose the passages to list: those with most of the search words, in order.

    Among equally good ones, those with the words in their title come first.
    """
    worth = {
        passage: (
            question.count_held(f"{passage.title}\n{passage.markdown}"),
            question.count_held(passage.title),
        )
        for passage in passages
    }
    most = max((weight for weight, _titled in worth.values()), default=0)
    best = sorted(
        (passage for passage in passages if most and worth[passage][0] == most),
        key=lambda passage_id: (-worth[passage_id][1], passage_id.number),
    )
    return tuple(
        PassageLink(passage.key, passage.number, mark(passage.title, question))
        for passage in sorted(best[:_MOST_PASSAGES], key=lambda passage: passage.number)
    )

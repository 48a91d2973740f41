"""Content folders of guidance for tests, with unique values in each article."""

from dataclasses import dataclass, field
from pathlib import Path

from tracker.core.db import db
from tracker.core.paths import CONTENT
from tracker.guidance import library, queries, service

SHIPPED = CONTENT

ARTICLE = """\
---
slug: {slug}
question: {question}
summary: How {slug} is settled.
category: category-{number}
topics: [topic-{number}, shared-topic]
language: {language}
revision: {revision}
revised_on: 2026-05-0{revision}
source:
  title: The toolkit on {slug}
  url: https://toolkit.example/{slug}
---

A word to begin with.

## Say what is expected {{#expected S{first}}}

{text}

## Keep the rules {{#rules S{second}}}

- one rule of {slug};
- another, with **weight**.
"""


@dataclass
class Written:
    """One article of the folder, which can be written again with changes."""

    slug: str
    number: int
    language: str = "en"
    revision: int = 1
    question: str = ""
    text: str = "Both sides say what they expect."

    @property
    def markdown(self) -> str:
        return ARTICLE.format(
            slug=self.slug,
            question=self.question or f"How do we settle {self.slug}?",
            number=self.number,
            language=self.language,
            revision=self.revision,
            first=2 * self.number - 1,
            second=2 * self.number,
            text=self.text,
        )


@dataclass
class ContentFolder:
    """A folder of content that can be changed and loaded."""

    path: Path
    articles: list[Written] = field(default_factory=list)

    def write(self) -> None:
        """Write taxonomy, statements and articles in their current state."""
        numbers = sorted({article.number for article in self.articles})
        self._write(
            "taxonomy.yaml",
            "categories:\n",
            *(f"  - {{slug: category-{n}, name: Category {n}}}\n" for n in numbers),
            "topics:\n  - {slug: shared-topic, name: Shared topic}\n",
            *(f"  - {{slug: topic-{n}, name: Topic {n}}}\n" for n in numbers),
            "  - {slug: bare-topic, name: Bare topic}\n",
        )
        slugs = {article.number: article.slug for article in self.articles}
        self._write(
            "statements.yaml",
            *(
                f"- code: S{2 * n - 1 + more}\n  article: {slugs[n]}\n  force: must\n"
                f"  text: What number {2 * n - 1 + more} says.\n"
                for n in numbers
                for more in (0, 1)
            ),
        )
        for article in self.articles:
            self._write(f"guidance/{article.language}/{article.slug}.md", article.markdown)

    def load(self) -> list[str]:
        """Write the folder, load it and commit."""
        self.write()
        changes = service.load(library.read(self.path))
        db.session.commit()
        return changes

    def withdraw(self, article: Written) -> None:
        """Remove an article's file.

        Its number goes to the next article of the list.
        """
        self.articles.remove(article)
        (self.path / "guidance" / article.language / f"{article.slug}.md").unlink()

    def change(self, file: str, old: str, new: str) -> None:
        """Change some text of a file, which must contain it."""
        text = (self.path / file).read_text()
        assert old in text, f"{file} has no {old!r}"
        (self.path / file).write_text(text.replace(old, new, 1))

    def _write(self, name: str, *parts: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(parts))


def content_folder(path: Path, count: int = 2) -> ContentFolder:
    """Return a folder with this many articles, each with its own category, topic and statements."""
    articles = [Written(f"article-{number}", number) for number in range(1, count + 1)]
    folder = ContentFolder(path, articles)
    folder.write()
    return folder


def load_shipped() -> list[str]:
    """Load the shipped content, and commit."""
    changes = service.load(library.read(SHIPPED))
    db.session.commit()
    return changes


def uses_of(slug: str, language: str = "en") -> dict[str, list[queries.Use]]:
    """Return where the passages of an article are used, by their keys."""
    read = queries.article(slug, language)
    assert read is not None
    return read.uses

"""Rendering of messages in the reader's language, with a link to this instance."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from flask import current_app
from flask_babel import force_locale

from tracker.core import names
from tracker.ui import locale


@contextmanager
def in_language(language: str) -> Iterator[None]:
    """Use a language inside the block, whoever is signed in."""
    with force_locale(language):
        yield


def link(path: str) -> str:
    """Return the full URL of a path of this instance, whatever host the request named."""
    return f"{_base_url()}/{path.lstrip('/')}"


def link_to(endpoint: str, **values: object) -> str:
    """Return the full URL of an endpoint of this instance; needs no request."""
    host = urlsplit(_base_url()).netloc
    path = current_app.url_map.bind(host).build(endpoint, values)
    return link(path)


def path_of(address: str) -> str:
    """Return the path of a URL of this instance, which link() made; / for any other."""
    base = f"{_base_url()}/"
    return address[len(base) - 1 :] if address.startswith(base) else "/"


def text(
    *sentences: object,
    name: str = "",
    address: str = "",
    says_all: bool = False,
    more: Mapping[str, object] | None = None,
) -> str:
    """Return the text of an email: greeting, sentences, link, and the common ending.

    Call it inside in_language(). Sentences are neutral: no place, no date of a visit, no name of a
    partner's person, nothing of what was agreed. With says_all, the ending doesn't promise details
    after signing in: there are none, or the reader can't sign in. A name that can't be one any more
    (core.names) is left out: somebody else may have typed it.
    """
    template = current_app.jinja_env.get_template("mail/notice.txt")
    texts = [str(sentence) for sentence in sentences]
    words = template.render(
        sentences=texts,
        name="" if names.problem_of(name) else name,
        link=address,
        says_all=says_all,
        **(more or {}),
    )
    return words.strip() + "\n"


def html(body: str, language: str, subject: str) -> str:
    """Return the HTML part of an email: what its text says, with links where it has URLs.

    Only a line that is a URL of this instance becomes a link.
    """
    home = f"{_base_url()}/"
    paragraphs = [
        [(line, line.startswith(home) and " " not in line) for line in paragraph.split("\n")]
        for paragraph in body.strip().split("\n\n")
    ]
    template = current_app.jinja_env.get_template("mail/alternative.html")
    return template.render(
        paragraphs=paragraphs,
        language=language,
        direction=locale.direction(language),
        subject=subject,
    )


def _base_url() -> str:
    return str(current_app.extensions["settings"].base_url)

"""Compression of pages with a random length, so that their size doesn't reveal their content.

A page that repeats part of the request beside a secret can be guessed from its compressed size
(BREACH). So each response is longer by a random number of bytes, CSRF tokens look different in each
response (core.csrf), and pages that show a secret are not compressed.
"""

import gzip
import io
import secrets

from flask import Flask, g, request
from werkzeug.wrappers import Response

# Below this, the gzip header costs more than compression saves.
WORTH_IT = 500
# At most so many random bytes are added, as the file name in the gzip header.
MOST_MORE = 100
# Higher levels take longer and save little on pages.
LEVEL = 6
_SHOWS_SECRET = "page_shows_a_secret"  # noqa: S105 -- a name


def init_compression(app: Flask) -> None:
    """Compress pages for clients that accept gzip; call it before other response hooks."""
    # The first registered runs last.
    app.after_request(_compress)
    app.jinja_env.globals["never_compressed"] = never_compressed


def never_compressed() -> str:
    """Mark this response as showing a secret; for templates, where it renders as nothing."""
    setattr(g, _SHOWS_SECRET, True)
    return ""


def _compress(response: Response) -> Response:
    if response.mimetype != "text/html" or response.is_streamed or response.direct_passthrough:
        return response
    response.vary.add("Accept-Encoding")
    if g.get(_SHOWS_SECRET) or response.content_encoding or not request.accept_encodings["gzip"]:
        return response
    content = response.get_data()
    if len(content) >= WORTH_IT:
        response.set_data(compressed(content))
        response.content_encoding = "gzip"
    return response


def compressed(content: bytes) -> bytes:
    """Return content as gzip, with a length that differs each time."""
    packed = io.BytesIO()
    name = "a" * secrets.randbelow(MOST_MORE + 1)
    with gzip.GzipFile(name, "wb", compresslevel=LEVEL, fileobj=packed, mtime=0) as file:
        file.write(content)
    return packed.getvalue()

"""Static files: kept in memory, compressed once, addressed by their fingerprint."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flask import Flask, abort, current_app, request
from werkzeug.wrappers import Response

from tracker.access.gate import public

ONE_YEAR = 365 * 24 * 60 * 60
_COMPRESSED = {"text/css", "text/javascript", "image/svg+xml"}
_TYPES = {
    ".webp": "image/webp",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Asset:
    """One file: its bytes, its type, its fingerprint."""

    content: bytes
    kind: str

    @cached_property
    def fingerprint(self) -> str:
        """The first digits of the digest of the content."""
        return hashlib.sha256(self.content).hexdigest()[:12]

    @cached_property
    def compressed(self) -> bytes | None:
        """The compressed content, if that saves anything."""
        return gzip.compress(self.content, 9, mtime=0) if self.kind in _COMPRESSED else None


class Assets:
    """All files of a folder, read when the application starts."""

    def __init__(self, folder: Path, *, watch: bool = False) -> None:
        self._folder = folder
        self._watch = watch
        self._files = self._read()

    def get(self, name: str) -> Asset | None:
        """Return a file by its path in the folder; in development its current content."""
        if self._watch:
            self._files = self._read()
        return self._files.get(name)

    def _read(self) -> dict[str, Asset]:
        paths = sorted(path for path in self._folder.rglob("*") if path.is_file())
        return {
            path.relative_to(self._folder).as_posix(): Asset(path.read_bytes(), _kind(path))
            for path in paths
        }


def init_assets(app: Flask) -> None:
    """Serve the static folder from memory, with fingerprints and long caching."""
    assets = Assets(Path(str(app.static_folder)), watch=app.debug)
    app.extensions["assets"] = assets
    app.jinja_env.globals["static_url"] = static_url
    app.view_functions["static"] = serve


def static_url(name: str) -> str:
    """Return the URL of a file, which changes with its content."""
    asset: Asset | None = current_app.extensions["assets"].get(name)
    if asset is None:
        raise LookupError(f"there is no file static/{name}")
    return f"{request.script_root}{current_app.static_url_path}/{name}?v={asset.fingerprint}"


@public
def serve(filename: str) -> Response:
    """Respond with a file, cached permanently if the URL has its fingerprint."""
    asset: Asset | None = current_app.extensions["assets"].get(filename)
    if asset is None:
        abort(404)
    packed = asset.compressed if request.accept_encodings["gzip"] else None
    response = Response(packed or asset.content, content_type=_content_type(asset.kind))
    if packed:
        response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
    response.set_etag(asset.fingerprint + ("-gz" if packed else ""))
    response.cache_control.public = True
    if request.args.get("v") == asset.fingerprint:
        response.cache_control.max_age = ONE_YEAR
        response.cache_control.immutable = True
    else:
        response.cache_control.max_age = 300
    return response.make_conditional(request)


def _kind(path: Path) -> str:
    return _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"


def _content_type(kind: str) -> str:
    is_text = kind.startswith("text/") or kind in _COMPRESSED
    return f"{kind}; charset=utf-8" if is_text else kind

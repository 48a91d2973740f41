"""Public addresses of the log: checkpoints, proofs between two, and the keys that signed them."""

from flask import Blueprint, Response, make_response

from tracker.access.gate import found, public
from tracker.evidence import checkpoints, signing_keys

blueprint = Blueprint("evidence", __name__)


@blueprint.get("/checkpoints")
@public
def newest_checkpoint() -> Response:
    """Give the newest checkpoint as plain text."""
    return _plain(found(checkpoints.newest()).text())


@blueprint.get("/checkpoints/<int:size>")
@public
def checkpoint(size: int) -> Response:
    """Give the checkpoint of a size as plain text."""
    return _plain(found(checkpoints.of_size(size)).text())


@blueprint.get("/checkpoints/<int:size>/from/<int:before>")
@public
def consistency(size: int, before: int) -> Response:
    """Give the proof that the log of one checkpoint grew out of that of an earlier one."""
    return _plain(found(checkpoints.consistency(before, size)).text())


@blueprint.get("/checkpoints/keys")
@public
def public_keys() -> Response:
    """Give all public keys, old ones too, with how each came and ended."""
    keys = signing_keys.public_keys()
    return _plain("\n".join(key.note().text() for key in keys))


def _plain(text: str) -> Response:
    answer = make_response(text)
    answer.headers["Content-Type"] = "text/plain; charset=utf-8"
    return answer

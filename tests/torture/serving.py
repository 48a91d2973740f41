"""The application under torture, with one extra endpoint that acts."""

import json
import os
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Request, Response

from tests.torture.acts import Act, Agreement, Try, from_json, perform
from tracker import create_app

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ADDRESS = "/torture"
# Where the server finds what there is to act on.
AGREEMENTS = "TORTURE_AGREEMENTS"


class Acting:
    """A WSGI application that performs the requested act, and responds once it is committed."""

    def __init__(self, product: Flask, agreements: tuple[Agreement, ...]) -> None:
        self._product, self._agreements = product, agreements

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        """Perform one act."""
        request = Request(environ).get_json()
        tried = Try(Act(request["act"]), request["agreement"], request["party"])
        outcome = perform(self._product, self._agreements, tried)
        answer = json.dumps({"done": outcome.done, "answer": outcome.answer})
        return Response(answer, mimetype="application/json")(environ, start_response)


def make_app() -> Flask:
    """Return the application that the server runs."""
    product = create_app()
    agreements = from_json(os.environ[AGREEMENTS])
    acting = Acting(product, agreements)
    product.wsgi_app = DispatcherMiddleware(product.wsgi_app, {ADDRESS: acting})  # type: ignore[method-assign]  # Flask's own way
    return product

"""Runs several actions at the same moment, each in its own transaction."""

import threading
from collections.abc import Callable

from flask import Flask

from tracker.core.db import db


def at_once(app: Flask, *acts: Callable[[], object]) -> list[Exception]:
    """Let each act begin at the same moment; return what was refused.

    Whatever else goes wrong, such as a deadlock, comes back too.
    """
    start = threading.Barrier(len(acts))
    failed: list[Exception] = []

    def do(act: Callable[[], object]) -> None:
        with app.app_context():
            start.wait()
            try:
                act()
                db.session.commit()
            except Exception as error:  # noqa: BLE001 -- told to the test
                failed.append(error)
                db.session.rollback()

    threads = [threading.Thread(target=do, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed

"""Settings of the processes that answer requests, which gunicorn reads by their names."""

import gc
import sys
from typing import Any, clear_overloads

worker_class = "tracker.worker.web_server.WebWorker"
logger_class = "tracker.worker.web_server.ServerLog"
threads = 4
# The application is loaded once, and each process starts as a copy that shares its memory.
preload_app = True
# Each process has its own socket: one shared by all wakes them all, and one may take most.
reuse_port = True
# For what has begun when the server is stopped; "tracker run" waits a little longer.
graceful_timeout = 10


def when_ready(_server: Any) -> None:
    """Leave what was loaded out of garbage collection, since it lives as long as the processes.

    Otherwise a request in which everything is collected, such as every fifteenth of a checklist of
    200 items, takes about 180 ms longer. Collecting also writes to each object, so that processes
    would share none.

    What only imports and type checkers need is removed first: the folders of libraries as they were
    listed, and overloads, 1 MB together (adr 51). Later imports list the folders again.
    """
    sys.path_importer_cache.clear()
    clear_overloads()
    gc.collect()
    gc.freeze()

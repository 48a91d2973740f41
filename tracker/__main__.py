"""The way into the `tracker` command, which loads it while Ctrl+C still ends the process at once.

Loading takes a second or two; Python would answer Ctrl+C meanwhile with a traceback.
"""

import importlib
import signal


def main() -> None:
    """Load the command and run it; from then on Ctrl+C is handled as Python usually does."""
    usual = signal.signal(signal.SIGINT, signal.SIG_DFL)
    cli = importlib.import_module("tracker.cli")
    signal.signal(signal.SIGINT, usual)
    cli.main()


if __name__ == "__main__":
    main()

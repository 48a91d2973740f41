"""How a server that a test started is stopped: by the process id it was started with."""

import signal
import subprocess


def stop(
    process: subprocess.Popen[bytes], patience: float, how: signal.Signals = signal.SIGTERM
) -> int:
    """Ask a server to stop, and wait until it has; return its exit status.

    It is killed if it takes longer than patience, in seconds.
    """
    process.send_signal(how)
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()

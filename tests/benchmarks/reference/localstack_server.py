"""LocalStack as its own module starts it, on 127.0.0.1 alone and no longer than its parent: `.venv-peers` runs this file.

Of GATEWAY_LISTEN it takes the port only, and listens everywhere.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import partial

from twisted.internet import endpoints

endpoints.TCP4ServerEndpoint = partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")

from localstack.runtime.main import main  # noqa: E402

PARENT = os.getppid()


def watch() -> None:
    """Ends this process once its parent is gone."""
    while os.getppid() == PARENT:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    os.dup2(2, 1)  # figures go to standard output, and nothing else
    threading.Thread(target=watch, daemon=True).start()
    main()

"""The last resort where no Redis can be had: fakeredis on a loopback port, the program's one argument."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from fakeredis import TcpFakeServer


def serve(port: int) -> None:
    """Serve until SIGTERM."""
    server = TcpFakeServer(("127.0.0.1", port))

    def leave(_number: int, _frame: FrameType | None) -> None:
        # Its threads hold nothing that outlives them, and one of them may sit in a blocking command.
        os._exit(0)

    signal.signal(signal.SIGTERM, leave)
    server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]))

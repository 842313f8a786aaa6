"""Parent-death signal: a child is tied to its parent, so that a killed parent leaves nothing running."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def parent_death_signal(death_signal: signal.Signals) -> Callable[[], None] | None:
    """What subprocess's ``preexec_fn`` takes so that the kernel sends the child this signal when we die.

    The kernel means the *thread* that starts the child: start children from one that lives as long as they
    should. ``None`` where the kernel knows no such thing (it is Linux's).
    """
    if sys.platform != "linux":
        return None
    # Looked up here, not after the fork, where another thread's locks may be held for ever.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return tie

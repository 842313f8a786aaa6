"""Stop signals: Ctrl-C, SIGTERM and a closed terminal, heard as a wish to stop."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from types import FrameType, TracebackType
from typing import Self

from shared.signal_wakeup import signal_wakeup

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """While the block lasts these signals interrupt it once; after ``only_note`` they are merely remembered.

    A second one is harmless either way: what has begun to stop goes on stopping in order.
    """

    def __init__(self) -> None:
        self.asked = False
        self._interrupts = True
        self._before: dict[signal.Signals, object] = {}
        self._wakeup = ExitStack()

    def __enter__(self) -> Self:
        """Take over the signals."""
        # So that waiting for output ends at once.
        self.ready = self._wakeup.enter_context(signal_wakeup())
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give them back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() gave is what it takes
        self._wakeup.close()

    def only_note(self) -> None:
        """From here on a signal interrupts nothing; ``asked`` tells of it."""
        self._interrupts = False

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        if self._interrupts:
            self._interrupts = False
            raise KeyboardInterrupt

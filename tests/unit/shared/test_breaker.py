"""The breaker: one in a while tries a server that has failed, and the others do not wait for it."""

from __future__ import annotations

import structlog
from structlog.testing import capture_logs

from shared.breaker import PAUSE_SECONDS, Breaker


def test_the_breaker_lets_one_try_after_a_pause_and_tells_each_change_once() -> None:
    structlog.reset_defaults()
    now = [100.0]
    breaker = Breaker("rate_limit", "let in uncounted", lambda: now[0])

    with capture_logs() as lines:
        for _ in range(3):
            breaker.broke("ConnectionError")
        assert not breaker.lets_try()
        now[0] += PAUSE_SECONDS
        assert [breaker.lets_try() for _ in range(3)] == [True, False, False]
        breaker.broke("ConnectionError")
        assert not breaker.lets_try()
        now[0] += PAUSE_SECONDS
        assert breaker.lets_try()
        breaker.mended()
        assert [breaker.lets_try() for _ in range(2)] == [True, True]

    assert [line["event"] for line in lines] == ["rate_limit_away", "rate_limit_back"]

"""Whatever can go wrong, on purpose: one fault after another, of the kinds of a shuffled deck."""

from __future__ import annotations

import random
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil
import redis
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.faults.messages import deadly, double_and_shuffle, harmless, push

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.faults.clients import Poison
    from tests.faults.mill import Mill

CRASH_POINTS = (
    "after-promise",
    "after-dispatch",
    "after-take",
    "after-claim",
    "after-write",
    "after-commit",
    "after-announce",
    "after-due",
)
_QUEUES = ("orders.small", "orders.large")
_RECENT_SLICES = text("SELECT id, queue FROM slices ORDER BY id DESC LIMIT 200")
_TERMINATE = text(
    "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity"
    " WHERE application_name LIKE 'ordermill-%' AND application_name <> 'ordermill-test'"
    " ORDER BY random() LIMIT :most) AS chosen"
)


@dataclass(frozen=True)
class Fault:
    """One that was done, and when, in seconds from the start."""

    kind: str
    at_seconds: float


class Nemesis(threading.Thread):
    """Does faults until told to stop; ``heal`` then undoes what does not heal by itself."""

    def __init__(
        self, mill: Mill, engine: Engine, seed: int, *, permits: Path, poison: Poison, pause_seconds: float
    ) -> None:
        super().__init__(name="nemesis", daemon=True)
        self.over = threading.Event()
        self.faults: list[Fault] = []
        self.fault: BaseException | None = None
        self._mill, self._engine = mill, engine
        self._permits, self._poison = permits, poison
        self._pause_seconds = pause_seconds
        # A secret is the last thing that it should be.
        self._chance = random.Random(f"{seed}/nemesis")  # noqa: S311
        self._redis = redis.Redis.from_url(mill.settings.redis_url, socket_timeout=5)
        self._stopped: list[tuple[float, psutil.Process]] = []
        self._kinds: dict[str, Callable[[], bool]] = {
            "worker child killed": self._kill_task_process,
            "worker main process killed": self._kill_main_process,
            "worker and watcher killed": self._kill_worker,
            "worker told to leave": self._ask_worker_to_leave,
            "worker child stopped, goes on later": self._stop_task_process,
            "worker stopped": self._stop_worker,
            "API process killed": self._kill_api_process,
            "API killed": self._kill_api,
            "API told to leave": self._ask_api_to_leave,
            "scheduler killed": self._kill_scheduler,
            "PostgreSQL stopped at once": self._stop_postgres,
            "database connections ended": self._end_backends,
            "Redis killed": self._kill_redis,
            "Redis flushed": self._flush_redis,
            "Redis back empty": self._empty_redis,
            "Redis stopped, goes on later": self._stop_redis,
            "Redis connections ended": self._end_redis_clients,
            "messages doubled and shuffled": self._double_messages,
            "messages nobody understands": self._send_nonsense,
            "messages that kill workers": self._send_deadly_messages,
            "order that kills its worker": self._send_poison,
            "death at a crash point": self._let_die_at_a_point,
        }

    def only(self, kinds: Sequence[str]) -> None:
        """Do faults of these kinds only: those whose names hold one of these words. Raises ValueError."""
        chosen = {name: do for name, do in self._kinds.items() if any(kind in name for kind in kinds)}
        if kinds and not chosen:
            raise ValueError(f"no fault is called {' or '.join(kinds)}; there are: {', '.join(self._kinds)}")
        self._kinds = chosen or self._kinds

    def run(self) -> None:
        """Go through the deck of kinds, shuffled anew each time."""
        started = time.monotonic()
        try:
            while not self.over.is_set():
                deck = list(self._kinds)
                self._chance.shuffle(deck)
                for kind in deck:
                    if self.over.wait(self._chance.uniform(0.2, 1.8) * self._pause_seconds):
                        break
                    self._do(kind, started)
        except BaseException as fault:  # noqa: BLE001 - the campaign raises it
            self.fault = fault

    def _do(self, kind: str, started: float) -> None:
        at = time.monotonic() - started
        self._let_go_on()
        # What a fault is done to may be down already because of the one before.
        with suppress(psutil.NoSuchProcess, redis.RedisError, DBAPIError):
            if self._kinds[kind]():
                self.faults.append(Fault(kind, round(at, 2)))

    def heal(self) -> None:
        """Undo what does not heal by itself."""
        self._mill.servers_held = False
        self._let_go_on(everything=True)
        for permit in self._permits.iterdir():
            permit.unlink(missing_ok=True)
        self._redis.close()

    # -- processes -----------------------------------------------------------------------------------------

    def _worker(self) -> str:
        return self._chance.choice([name for name in self._mill.roles if name.startswith("worker")])

    def _task_process(self) -> psutil.Process | None:
        found = self._mill.task_processes(self._worker())
        return self._chance.choice(found) if found else None

    def _kill_task_process(self) -> bool:
        return _send(self._task_process(), signal.SIGKILL)

    def _kill_main_process(self) -> bool:
        return _send(self._mill.main_process(self._worker()), signal.SIGKILL)

    def _kill_worker(self) -> bool:
        return _send(self._mill.process(self._worker()), signal.SIGKILL)

    def _ask_worker_to_leave(self) -> bool:
        return _send(self._mill.process(self._worker()), signal.SIGTERM)

    def _stop_task_process(self) -> bool:
        # Longer than a slice may wait for its next dispatch, and than a transaction may idle.
        return self._hold(self._task_process(), self._chance.uniform(4, 12))

    def _stop_worker(self) -> bool:
        # Longer than its watcher waits; what is then still there goes on.
        return self._hold(self._mill.main_process(self._worker()), self._chance.uniform(8, 14))

    def _kill_api_process(self) -> bool:
        return _send(self._mill.main_process("api"), signal.SIGKILL)

    def _kill_api(self) -> bool:
        return _send(self._mill.process("api"), signal.SIGKILL)

    def _ask_api_to_leave(self) -> bool:
        return _send(self._mill.process("api"), signal.SIGTERM)

    def _kill_scheduler(self) -> bool:
        return _send(self._mill.process("scheduler"), signal.SIGKILL)

    def _hold(self, process: psutil.Process | None, seconds: float) -> bool:
        if not _send(process, signal.SIGSTOP):
            return False
        self._stopped.append((time.monotonic() + seconds, process))
        return True

    def _let_go_on(self, *, everything: bool = False) -> None:
        now = time.monotonic()
        for due, process in tuple(self._stopped):
            if everything or due <= now:
                self._stopped.remove((due, process))
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGCONT)

    # -- servers -------------------------------------------------------------------------------------------

    def _stop_postgres(self) -> bool:
        return self._down("postgres", signal.SIGQUIT, self._chance.uniform(0, 3))

    def _end_backends(self) -> bool:
        with self._engine.connect() as connection:
            return bool(connection.execute(_TERMINATE, {"most": self._chance.randint(1, 6)}).scalar_one())

    def _kill_redis(self) -> bool:
        return self._down("redis-server", signal.SIGKILL, self._chance.uniform(0, 3))

    def _empty_redis(self) -> bool:
        return self._down("redis-server", signal.SIGKILL, 0.0, self._mill.empty_redis)

    def _stop_redis(self) -> bool:
        return self._hold(self._mill.server("redis-server"), self._chance.uniform(1, 6))

    def _flush_redis(self) -> bool:
        return bool(self._redis.flushall())

    def _end_redis_clients(self) -> bool:
        return bool(self._redis.client_kill_filter(_type="normal", skipme=True))

    def _down(
        self,
        program: str,
        number: signal.Signals,
        seconds: float,
        meanwhile: Callable[[], None] | None = None,
    ) -> bool:
        self._mill.servers_held = True
        try:
            process = self._mill.server(program)
            if not _send(process, number) or process is None:
                return False
            process.wait(30)
            if meanwhile is not None:
                meanwhile()
            time.sleep(seconds)
            return True
        finally:
            self._mill.servers_held = False

    # -- messages and orders -------------------------------------------------------------------------------

    def _double_messages(self) -> bool:
        with self._engine.connect() as connection:
            recent = connection.execute(_RECENT_SLICES).all()
        chosen = self._chance.sample(recent, min(30, len(recent)))
        for queue in _QUEUES:
            ids = [row.id for row in chosen if row.queue == queue]
            double_and_shuffle(self._redis, queue, ids, self._chance)
        return bool(chosen)

    def _send_nonsense(self) -> bool:
        push(self._redis, self._chance.choice(_QUEUES), list(harmless().values()))
        return True

    def _send_deadly_messages(self) -> bool:
        push(self._redis, self._chance.choice(_QUEUES), [self._chance.choice(list(deadly().values()))])
        return True

    def _send_poison(self) -> bool:
        self._poison.want()
        return True

    def _let_die_at_a_point(self) -> bool:
        (self._permits / self._chance.choice(CRASH_POINTS)).touch()
        return True


def _send(process: psutil.Process | None, number: signal.Signals) -> bool:
    if process is None:
        return False
    process.send_signal(number)
    return True

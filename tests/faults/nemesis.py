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

from shared.failpoints import POINTS
from tests.support.queue_messages import harmless, poison_messages, push
from tests.support.until import pause

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.faults.clients import Poison
    from tests.faults.journal import Journal
    from tests.faults.subject import Subject

_TERMINATE = text(
    "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name <> 'ordermill-test'"
    " ORDER BY random() LIMIT :most) AS chosen"
)


@dataclass(frozen=True)
class InjectedFault:
    """One that was done, and when, in seconds from the start."""

    kind: str
    at_seconds: float


class Nemesis(threading.Thread):
    """Does faults until told to stop; ``heal`` then undoes what does not heal by itself."""

    def __init__(
        self,
        subject: Subject,
        seed: int,
        journal: Journal,
        *,
        permits: Path,
        poison: Poison,
        pause_seconds: float,
    ) -> None:
        super().__init__(name="nemesis", daemon=True)
        self.over = threading.Event()
        self.faults: list[InjectedFault] = []
        self.fault: BaseException | None = None
        self._subject, self._stack, self._engine = subject, subject.stack, subject.engine
        self._permits, self._poison, self._journal = permits, poison, journal
        self._pause_seconds = pause_seconds
        self._chance = random.Random(f"{seed}/nemesis")  # noqa: S311 - a secret is the last thing that it should be
        self._redis = redis.Redis.from_url(self._stack.settings.redis_url, socket_timeout=5)
        self._stopped: list[tuple[float, psutil.Process]] = []
        kinds: dict[str, Callable[[], bool]] = {
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
            "messages that kill workers": self._send_poison_messages,
            "order that kills its worker": self._send_poison,
            "death at a crash point": self._let_die_at_a_point,
        }
        self._kinds = {name: do for name, do in kinds.items() if name not in subject.unfit}

    def choose(self, only: Sequence[str], without: Sequence[str]) -> None:
        """Do faults only whose names hold one of the words ``only``, if any, and none of the others.

        Raises ValueError when that leaves none.
        """
        chosen = {
            name: do
            for name, do in self._kinds.items()
            if (not only or any(word in name for word in only)) and not any(word in name for word in without)
        }
        if not chosen:
            raise ValueError(f"that leaves no kind of fault; there are: {', '.join(self._kinds)}")
        self._kinds = chosen

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
                self.faults.append(InjectedFault(kind, round(at, 2)))
                self._journal.write("fault", kind=kind, begun=round(at, 2))

    def heal(self) -> None:
        """Undo what does not heal by itself."""
        self._stack.servers_held = False
        self._let_go_on(everything=True)
        for permit in self._permits.iterdir():
            permit.unlink(missing_ok=True)
        self._redis.close()

    # -- processes -----------------------------------------------------------------------------------------

    def _worker(self) -> str:
        return self._chance.choice([name for name in self._stack.roles if name.startswith("worker")])

    def _task_process(self) -> psutil.Process | None:
        found = self._stack.task_processes(self._worker())
        return self._chance.choice(found) if found else None

    def _kill_task_process(self) -> bool:
        return _send(self._task_process(), signal.SIGKILL)

    def _kill_main_process(self) -> bool:
        return _send(self._stack.main_process(self._worker()), signal.SIGKILL)

    def _kill_worker(self) -> bool:
        return _send(self._stack.process(self._worker()), signal.SIGKILL)

    def _ask_worker_to_leave(self) -> bool:
        return _send(self._stack.process(self._worker()), signal.SIGTERM)

    def _stop_task_process(self) -> bool:
        # Longer than a slice may wait for its next dispatch, and than a transaction may idle.
        return self._hold(self._task_process(), self._chance.uniform(4, 12))

    def _stop_worker(self) -> bool:
        # Longer than its watcher waits; what is then still there goes on.
        return self._hold(self._stack.main_process(self._worker()), self._chance.uniform(8, 14))

    def _kill_api_process(self) -> bool:
        return _send(self._stack.main_process("api"), signal.SIGKILL)

    def _kill_api(self) -> bool:
        return _send(self._stack.process("api"), signal.SIGKILL)

    def _ask_api_to_leave(self) -> bool:
        return _send(self._stack.process("api"), signal.SIGTERM)

    def _kill_scheduler(self) -> bool:
        return _send(self._stack.process("scheduler"), signal.SIGKILL)

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
        # Not one that is still getting up: whoever starts it tries a few times only. Raises DBAPIError.
        self._engine.connect().close()
        return self._down("postgres", signal.SIGQUIT, self._chance.uniform(0, 3))

    def _end_backends(self) -> bool:
        with self._engine.connect() as connection:
            return bool(connection.execute(_TERMINATE, {"most": self._chance.randint(1, 6)}).scalar_one())

    def _kill_redis(self) -> bool:
        return self._down("redis-server", signal.SIGKILL, self._chance.uniform(0, 3))

    def _empty_redis(self) -> bool:
        return self._down("redis-server", signal.SIGKILL, 0.0, self._stack.empty_redis)

    def _stop_redis(self) -> bool:
        return self._hold(self._stack.server("redis-server"), self._chance.uniform(1, 6))

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
        self._stack.servers_held = True
        try:
            process = self._stack.server(program)
            if not _send(process, number) or process is None:
                return False
            process.wait(30)
            if meanwhile is not None:
                meanwhile()
            pause(seconds, "a fault that lasts")
            return True
        finally:
            self._stack.servers_held = False

    # -- messages and orders -------------------------------------------------------------------------------

    def _double_messages(self) -> bool:
        return self._subject.double_messages(self._redis, self._chance)

    def _send_nonsense(self) -> bool:
        push(self._redis, self._queue(), list(harmless(self._subject.task).values()))
        return True

    def _send_poison_messages(self) -> bool:
        push(
            self._redis,
            self._queue(),
            [self._chance.choice(list(poison_messages(self._subject.task).values()))],
        )
        return True

    def _queue(self) -> str:
        return self._chance.choice(self._subject.queues)

    def _send_poison(self) -> bool:
        self._poison.want()
        return True

    def _let_die_at_a_point(self) -> bool:
        (self._permits / self._chance.choice(POINTS)).touch()
        return True


def _send(process: psutil.Process | None, number: signal.Signals) -> bool:
    if process is None:
        return False
    process.send_signal(number)
    return True

"""The mutants: each a guard of ours, taken away."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

_CHANGES: Final = "tests/integration/test_change_feed.py"
_CHANGE_FEED: Final = "shared/persistence/orders/change_feed.py"
_FILTERS: Final = "tests/integration/test_order_list_filters.py"
_SETTLE: Final = "worker/settle/settle.py"
_RETRY: Final = "worker/settle/retry.py"
_SLICES: Final = "shared/persistence/jobs/slices.py"
_CLOSING: Final = "shared/persistence/jobs/close.py"
_RETRIED: Final = "tests/integration/test_jobs_retried.py"
_CLOSED_ONCE: Final = "tests/integration/test_jobs_closed_once.py"
_TAKING: Final = "shared/persistence/jobs/attempts.py"
_QUEUE: Final = "shared/queue/job_queue.py"
_POINTS: Final = "tests/integration/test_crash_points.py::test_a_death_at_a_failpoint_costs_no_order"
_AGAIN: Final = (
    "tests/integration/test_crash_points_redelivery.py::test_a_message_whose_task_process_died_comes_again"
)
_FAULTS: Final = "tests/integration/test_settle_faults.py"
_WAITING: Final = "tests/integration/test_settle_waiting.py"
_TOGETHER: Final = "tests/integration/test_settle_together.py"
_RACES: Final = "tests/integration/test_stock_races.py"
_REQUESTED: Final = "tests/integration/test_requested_numbers.py"
_SOLD: Final = "tests/integration/test_what_was_sold.py"
_HEALING: Final = "tests/integration/test_crash_points_healing.py"
_WATCH: Final = "tests/integration/test_supervisor_watch.py"
_COMMIT: Final = "tests/integration/test_accept_commit.py"
_POISON: Final = "tests/integration/test_crash_points_poison.py"
_MEETING: Final = "tests/integration/test_insert_many.py"
_SCHEDULER: Final = "tests/integration/test_scheduler.py"
_ROLES: Final = "tests/integration/test_servers_roles.py"
_HALF_OPEN: Final = "tests/integration/test_half_open.py"
_REDISPATCH: Final = "tests/integration/test_redispatch.py"
_KEYS_MIGRATION: Final = "shared/persistence/migrations/versions/0019_clients.py"
_RETENTION: Final = "tests/integration/test_retention.py"
_WORKER: Final = "tests/integration/test_worker.py"
_ATTEMPTS: Final = "tests/integration/test_attempts.py"
_CHOSEN: Final = "tests/integration/test_results_chosen.py"
_SHARES: Final = "tests/integration/test_lane_shares.py"
_RACED: Final = "tests/integration/test_jobs_raced.py"
_UNIQUE_KEYS: Final = "tests/integration/test_unique_keys.py"
_MARKETS: Final = "tests/integration/test_security_markets.py"
_FOLLOWED: Final = "tests/integration/test_jobs_followed.py"
_ORDERED: Final = "tests/integration/test_ordered.py"
_OPTIONS: Final = "tests/integration/test_batch_options.py"
_NOT_BEFORE: Final = "tests/integration/test_not_before.py"
_MAX_FAILED: Final = "tests/integration/test_max_failed.py"
_MAIL_WAYS: Final = "tests/integration/test_mail_ways.py"
_DRY_RUNS: Final = "tests/integration/test_dry_runs.py"
_ATOMIC: Final = "tests/integration/test_atomic.py"
_BACK_ORDERS: Final = "tests/integration/test_back_orders.py"
_SHIPPED: Final = "tests/integration/test_shipments_settled.py"
_ACCESS: Final = "tests/integration/test_security_access.py"
_COMPLETION: Final = "tests/integration/test_single_order_completion.py"
_COMPLETIONS: Final = "tests/integration/test_completions.py"

MUTANTS: Final = (
    Mutant(
        "a text goes into COPY's own format as it is",
        [
            Change(
                "shared/persistence/core/copying.py",
                '    if value.isprintable() and "\\\\" not in value:\n        return value\n',
                "    return value\n",
            )
        ],
        ["tests/integration/test_copied_texts.py"],
    ),
    Mutant(
        "of two members of a name the fast way takes the last",
        [
            Change(
                "shared/schemas/order/fast_reading.py",
                '    if text.count(b":") != len(sent) + sum([one.count(b":") for one in sent.values()]):\n'
                "        raise DoubtError\n",
                "",
            )
        ],
        ["tests/unit/shared/schemas/order/test_fast_reading.py"],
    ),
    Mutant(
        "of two members of an address the fast way takes the last",
        [
            Change(
                "shared/schemas/order/fast_fields.py", '            and text.count(b":") == len(sent)\n', ""
            )
        ],
        ["tests/unit/shared/schemas/order/test_fast_reading.py"],
    ),
    Mutant(
        "a table has cells that a spreadsheet runs",
        [Change("api/jobs/results_csv.py", "cell if isinstance(cell, int) else harmless(cell)", "cell")],
        [f"{_CHOSEN}::test_no_cell_of_a_table_is_run_by_a_spreadsheet"],
    ),
    Mutant(
        "an order that was sent on several lines breaks the line of its outcome",
        [Change("api/jobs/results_formats.py", ".translate(_NO_NEWLINES)", "")],
        [f"{_CHOSEN}::test_lines_have_key_and_position_and_what_was_sent_however_it_was_written"],
    ),
    Mutant(
        "a page of outcomes says nothing of the next",
        [
            Change(
                "api/jobs/chosen_outcomes.py",
                "if len(page) > limit else None",
                "if len(page) > limit + 1 else None",
            )
        ],
        [f"{_CHOSEN}::test_following_next_gives_each_chosen_outcome_exactly_once_in_order"],
    ),
    Mutant(
        "a job's tag knows its counts alone",
        [Change("api/jobs/versions.py", "sha256(body)", 'sha256(b"%d" % job.decided)')],
        ["tests/unit/api/test_followers.py::test_whatever_is_told_of_a_job_has_a_tag_of_its_own"],
    ),
    Mutant(
        "a stream skips the version that it begins with",
        [
            Change(
                "api/jobs/event_stream.py",
                "_events(app, version, last)",
                "_events(app, version, version.tag)",
            )
        ],
        [f"{_FOLLOWED}::test_an_id_of_no_event_of_the_job_begins_with_the_job_as_it_is"],
    ),
    Mutant(
        "a reading that comes late is told",
        [Change("api/jobs/versions.py", "_progress(self.job) >= _progress(earlier.job)", "True")],
        ["tests/unit/api/test_followers.py::test_a_reading_that_comes_late_is_not_told"],
    ),
    Mutant(
        "a key that is limited to markets names anybody's customers and accounts",
        [
            Change(
                "shared/domain/locate.py",
                "        if market_ids is None:\n            return self\n",
                "        return self\n",
            )
        ],
        [
            "tests/integration/test_security_markets.py",
        ],
    ),
    Mutant(
        "a key that is limited to markets flags anybody's password",
        [
            Change(
                "worker/settle/decide_and_write.py",
                "of_these if market_ids is None else first_ordered_in(connection, of_these, market_ids)",
                "of_these",
            )
        ],
        [f"{_MARKETS}::test_a_limited_key_flags_no_password_of_whom_another_market_had_first"],
    ),
    Mutant(
        "whatever a client sends takes turns with what others sent",
        [Change("api/orders/backlog.py", "surplus_lane if beyond else lane", "lane")],
        [f"{_SHARES}::test_a_client_that_sends_much_does_not_keep_what_another_sends_after_it_undecided"],
    ),
    Mutant(
        "a mail goes to an address that mail programs decode",
        [Change("shared/domain/mail_text.py", "        and ENCODED_WORD not in address\n", "")],
        ["tests/unit/worker/mail/test_mail_head.py::test_mail_goes_to_its_address_as_given_or_to_nobody"],
    ),
    Mutant(
        "a mail leaves whatever stands in its head",
        [Change("worker/mail/message.py", "        check_head(wire, recipient)\n", "")],
        [
            f"{_MAIL_WAYS}::test_mail_whose_head_is_not_ours_is_given_up_and_never_tried_again",
        ],
    ),
    Mutant(
        "a message is acknowledged before its work",
        [Change(_QUEUE, '"task_acks_late": True,', '"task_acks_late": False,')],
        [f"{_AGAIN}[after-claim]"],
    ),
    Mutant(
        "a message of a child that was killed counts as done",
        [Change(_QUEUE, '"task_reject_on_worker_lost": True,', '"task_reject_on_worker_lost": False,')],
        [f"{_AGAIN}[after-claim]"],
    ),
    Mutant(
        "no gate: a closed slice is done again",
        [
            Change(
                _TAKING,
                "WHERE slices.id = ANY(%(ids)s::bigint[]) AND closed_at IS NULL",
                "WHERE slices.id = ANY(%(ids)s::bigint[])",
            ),
            Change(
                _SLICES,
                "WHERE id = ANY(CAST(:ids AS bigint[])) AND closed_at IS NULL ORDER",
                "WHERE id = ANY(CAST(:ids AS bigint[])) ORDER",
            ),
        ],
        [f"{_FAULTS}::test_a_slice_that_is_delivered_twice_makes_one_set_of_orders"],
    ),
    Mutant(
        "outcomes in a second transaction",
        [
            Change(
                _SETTLE,
                "                    step.reports = close_with("
                "connection, place_unless_cancelled(work, connection, claim))\n"
                '                    _failpoints("after-write", work.slices)\n',
                "                    placed = work.place(connection, claim)\n"
                '            _failpoints("after-write", work.slices)\n'
                "            with transaction(context.engine) as connection:\n"
                "                step.reports = close_with(connection, placed)\n",
            )
        ],
        [f"{_POINTS}[after-write-3]"],
    ),
    Mutant(
        "stock rows are locked in no order",
        [
            Change(
                "shared/persistence/stock/lock.py",
                "ORDER BY item_id, warehouse_id FOR NO KEY UPDATE",
                "ORDER BY random() FOR NO KEY UPDATE",
            )
        ],
        [f"{_RACES}::test_slices_that_want_the_same_items_in_other_orders_do_not_deadlock"],
    ),
    Mutant(
        "what was written before its stock was locked is kept whatever is left of it",
        [
            Change(
                "worker/settle/decide_and_write.py",
                "    if not counted.lock_stock(items).covers(available.reserved()):\n",
                "    if not counted.lock_stock(items).covers({}):\n",
            )
        ],
        ["tests/integration/test_stock_locked_last.py"],
    ),
    Mutant(
        "an item is known as it was before the catalog changed",
        [
            Change(
                "worker/settle/known_items.py",
                "        if version != self._version:\n",
                "        if self._version is None:\n",
            )
        ],
        ["tests/integration/test_known_items.py"],
    ),
    Mutant(
        "of a code that two items share, the first is set",
        [Change("shared/domain/stock_count.py", "    if len(named) == 1:\n", "    if named:\n")],
        ["tests/unit/shared/domain/test_stock_count.py"],
    ),
    Mutant(
        "what a threshold keeps back is told as available",
        [
            Change(
                "shared/domain/stock_level.py",
                "max(0, self.physical - self.allocated - self.threshold)",
                "max(0, self.physical - self.allocated)",
            )
        ],
        ["tests/integration/test_stock_reading.py::test_what_is_available_is_what_an_order_gets"],
    ),
    Mutant(
        "stock is read without a lock",
        [
            Change(
                "shared/persistence/stock/lock.py",
                "ORDER BY item_id, warehouse_id FOR NO KEY UPDATE",
                "ORDER BY item_id, warehouse_id",
            )
        ],
        ["tests/integration/test_stock_lock.py"],
    ),
    Mutant(
        "stock is taken whether there is any or not",
        [Change("shared/domain/allocation.py", "        if there < wanted:\n", "        if there < 0:\n")],
        [f"{_RACES}::test_racing_orders_for_one_item_sell_exactly_what_is_there"],
    ),
    Mutant(
        "no sweeper",
        [
            Change(
                "worker/maintenance/scheduler.py",
                '        PeriodicTask("sweep", settings.sweep_seconds, '
                "partial(sweep, engine, queue, settings)),\n",
                "",
            )
        ],
        [f"{_POINTS}[after-insert-3]"],
    ),
    Mutant(
        "what expires is let go of although it is undecided",
        [Change("shared/persistence/jobs/ended_jobs.py", "(closed_at IS NULL OR closed_at", "(closed_at")],
        [f"{_RETENTION}::test_an_accepted_job_is_never_let_go_of_undecided"],
    ),
    Mutant(
        "jobs are kept for ever",
        [
            Change(
                "worker/maintenance/scheduler.py",
                "    pruned = prune_jobs(engine, PRUNED_AT_ONCE)\n",
                "    pruned = 0\n",
            )
        ],
        [f"{_RETENTION}::test_the_scheduler_prunes_step_by_step_until_nothing_has_expired"],
    ),
    Mutant(
        "whoever is not waited for has no share",
        [
            Change(
                "shared/queue/lanes.py",
                "        return [*due, *(name for name in self.items if name not in due)][:n]\n",
                "        return list(self.items[:n])\n",
            )
        ],
        [f"{_WORKER}::test_whoever_is_not_waited_for_gets_a_share_of_a_worker_that_others_keep_busy"],
    ),
    Mutant(
        "a backlog keeps what was lost from being dispatched again",
        [
            Change(
                "worker/maintenance/redispatch.py",
                "queue.waiting(name), settings.redispatch_least_slices)",
                "queue.waiting(name), 0)",
            )
        ],
        [f"{_REDISPATCH}::test_there_is_always_room_for_what_has_been_due_longest"],
    ),
    Mutant(
        "no canary: an emptied Redis is not noticed",
        [
            Change(
                "worker/maintenance/redispatch.py",
                "if not queue.has_canary():",
                "if not queue.has_canary() and False:",
            )
        ],
        [f"{_REDISPATCH}::test_when_redis_comes_back_empty_every_undecided_slice_is_dispatched_at_once"],
    ),
    Mutant(
        "attempts are counted inside the work's transaction",
        [
            Change(
                _TAKING,
                "                   THEN 0 ELSE 1 END,",
                "                   THEN 0 ELSE 0 END,",
            ),
            Change(
                _CLOSING,
                "    SET closed_at = now(), outcomes",
                "    SET attempts = attempts + 1, closed_at = now(), outcomes",
            ),
        ],
        [f"{_POISON}::test_an_order_that_ends_its_worker_is_given_up_alone[1-CURSED-CLOCK]"],
    ),
    Mutant(
        "an attempt whose reply was lost counts again",
        [
            Change(
                _TAKING,
                "WHEN %(token)s::uuid = ANY(attempt_tokens) OR %(instead_of)s",
                "WHEN %(instead_of)s",
            )
        ],
        [f"{_WAITING}::test_lost_replies_count_against_no_order"],
    ),
    Mutant(
        "an attempt that is given back twice is taken back twice",
        [Change(_TAKING, '" AND CAST(:token AS uuid) = ANY(attempt_tokens) ORDER BY', '" ORDER BY')],
        [f"{_WAITING}::test_an_attempt_that_is_asked_for_again_counts_once_and_is_given_back_once"],
    ),
    Mutant(
        "a lock that one slice waits for keeps all of its message",
        [
            Change(
                _RETRY,
                'wants something else must not wait for that."""\n    if tried.slices > 1:',
                'wants something else must not wait for that."""\n    if tried.slices < 1:',
            )
        ],
        [f"{_WAITING}::test_a_locked_item_keeps_no_order_for_another"],
    ),
    Mutant(
        "a message has no time limit of its own",
        [
            Change("worker/settle/time_limits.py", "            raise TimeUpError\n", "            return\n"),
            Change("worker/settle/time_limits.py", "share), left_ms // 2)", "share), 10**6)"),
            Change("worker/settle/time_limits.py", "1000, left_ms)", "1000, 10**6)"),
        ],
        [f"{_WAITING}::test_waiting_for_locks_ends_before_the_tasks_limit_and_condemns_nobody"],
    ),
    Mutant(
        "our own slowness is taken for an outage",
        [
            Change(
                "shared/persistence/core/errors.py",
                '"25P03": IdleTooLongError,',
                '"25P03": DatabaseAwayError,',
            )
        ],
        [f"{_WAITING}::test_a_transaction_that_we_left_idle_is_no_outage_and_its_slice_is_cut_up"],
    ),
    Mutant(
        "an order may take as long as it likes",
        [
            Change(
                "worker/settle/time_limits.py",
                "            raise OrderTooSlowError\n",
                "            return\n",
            )
        ],
        ["tests/integration/test_settle_slow_orders.py"],
    ),
    Mutant(
        "an automatic number that is taken too often costs the order its outcome",
        [
            Change(
                "worker/settle/work.py",
                '    raise TransientError("every order number that was drawn was taken meanwhile")\n',
                "    return could_not_be_stored(request_id)\n",
            )
        ],
        [f"{_FAULTS}::test_an_automatic_number_costs_no_order_its_outcome_however_often_it_is_taken"],
    ),
    Mutant(
        "a slice of an ordered job does not wait for those before it",
        [Change(_TAKING, "AND NOT (ordered AND EXISTS (", "AND NOT (false AND EXISTS (")],
        [f"{_ORDERED}::test_scarce_stock_goes_to_exactly_the_first_who_ask"],
    ),
    Mutant(
        "an order finds none before it in its slice",
        [Change("worker/settle/look_up.py", "and origin.id in numbers", "and origin.id < 0")],
        [
            f"{_ORDERED}::test_an_order_may_name_one_before_it_as_its_origin_and_none_that_was_rejected",
        ],
    ),
    Mutant(
        "what a dead worker did not hand out of an ordered job is never decided",
        [
            Change(
                "worker/maintenance/redispatch.py",
                "    notice_turns(engine, settings.redispatch_first_seconds)\n",
                "",
            )
        ],
        [
            f"{_ORDERED}::test_a_slice_that_nobody_dispatched_is_by_the_sweeper_and_none_whose_turn_has_not_come",
        ],
    ),
    Mutant(
        "the pieces of a slice that was cut up are all due at once",
        [Change(_SLICES, "CASE WHEN ordered AND piece.position", "CASE WHEN false AND piece.position")],
        [f"{_ORDERED}::test_a_slice_that_is_cut_up_keeps_its_orders_in_order"],
    ),
    Mutant(
        "a slice is taken whatever its size",
        [
            Change(
                _TAKING, "OR size > %(bytes_max)s::bigint AND order_count > 1 AND NOT fitting.atomic\n", "\n"
            )
        ],
        [f"{_WAITING}::test_a_slice_that_no_worker_may_hold_is_cut_up_and_decided"],
    ),
    Mutant(
        "an attempt that killed nobody counts",
        [
            Change(
                "worker/settle/attempts.py",
                "        self._context.attempts_owed.extend(self._open.values())\n",
                "",
            )
        ],
        [f"{_ATTEMPTS}::test_a_lock_that_is_not_to_be_had_does_not_count"],
    ),
    Mutant(
        "an attempt counts whose slice another worker has taken meanwhile",
        [
            Change(
                "worker/settle/message.py",
                "            if step.reports:\n                attempts.keep(",
                "            if True:\n                attempts.keep(",
            )
        ],
        [f"{_ATTEMPTS}::test_an_attempt_whose_slice_another_worker_takes_meanwhile_does_not_count"],
    ),
    Mutant(
        "what has been attempted is attempted together with others again",
        [Change(_TAKING, "OR (attempts = 0 OR %(token)s::uuid = ANY(attempt_tokens))", "OR true")],
        [f"{_TOGETHER}::test_a_slice_that_was_attempted_before_is_done_alone_and_the_most_attempted_last"],
    ),
    Mutant(
        "slices of one transaction share its fault",
        [
            Change(
                _RETRY,
                "        return Split(Into.SLICES)\n    if not tried.apart and tried.orders:",
                '        return Leave("shared", counts=True)\n    if not tried.apart and tried.orders:',
            )
        ],
        [f"{_TOGETHER}::test_a_poisonous_order_in_a_slice_costs_only_itself"],
    ),
    Mutant(
        "slices are claimed in no order",
        [Change(_SLICES, "ORDER BY id FOR UPDATE", "ORDER BY random() FOR UPDATE")],
        [f"{_TOGETHER}::test_workers_that_claim_the_same_slices_do_so_in_one_order_and_do_not_deadlock"],
    ),
    Mutant(
        "attempts are without bound",
        [
            Change(
                _TAKING,
                "slices.attempted_together::integer > %(attempts_max)s",
                "slices.attempted_together::integer > %(attempts_max)s + 1000000",
            )
        ],
        [f"{_POISON}::test_an_order_that_ends_its_worker_is_given_up_alone[1-CURSED-CLOCK]"],
    ),
    Mutant(
        "messages are sent before the commit",
        [
            Change(
                "shared/persistence/jobs/insert.py",
                "            return _insert(connection, new_job, slices)\n",
                "            stored = _insert(connection, new_job, slices)\n"
                "            before_commit(stored.slice_ids)\n            return stored\n",
            ),
            Change(
                "shared/persistence/jobs/insert.py",
                "def _store(",
                "before_commit: Any = lambda _: None\n\n\ndef _store(",
            ),
            Change(
                "api/orders/accept.py",
                "    stored = insert_job(app.engine",
                "    from shared.persistence.jobs import insert\n"
                "    insert.before_commit = lambda ids: app.queue.dispatch(ids, plan.queue)\n"
                "    stored = insert_job(app.engine",
            ),
        ],
        [_COMMIT],
    ),
    Mutant(
        "messages of batches that are stored together are sent although they are not stored",
        [
            Change(
                "api/orders/accept_small.py",
                "            stored = self._insert([(batch.new_job, batch.slices) for batch in group])\n",
                "            self._dispatch([1], SLICE_QUEUES[0])\n"
                "            stored = self._insert([(batch.new_job, batch.slices) for batch in group])\n",
            )
        ],
        [_COMMIT],
    ),
    Mutant(
        "whoever shared a commit with a fault is told of it",
        [
            Change(
                "api/orders/accept_small.py",
                "JobInsertsUnknownError)\n            return\n",
                "JobInsertsUnknownError)\n            raise\n",
            )
        ],
        ["tests/unit/api/orders/test_accept_small.py"],
    ),
    Mutant(
        "an Idempotency-Key that is in use is a fault of all who share the commit",
        [Change("shared/persistence/jobs/insert_many.py", "        ON CONFLICT DO NOTHING\n", "")],
        [f"{_MEETING}::test_a_key_that_is_in_use_leaves_out_its_own_job_alone"],
    ),
    Mutant(
        "whoever waits for a commit whose thread is gone waits for ever",
        [
            Change(
                "api/orders/group_commit.py",
                "        finally:\n"
                "            # Whatever happened to the thread that commits: nobody waits for it.\n"
                "            for submission",
                "        else:\n            for submission",
            )
        ],
        ["tests/unit/api/orders/test_group_commit.py"],
    ),
    Mutant(
        "the answer does not wait for the commit",
        [
            Change(
                "shared/persistence/jobs/insert.py",
                "        with transaction(engine) as connection:\n"
                "            return _insert(connection, new_job, slices)\n",
                "        with suppress(PermanentError), transaction(engine) as connection:\n"
                "            stored = _insert(connection, new_job, slices)\n        return stored\n",
            )
        ],
        [_COMMIT],
    ),
    Mutant(
        "messages carry what the client sent",
        [
            Change(
                _QUEUE,
                "self._app.send_task(task, (one,), queue=queue, producer=producer)",
                "self._app.send_task(task, (one, *self.carried), queue=queue, producer=producer)",
            ),
            Change(
                _QUEUE,
                '    """Dispatches slices and mails.',
                '    carried: Any = ()\n    """Dispatches slices and mails.',
            ),
            Change(
                "api/orders/accept.py",
                "    perhaps_stored = False\n",
                "    perhaps_stored = False\n"
                "    app.queue.carried = ([orjson.loads(one) for one in batch.orders],)\n",
            ),
            Change(
                "worker/tasks.py",
                "    def settle(self: Task, slice_ids: object) -> None:\n",
                "    def settle(self: Task, slice_ids: object, *_: object) -> None:\n",
            ),
        ],
        ["tests/integration/test_dispatched_messages.py"],
    ),
    Mutant(
        "no limit for an answer of Redis",
        [
            Change(_QUEUE, '            "socket_timeout": limit,\n', ""),
            Change(_QUEUE, '{"socket_timeout": limit, "socket_connect', '{"socket_connect'),
        ],
        [f"{_HALF_OPEN}::test_a_batch_is_accepted_in_time_when_the_way_to_the_queue_leads_nowhere"],
    ),
    Mutant(
        "a worker that asks in vain gives signs of work",
        [
            Change(
                "worker/liveness.py",
                "elif self._unheard_seconds(now) > self._unheard_most_seconds:",
                "elif self._unheard_seconds(now) < 0:",
            )
        ],
        ["tests/unit/worker/test_liveness.py"],
    ),
    Mutant(
        "a silent worker is left alone",
        [
            Change(
                "cli/processes/supervisor.py",
                "            if child.missed_ping():\n",
                "            if False:\n",
            )
        ],
        [
            f"{_WATCH}::test_a_child_whose_pings_stop_is_replaced",
            f"{_HEALING}::test_a_worker_that_is_stopped_is_replaced",
        ],
    ),
    Mutant(
        "messages that kill every worker stay where they are",
        [
            Change(
                "shared/queue/job_queue.py",
                "                    together.rename(key, kept)\n",
                "                    pass\n",
            )
        ],
        [f"{_HEALING}::test_messages_that_end_every_worker_are_quarantined"],
    ),
    Mutant(
        "running out of memory ends the worker's main process",
        [
            Change(
                _SETTLE,
                "    except (Exception, TimeUpError, OrderTooSlowError) as error:",
                "    except MemoryError:\n        raise\n"
                "    except (Exception, TimeUpError, OrderTooSlowError) as error:",
            )
        ],
        [f"{_POISON}::test_running_out_of_memory_leaves_the_workers_main_process_alone"],
    ),
    Mutant(
        "a second set of orders under one key is possible",
        [
            Change(
                "shared/persistence/migrations/versions/0001_the_first_tables.py",
                '        sa.UniqueConstraint("job_id", "position", "part", name="orders_one_per_key"),\n',
                "",
            )
        ],
        [f"{_FAULTS}::test_an_order_that_exists_already_is_never_made_again_nor_rejected"],
    ),
    Mutant(
        "a lock that is not to be had is taken for a fault of the order",
        [Change("shared/persistence/core/errors.py", '"55P03": LimitError,', '"55P03": PermanentError,')],
        [f"{_ATTEMPTS}::test_a_lock_that_is_not_to_be_had_does_not_count"],
    ),
    Mutant(
        "whatever the server cannot do is taken for a fault of the order",
        [
            Change(
                "shared/persistence/core/errors.py",
                "if prefix in _KINDS), UnableError)",
                "if prefix in _KINDS), PermanentError)",
            )
        ],
        [f"{_FAULTS}::test_a_fault_of_the_server_rejects_no_order"],
    ),
    Mutant(
        "transient faults are not tried again",
        [Change(_RETRY, "if tried.tries < limits.tries_max else Leave", "if tried.tries < 1 else Leave")],
        [f"{_FAULTS}::test_a_fault_that_passes_is_tried_again_and_never_shown"],
    ),
    Mutant(
        "an Idempotency-Key is no bar to a second job",
        [
            Change(
                _KEYS_MIGRATION,
                """    op.create_unique_constraint(
        op.f("jobs_client_id_idempotency_key_key"), "jobs", ["client_id", "idempotency_key"]
    )
""",
                "",
            ),
        ],
        ["tests/integration/test_api_idempotency.py::test_racing_first_requests_make_one_job"],
    ),
    Mutant(
        "an Idempotency-Key is that of the API key, not of the client",
        [
            Change(
                "api/orders/views.py",
                "client_id=context.caller.client_id,",
                "client_id=context.caller.id,",
            ),
            Change(
                _KEYS_MIGRATION,
                """    op.create_foreign_key(
        op.f("jobs_client_id_fkey"), "jobs", "api_keys", ["client_id", "api_key_id"], ["client_id", "id"]
    )
    op.drop_constraint(op.f("jobs_api_key_id_idempotency_key_key"), "jobs")
""",
                """    op.drop_constraint(op.f("jobs_api_key_id_idempotency_key_key"), "jobs")
""",
            ),
        ],
        ["tests/integration/test_clients.py::test_a_batch_sent_again_under_a_rotated_key_is_the_same_job"],
    ),
    Mutant(
        "an order is completed by whoever knows its number",
        [
            Change(
                "shared/domain/completion.py",
                "order is None or not (asked.market_ids is None or order.market_id in asked.market_ids):",
                "order is None:",
            )
        ],
        [
            f"{_ACCESS}::test_an_order_of_another_market_cannot_be_completed_and_looks_like_none",
        ],
    ),
    Mutant(
        "a job is finished by the first who sees no slice that nobody has taken",
        [Change(_CLOSING, "GROUP BY job_id HAVING bool_and(closed_at IS NOT NULL)", "GROUP BY job_id")],
        [f"{_CLOSED_ONCE}::test_of_two_that_close_the_last_slices_at_once_one_finishes_the_job"],
    ),
    Mutant(
        "of two that close the last slices neither looks again",
        [
            Change(
                _CLOSING, '    ORDER BY id FOR NO KEY UPDATE\n""")  # noqa', '    ORDER BY id\n""")  # noqa'
            )
        ],
        [f"{_CLOSED_ONCE}::test_of_two_that_close_the_last_slices_at_once_one_finishes_the_job"],
    ),
    Mutant(
        "whoever closes a slice queues for its job's row",
        [
            Change(
                _CLOSING,
                "    AND NOT EXISTS"
                " (SELECT FROM slices WHERE job_id = jobs.id AND closed_at IS NULL AND attempts = 0)\n",
                "",
            )
        ],
        [f"{_CLOSED_ONCE}::test_who_cannot_be_the_last_waits_for_nobody"],
    ),
    Mutant(
        "a worker decides what was cancelled before it claimed it",
        [Change("worker/settle/cancelled.py", "if one.id in claim.cancelled_ids and", "if False and")],
        ["tests/integration/test_jobs_cancelled.py::test_what_a_worker_has_in_hand_is_finished"],
    ),
    Mutant(
        "who may read everybody's jobs may cancel them",
        [
            Change(
                "api/jobs/find.py",
                "_found(app, context, job_id, own=True)",
                "_found(app, context, job_id, own=False)",
            )
        ],
        [
            "tests/integration/test_jobs_cancelled.py::test_a_job_of_somebody_else_is_404_even_for_who_may_read_it"
        ],
    ),
    Mutant(
        "a key that another retry has is retried",
        [
            Change(
                "shared/persistence/jobs/retry.py",
                "if taken := [one for one, last in retry.last_tries.items() if tried.get(one) != last]:",
                "if taken := []:",
            ),
            Change("shared/persistence/jobs/retry.py", "    if added != new:\n", "    if False:\n"),
        ],
        ["tests/integration/test_jobs_retried.py::test_of_retries_that_race_for_a_key_one_gets_it"],
    ),
    Mutant(
        "an order that was made is retried",
        [
            Change(
                "api/jobs/retry.py",
                "found[chosen.key] = None if read_decision(chosen.outcome).ok else sent",
                "found[chosen.key] = sent",
            )
        ],
        ["tests/integration/test_jobs_retried.py::test_what_was_made_or_is_under_way_is_refused_and_named"],
    ),
    Mutant(
        "an order that a deleted retry made is made again",
        [
            Change(
                "api/jobs/retry.py",
                "taken |= its if later is None else its - _rejected_by(app, later)",
                "taken |= set()",
            )
        ],
        [f"{_RETRIED}::test_an_order_that_a_deleted_retry_may_have_made_is_not_made_again"],
    ),
    Mutant(
        "a cancellation overwrites what was decided",
        [
            Change(
                "shared/persistence/jobs/cancel.py",
                "WHERE job_id = :id AND closed_at IS NULL",
                "WHERE job_id = :id AND slices.cancelled_count = 0",
            )
        ],
        [
            "tests/integration/test_jobs_cancelled.py::test_what_is_not_decided_is_cancelled_at_once_and_what_was_decided_stays"
        ],
    ),
    Mutant(
        "progress is counted in another transaction than the slice is closed in",
        [
            Change(
                _CLOSING,
                "ended.update(connection.execute(_COUNT, wanted).scalars())",
                "ended.update(connection.engine.connect().execute(_COUNT, wanted).scalars())",
            )
        ],
        [f"{_CLOSED_ONCE}::test_progress_is_counted_with_the_slices_and_never_runs_backwards"],
    ),
    Mutant(
        "a job's tag does not know that it is being cancelled",
        [Change("api/jobs/versions.py", "sha256(body)", 'sha256(body.replace(b"cancelling", b"running"))')],
        ["tests/unit/api/test_followers.py::test_whatever_is_told_of_a_job_has_a_tag_of_its_own"],
    ),
    Mutant(
        "what was sent goes before what all its keys are told is written out",
        [
            Change(
                "shared/persistence/jobs/kept_bodies.py", "            write_out(connection, job_ids)\n", ""
            )
        ],
        ["tests/integration/test_kept_bodies.py"],
    ),
    Mutant(
        "a job is finished twice",
        [
            Change(
                _CLOSING,
                "WHERE jobs.id = ended.job_id AND jobs.finished_at IS NULL",
                "WHERE jobs.id = ended.job_id",
            )
        ],
        [f"{_CLOSED_ONCE}::test_a_job_is_finished_once_however_often_that_is_asked_for"],
    ),
    Mutant(
        "nobody finishes a job whose last slices were closed at the same moment",
        [
            Change(
                "worker/maintenance/finish.py",
                "finish_ended_jobs(self._engine, ended.job_ids) if ended.job_ids else []",
                "[]",
            )
        ],
        [f"{_CLOSED_ONCE}::test_a_job_that_nobody_finished_is_finished_by_who_reads_it_and_by_the_scheduler"],
    ),
    Mutant(
        "the same file submitted again makes every order once more",
        [Change("cli/client/hand_in.py", "if given is None and not anew:", "if False:")],
        ["tests/e2e/test_submit_again.py"],
    ),
    Mutant(
        "a file that changed while it was sent goes under its earlier content's key",
        [Change("cli/client/upload.py", "if digest.digest() != self.sha256:", "if False:")],
        ["tests/unit/cli/client/test_client_again.py"],
    ),
    Mutant(
        "another body under the same Idempotency-Key is replayed",
        [Change("api/orders/idempotency.py", "    digest.update(body)\n", "")],
        ["tests/integration/test_api_idempotency.py::test_another_body_under_the_same_key_is_refused"],
    ),
    Mutant(
        "a part of the outcomes is given for the whole",
        [Change("api/orders/collect.py", "if found.order_count == job.total:", "if found.order_count:")],
        ["tests/integration/test_collecting_pieces.py"],
    ),
    Mutant(
        "a catalog row sets what it does not name to its default",
        [
            Change(
                "shared/persistence/catalog/merge.py",
                "return case((named, coming), else_=there)",
                "return coming",
            )
        ],
        ["tests/integration/test_catalog_changes.py"],
    ),
    Mutant(
        "a data directory is used whoever put what into it",
        [Change("cli/servers/data_dir.py", "        check_contents(place)\n", "        pass\n")],
        ["tests/integration/test_servers_foreign.py"],
    ),
    Mutant(
        "a data directory is used whoever may write to it",
        [Change("shared/private_files.py", "if found.st_mode & _OTHERS_WRITE:", "if False:")],
        ["tests/integration/test_servers_foreign.py"],
    ),
    Mutant(
        "a data directory is used whoever leads to it",
        [Change("shared/private_files.py", "    _check_links(absolute, _LINKS_MAX)\n", "")],
        ["tests/integration/test_servers_foreign.py", "tests/unit/shared/test_private_files.py"],
    ),
    Mutant(
        "what is written goes where a link leads",
        [
            Change(
                "shared/private_files.py",
                "(flags | os.O_NOFOLLOW | os.O_NONBLOCK)",
                "(flags | os.O_NONBLOCK)",
            )
        ],
        ["tests/unit/shared/test_private_files.py"],
    ),
    Mutant(
        "a path may be written in two ways",
        [
            Change(
                "api/server/heads.py",
                "if not is_plain_target(request.method, request.uri):",
                "if False:",
            )
        ],
        ["tests/e2e/test_hostile_connections.py::test_what_is_no_request_is_refused_in_the_envelope"],
    ),
    Mutant(
        "amounts are counted in hundredths whatever their currency",
        [
            Change(
                "shared/domain/currencies.py",
                "    return _UNITS[DECIMALS.get(currency, 2)]",
                "    return _UNITS[2]",
            )
        ],
        ["tests/integration/test_currencies.py"],
    ),
    Mutant(
        "the same Idempotency-Key waits inside a commit that others share",
        [Change("api/orders/keys_in_flight.py", "            self._held.add(mine)\n", "")],
        ["tests/unit/api/orders/test_keys_in_flight.py"],
    ),
    Mutant(
        "what was sent is stored as large as it is",
        [
            Change(
                "shared/persistence/migrations/versions/0013_kept_bodies.py",
                "SET STORAGE EXTENDED",
                "SET STORAGE EXTERNAL",
            )
        ],
        [
            "tests/integration/test_kept_bodies.py::test_a_batch_that_repeats_itself_takes_a_fraction_of_its_bytes"
        ],
    ),
    Mutant(
        "the embedded server logs the rows at fault",
        [
            Change(
                "cli/servers/postgres.py",
                '"log_error_verbosity": "terse"',
                '"log_error_verbosity": "default"',
            )
        ],
        [f"{_ROLES}::test_the_servers_log_holds_no_row"],
    ),
    Mutant(
        "the roles of ordermill are superusers",
        [
            Change(
                "shared/persistence/core/roles.py", "CREATE ROLE {} NOSUPERUSER", "CREATE ROLE {} SUPERUSER"
            )
        ],
        [f"{_ROLES}::test_neither_role_is_a_superuser"],
    ),
    Mutant(
        "locks and logs can be read by all users",
        [
            Change("shared/private_files.py", "& ~os.O_TRUNC, 0o600)", "& ~os.O_TRUNC, 0o644)"),
            Change("shared/private_files.py", "        os.fchmod(descriptor, 0o600)\n", "        pass\n"),
        ],
        [f"{_ROLES}::test_no_file_of_a_data_directory_is_open_to_others"],
    ),
    Mutant(
        "PostgreSQL runs as nobody, who is whatever a system keeps harmless",
        [Change("cli/servers/accounts.py", "if uid not in taken and _may_become(uid)", "if False")],
        [f"{_ROLES}::test_postgresql_runs_as_a_user_that_is_nobody_else"],
    ),
    Mutant(
        "whoever has vanished is sent the same for a quarter of an hour",
        [
            Change(
                "shared/persistence/core/database.py",
                '            "tcp_user_timeout": _UNACKNOWLEDGED_MOST_MS,\n',
                "",
            )
        ],
        ["tests/integration/test_connections.py"],
    ),
    Mutant(
        "a scheduler that a server keeps for ever is left alone",
        [Change("cli/processes/watchdog.py", "=settings.scheduler_silence_seconds", "=1e6")],
        [
            f"{_SCHEDULER}::test_a_scheduler_that_a_server_keeps_for_ever_is_replaced_and_sweeps_again",
        ],
    ),
    Mutant(
        "a voucher applies at any time",
        [
            Change(
                "shared/domain/vouchers.py",
                "        _out_of_time(voucher, position, sale.moment)\n        or _elsewhere",
                "        _elsewhere",
            )
        ],
        ["tests/integration/test_vouchers_placed.py"],
    ),
    Mutant(
        "commits are not on disk when they are answered",
        [
            Change(
                "cli/servers/postgres.py",
                '            "synchronous_commit": safe,\n',
                '            "synchronous_commit": "off",\n',
            )
        ],
        campaign=["--seconds", "40", "--seed", "1", "--pause", "1.5", "--kind", "PostgreSQL"],
    ),
    Mutant(
        "a server process that does not run is waited for",
        [
            Change(
                "shared/persistence/core/limited_connection.py",
                "self.answer_limit_seconds if timeout is None else timeout",
                "timeout",
            )
        ],
        ["tests/integration/test_connections.py"],
    ),
    Mutant(
        "what was sold is told in the words that the catalog has now",
        [
            Change(
                "shared/persistence/orders/pages.py",
                """LEFT JOIN item_versions AS sold"
    " ON sold.item_id = order_lines.item_id AND sold.version = order_lines.item_version\"""",
                """LEFT JOIN items AS sold"
    " ON sold.id = order_lines.item_id\"""",
            )
        ],
        [f"{_SOLD}::test_an_order_says_what_it_said_when_the_catalog_renames_everything"],
    ),
    Mutant(
        "a line forgets which words its item had",
        [Change("shared/persistence/orders/rows.py", "{item.id}\\t{item.version}", "{item.id}\\t0")],
        [f"{_SOLD}::test_each_order_has_the_words_of_its_own_day"],
    ),
    Mutant(
        "a younger back-order that fits overtakes an older one",
        [
            Change(
                "shared/domain/back_orders.py",
                "            behind.update(line.warehouse_ids)\n",
                "            pass\n",
            )
        ],
        ["tests/unit/shared/domain/test_back_orders.py"],
    ),
    Mutant(
        "back-orders are served youngest first",
        [
            Change(
                "shared/persistence/core/back_orders.py",
                "ORDER BY orders.created_at, order_number, line",
                "ORDER BY orders.created_at DESC, order_number DESC, line",
            )
        ],
        [_BACK_ORDERS],
    ),
    Mutant(
        "an order that has just begun to wait is not served",
        [
            Change(
                "shared/persistence/core/back_orders.py",
                "    if not latecomers:\n        return waiting\n",
                "    return [line for line in waiting if line.order_number in locked]\n",
            )
        ],
        [_BACK_ORDERS],
    ),
    Mutant(
        "a number that the same batch asks for is given away",
        [
            Change(
                "shared/persistence/orders/insert.py",
                "    AND (SELECT true FROM requested_numbers WHERE number = n LIMIT 1) IS NULL\n",
                "",
            )
        ],
        [f"{_REQUESTED}::test_an_automatic_number_is_none_that_another_slice_of_the_same_batch_asks_for"],
    ),
    Mutant(
        "numbers of undecided batches are released",
        [Change("shared/persistence/jobs/requested_numbers.py", " AND finished_at IS NULL", " AND false")],
        [f"{_REQUESTED}::test_numbers_are_kept_for_undecided_orders_alone"],
    ),
    Mutant(
        "a payment's notice that comes again is a payment more",
        [
            Change(
                "shared/persistence/orders/payments.py",
                """    ON CONFLICT (order_number, kind, transaction) WHERE transaction IS NOT NULL
    DO UPDATE SET method_id = EXCLUDED.method_id, status = EXCLUDED.status, amount = EXCLUDED.amount,
        response = EXCLUDED.response, method = EXCLUDED.method, external_url = EXCLUDED.external_url
""",
                "",
            ),
            Change(
                "shared/persistence/migrations/versions/0031_completions_in_bulk.py",
                "        unique=True,\n",
                "",
            ),
        ],
        [f"{_COMPLETIONS}::test_three_identical_payment_notices_are_one_capture"],
    ),
    Mutant(
        "two completions of one order in a batch take its stock twice",
        [
            Change(
                "shared/domain/completion.py",
                "    change = changes.get(order.number)\n",
                "    change = None\n",
            )
        ],
        [f"{_COMPLETIONS}::test_two_completions_of_one_order_in_a_batch_are_both_decided_in_order"],
    ),
    Mutant(
        "completions that race for an order do not lock it",
        [
            Change(
                "shared/persistence/orders/lock.py",
                "FROM orders WHERE number = ANY(ARRAY({_PARTS})) ORDER BY number FOR NO KEY UPDATE",
                "FROM orders WHERE number = ANY(ARRAY({_PARTS})) ORDER BY number",
            )
        ],
        [
            f"{_COMPLETION}::test_racing_completions_of_one_order_are_all_answered_and_take_its_stock_once",
        ],
    ),
    Mutant(
        "unique keys are claimed by nobody, and only looked up",
        [
            Change(
                "shared/persistence/orders/unique_keys.py",
                "    connection.execute(_CLAIM, values)\n",
                "",
            )
        ],
        [f"{_UNIQUE_KEYS}::test_who_comes_second_waits_for_the_first_and_is_told_its_order"],
    ),
    Mutant(
        "unique keys are claimed in whatever order they come",
        [
            Change(
                "shared/persistence/orders/unique_keys.py",
                "    ORDER BY client_id, key_hash\n    ON CONFLICT",
                "    ON CONFLICT",
            )
        ],
        [f"{_UNIQUE_KEYS}::test_slices_that_claim_the_same_keys_never_wait_for_each_other_in_a_ring"],
    ),
    Mutant(
        "unique keys are claimed when their stock is locked",
        [
            Change(
                "worker/settle/unique_keys.py",
                "    made = claim_keys(connection, wanted)\n",
                "    connection.exec_driver_sql('LOCK TABLE stock')\n"
                "    made = claim_keys(connection, wanted)\n",
            )
        ],
        [f"{_UNIQUE_KEYS}::test_who_waits_for_a_key_holds_no_stock_meanwhile"],
    ),
    Mutant(
        "the claim of a key that made nothing stays",
        [Change("worker/settle/unique_keys.py", "    release_keys(connection, unused)\n", "")],
        [f"{_UNIQUE_KEYS}::test_a_key_under_which_an_order_was_rejected_is_free"],
    ),
    Mutant(
        "slices with a key in common share a transaction",
        [Change("worker/settle/kind.py", "    if taken.options.unique_keys:\n", "    if False:\n")],
        [f"{_UNIQUE_KEYS}::test_two_jobs_of_one_message_make_each_key_once"],
    ),
    Mutant(
        "how many orders of a job are rejected is what this connection has counted",
        [
            Change(
                _CLOSING,
                "FROM job_progress WHERE job_id = ANY(CAST(:job_ids AS uuid[])) GROUP BY job_id",
                "FROM job_progress WHERE job_id = ANY(CAST(:job_ids AS uuid[]))"
                " AND writer = pg_backend_pid() GROUP BY job_id",
            )
        ],
        [f"{_MAX_FAILED}::test_of_two_that_are_too_many_together_and_closed_at_once_one_stops_the_job"],
    ),
    Mutant(
        "two that close at once count each without the other",
        [
            Change(
                _CLOSING,
                '        connection.execute(_LOCK_LIMITED, {"job_ids": limited})\n',
                "        pass\n",
            )
        ],
        [f"{_MAX_FAILED}::test_of_two_that_are_too_many_together_and_closed_at_once_one_stops_the_job"],
    ),
    Mutant(
        "an emptied Redis brings what is to be decided later",
        [
            Change(
                "shared/persistence/jobs/redispatch.py",
                "job_id NOT IN (SELECT id FROM jobs WHERE not_before > now() AND",
                "job_id NOT IN (SELECT id FROM jobs WHERE false AND",
            )
        ],
        [f"{_NOT_BEFORE}::test_an_emptied_redis_brings_everything_but_what_is_to_be_decided_later"],
    ),
    Mutant(
        "a worker decides what comes before its moment",
        [Change(_TAKING, "AND (not_before IS NULL OR not_before <= now() OR", "AND (true OR")],
        [f"{_NOT_BEFORE}::test_nothing_is_decided_sooner_by_whoever_comes_by"],
    ),
    Mutant(
        "a retry forgets how its orders are to be decided",
        [Change("api/jobs/retry_view.py", "        options=job.options.of_retry(),\n", "")],
        [f"{_OPTIONS}::test_a_retry_is_told_and_decided_as_the_job_whose_orders_it_tries"],
    ),
    Mutant(
        "cancel overwrites what a worker has just decided",
        [
            Change(
                "shared/persistence/jobs/cancel.py",
                "    LIMIT :most FOR UPDATE OF slices SKIP LOCKED\n",
                "    LIMIT :most\n",
            )
        ],
        [f"{_RACED}::test_whatever_races_each_key_has_one_outcome_and_is_made_once"],
    ),
    Mutant(
        "of retries that race each has the keys",
        [
            Change(
                "shared/persistence/jobs/retry.py",
                "in retry.last_tries.items() if tried.get(one) != last]:\n",
                "in retry.last_tries.items() if last is one]:\n",
            ),
            Change("shared/persistence/jobs/retry.py", "    if added != new:\n", "    if False:\n"),
        ],
        [f"{_RACED}::test_whatever_races_each_key_has_one_outcome_and_is_made_once"],
    ),
    Mutant(
        "a dry run commits what it has written",
        [
            Change(
                "worker/settle/dry_run.py",
                "        savepoint.rollback()\n",
                "        savepoint.commit()\n",
            )
        ],
        [f"{_DRY_RUNS}::test_an_ok_has_no_number_and_still_tells_what_was_ignored"],
    ),
    Mutant(
        "a dry slice does not see what those before it would have taken",
        [
            Change(
                "worker/settle/counted.py",
                "return super().lock_stock(item_ids).less(",
                "return super().lock_stock(item_ids).less({}) or (",
            )
        ],
        [f"{_DRY_RUNS}::test_a_slice_sees_what_the_dry_ones_before_it_would_have_taken"],
    ),
    Mutant(
        "a dry run draws real order numbers",
        [Change("worker/settle/counted.py", ", count, claimed, dry_run=True)", ", count, claimed)")],
        [f"{_DRY_RUNS}::test_an_ok_has_no_number_and_still_tells_what_was_ignored"],
    ),
    Mutant(
        "an atomic batch keeps what was made before one was rejected",
        [
            Change(
                "worker/settle/atomic.py",
                "            return placed\n        savepoint.rollback()\n",
                "            return placed\n        savepoint.commit()\n",
            )
        ],
        [f"{_ATOMIC}::test_where_one_is_rejected_it_tells_why_and_the_others_are_rejected_with_it"],
    ),
    Mutant(
        "an atomic batch that takes too long is cut up",
        [Change(_RETRY, " and not self.cut and not self.atomic", " and not self.cut")],
        [f"{_ATOMIC}::test_one_that_takes_all_of_its_time_is_not_cut_up_and_counts"],
    ),
    Mutant(
        "the feed of changes is read above what has ended",
        [Change(_CHANGE_FEED, " AND transaction_id < :horizon\n", "\n")],
        [f"{_CHANGES}::test_what_a_transaction_made_before_others_is_told_when_it_ends_and_so_are_theirs"],
    ),
    Mutant(
        "a cursor of another feed is read on with",
        [Change(_CHANGE_FEED, "    if after.generation != generation:\n", "    if False:\n")],
        [f"{_CHANGES}::test_a_cursor_that_is_not_of_this_feed_is_told"],
    ),
    Mutant(
        "a change of what belongs to an order is not told",
        [Change("shared/persistence/core/order_changes.py", "    if numbers:\n", "    if False:\n")],
        [f"{_CHANGES}::test_a_change_of_an_order_and_of_what_belongs_to_it_is_told_as_it_is_then"],
    ),
    Mutant(
        "a page of changes goes on behind what did not fit into it",
        [
            Change(
                "shared/domain/order_changes.py",
                "return SeenChanges(self.numbers[:count], self.before[count], self.before[:count])",
                "return SeenChanges(self.numbers[:count], self.behind, self.before[:count])",
            )
        ],
        [f"{_CHANGES}::test_a_page_has_no_more_than_fits_and_the_rest_follows"],
    ),
    Mutant(
        "a cursor skips the other orders of its moment",
        [
            Change(
                "shared/persistence/orders/page_numbers.py",
                "return place > own if edge.backwards else place < own",
                "return place > own if edge.backwards else orders.c.created_at < edge.created_at",
            )
        ],
        [f"{_FILTERS}::test_next_shows_each_of_900_orders_of_one_moment_once_while_others_come_in"],
    ),
    Mutant(
        "a shipment lowers what is allocated and leaves what is there",
        [
            Change(
                "shared/persistence/orders/ship.py",
                "SET physical = physical - taken.quantity, allocated",
                "SET allocated",
            )
        ],
        [_SHIPPED],
    ),
    Mutant(
        "the same reference ships again",
        [
            Change(
                "shared/domain/shipment.py",
                "    if read.reference is not None and read.reference in order.shipments:\n"
                "        return order.shipments[read.reference]\n",
                "",
            )
        ],
        ["tests/unit/shared/domain/test_shipment.py"],
    ),
    Mutant(
        "a cancellation gives back as often as it is asked for",
        [
            Change(
                "shared/domain/cancellation.py",
                '    if order.state == "cancelled":\n        return order.number\n',
                "",
            )
        ],
        ["tests/unit/shared/domain/test_cancellation.py"],
    ),
    Mutant(
        "what has shipped in part is cancelled",
        [Change("shared/domain/cancellation.py", "    if order.shipped:\n", "    if False:\n")],
        ["tests/unit/shared/domain/test_cancellation.py"],
    ),
    Mutant(
        "a cancelled order keeps the uses of its vouchers",
        [
            Change(
                "shared/persistence/orders/cancel.py",
                "    uses = _locked_uses(connection, first_numbers) if first_numbers else {}\n",
                "    uses: dict[int, int] = {}\n",
            )
        ],
        [_SHIPPED],
    ),
    Mutant(
        "what a cancellation frees is sold to the next customer",
        [
            Change(
                "shared/persistence/orders/cancel.py",
                "    serve_waiting(connection, locked.items, locked.waiting)\n",
                "",
            )
        ],
        [_SHIPPED],
    ),
)

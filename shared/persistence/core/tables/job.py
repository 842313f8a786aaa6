"""The tables of jobs: what was accepted, in slices, and what came of each."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.persistence.core.tables.base import Moment, metadata

jobs = Table(
    "jobs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("client_id", Integer, nullable=False),
    # The key that it came with: its markets are those of the job's orders.
    Column("api_key_id", Integer, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("total", Integer, nullable=False),
    # Prefer: handling=strict, where an unknown field is an error.
    Column("strict", Boolean, nullable=False, server_default=text("false")),
    # What was asked for: keyed orders or completions, or one of them, answered without a key.
    Column("form", Text, nullable=False, server_default=text("'batch'")),
    # Whether its orders are decided in the order that was sent: one slice after the other.
    Column("ordered", Boolean, nullable=False, server_default=text("false")),
    # Whether nothing of it stays, whether all or none of its orders are made, whether a key that has an order
    # makes no second, and beyond how many rejected orders it is cancelled.
    Column("dry_run", Boolean, nullable=False, server_default=text("false")),
    Column("atomic", Boolean, nullable=False, server_default=text("false")),
    Column("unique_keys", Boolean, nullable=False, server_default=text("false")),
    Column("max_failed", Integer),
    # Nothing of it is decided sooner.
    Column("not_before", Moment),
    # What its client calls it, and {name: value}: NULL where there is none, so that no index has it.
    Column("reference", Text),
    Column("labels", JSONB),
    # The client's Idempotency-Key and the SHA-256 of what it asked for with it.
    Column("idempotency_key", Text),
    Column("request_hash", LargeBinary),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    # Its last word, written once, by whoever closes its last slice. How far it has come before that is told
    # by job_progress.
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("ok_count", Integer),
    Column("cancelled_count", Integer),
    # {"-2": 3}: rejections by code.
    Column("codes", JSONB),
    # From then on nothing of it is decided that no worker had in hand.
    Column("cancel_requested_at", Moment),
    # When its slices were deleted; the row stays until it expires.
    Column("deleted_at", Moment),
    # The job whose rejected orders it tries again, and the one that tried them first.
    Column("retry_of", Uuid),
    Column("first_try", Uuid),
    # Whether its slices still have what was sent.
    Column("bodies_kept", Boolean, nullable=False, server_default=text("true")),
    # NULLs differ: a job without an Idempotency-Key is like no other.
    UniqueConstraint("client_id", "idempotency_key"),
    # A job's key is one of its client's.
    ForeignKeyConstraint(["client_id", "api_key_id"], ["api_keys.client_id", "api_keys.id"]),
    CheckConstraint("(idempotency_key IS NULL) = (request_hash IS NULL)", name="idempotency_key_with_hash"),
    CheckConstraint("total >= 0", name="total_not_negative"),
    CheckConstraint(
        "(finished_at IS NULL) = (ok_count IS NULL) AND (finished_at IS NULL) = (cancelled_count IS NULL)"
        " AND (finished_at IS NULL) = (codes IS NULL)",
        name="finished_with_counts",
    ),
    CheckConstraint(
        "ok_count >= 0 AND cancelled_count >= 0 AND ok_count + cancelled_count <= total",
        name="counts_within_total",
    ),
    CheckConstraint(
        "form IN ('batch', 'order', 'completions', 'completion', "
        "'shipments', 'shipment', 'cancellations', 'cancellation')",
        name="form_known",
    ),
    CheckConstraint("ordered OR NOT (dry_run OR atomic)", name="dry_run_and_atomic_are_ordered"),
    CheckConstraint("max_failed >= 0", name="max_failed_not_negative"),
    CheckConstraint("NOT (atomic AND max_failed IS NOT NULL)", name="atomic_or_some_failed"),
    CheckConstraint("jsonb_typeof(labels) = 'object'", name="labels_is_object"),
    CheckConstraint("(retry_of IS NULL) = (first_try IS NULL)", name="retry_has_first_try"),
    CheckConstraint("deleted_at IS NULL OR finished_at IS NOT NULL", name="deleted_when_finished"),
    Index(None, "client_id", "id"),
    Index("jobs_retry_of_idx", "retry_of", postgresql_where=text("retry_of IS NOT NULL")),
    Index(None, "expires_at"),
    # What the scheduler looks through for jobs that ended without anybody finishing them.
    Index("jobs_unfinished_idx", "id", postgresql_where=text("finished_at IS NULL")),
    # What the sweeper looks through for slices whose turn has come.
    Index("jobs_ordered_idx", "id", postgresql_where=text("ordered AND finished_at IS NULL")),
    Index("jobs_reference_idx", "reference", "id", postgresql_where=text("reference IS NOT NULL")),
    Index(
        "jobs_labels_idx",
        "labels",
        postgresql_using="gin",
        postgresql_ops={"labels": "jsonb_path_ops"},
        postgresql_where=text("labels IS NOT NULL"),
    ),
    # Which jobs wait for their moment.
    Index(
        "jobs_not_before_idx",
        "not_before",
        postgresql_where=text("not_before IS NOT NULL AND finished_at IS NULL"),
    ),
    Index("jobs_bodies_kept_idx", "created_at", postgresql_where=text("bodies_kept")),
)

slices = Table(
    "slices",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("job_id", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    # The slice's place in the job, from 0.
    Column("number", Integer, nullable=False),
    # The place of its first order in the batch, from 0.
    Column("first_position", Integer, nullable=False),
    Column("order_count", Integer, nullable=False),
    # Its part of the batch: one JSON object, {key: order, ...}, each order byte for byte as sent. NULL: the
    # job ended days ago, and what was sent is kept no longer.
    Column("body", LargeBinary),
    # Positions whose orderNumber stands earlier in the same batch.
    Column("repeated_numbers", ARRAY(Integer), nullable=False, server_default=text("'{}'")),
    # Which of the queues carries it: the Celery queue's name.
    Column("queue", Text, nullable=False),
    # NULL: it is one of an ordered job, and its turn has not come, or nobody has noticed.
    Column("next_dispatch_at", Moment),
    Column("dispatches", Integer, nullable=False, server_default=text("0")),
    # Counted in a transaction of its own, before the work: a crash must not take the count back.
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    # The names of the attempts that are counted, each given by the worker that made it: asking for one again
    # counts once, and so does giving it back.
    Column("attempt_tokens", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    # Whether one of them was shared with other slices; that it ended its worker is not held against this one.
    Column("attempted_together", Boolean, nullable=False, server_default=text("false")),
    Column("started_at", Moment),
    Column("closed_at", Moment),
    # Its part of the answer: one JSON object, {key: outcome, ...}; or [outcome], that of each key of the body
    # of a slice that was cancelled whole.
    Column("outcomes", LargeBinary),
    Column("ok_count", Integer),
    Column("cancelled_count", Integer, nullable=False, server_default=text("0")),
    # {"-2": 3}: rejections by code, without what was cancelled.
    Column("codes", JSONB),
    UniqueConstraint("job_id", "number"),
    CheckConstraint("order_count > 0", name="not_empty"),
    CheckConstraint(
        "(closed_at IS NULL) = (outcomes IS NULL) AND (closed_at IS NULL) = (ok_count IS NULL)",
        name="closed_with_outcomes",
    ),
    CheckConstraint(
        "cancelled_count >= 0 AND ok_count >= 0 AND ok_count + cancelled_count <= order_count",
        name="counts_within_slice",
    ),
    CheckConstraint("closed_at IS NOT NULL OR body IS NOT NULL", name="undecided_has_its_body"),
    Index("slices_undecided_idx", "next_dispatch_at", postgresql_where=text("closed_at IS NULL")),
    # Which of a job's slices are left, for whoever may be closing the last one.
    Index("slices_open_idx", "job_id", postgresql_where=text("closed_at IS NULL")),
)

job_progress = Table(
    # How far a running job has come, as each connection that closes its slices has counted: nobody waits for
    # another one's row. Gone when the job is finished.
    "job_progress",
    metadata,
    Column("job_id", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    # The connection's process in the server.
    Column("writer", Integer, nullable=False),
    Column("decided", Integer, nullable=False),
    Column("ok", Integer, nullable=False),
    Column("cancelled", Integer, nullable=False),
    # Rejections by code, -1 first.
    Column("rejected", ARRAY(Integer), nullable=False),
    Column("started_at", Moment),
    PrimaryKeyConstraint("job_id", "writer"),
    CheckConstraint("ok >= 0 AND cancelled >= 0 AND ok + cancelled <= decided", name="counts_add_up"),
)

requested_numbers = Table(
    # Order numbers that undecided jobs ask for: no automatic number is one of them. No foreign key, which
    # would cost an index: what is left of a job that is gone is removed with that of those that are done.
    "requested_numbers",
    metadata,
    Column("number", BigInteger, nullable=False),
    Column("job_id", Uuid, nullable=False),
    PrimaryKeyConstraint("number", "job_id"),
)

retried_keys = Table(
    # Which orders of a job were tried again, and by which job last: none is tried by two at once, or again
    # when it was made. A key is known by its SHA-256.
    "retried_keys",
    metadata,
    # The job that tried them first.
    Column("first_try", Uuid, nullable=False),
    Column("key_hash", LargeBinary, nullable=False),
    Column("job_id", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    PrimaryKeyConstraint("first_try", "key_hash"),
    CheckConstraint("octet_length(key_hash) = 32", name="hash_is_sha256"),
    Index(None, "job_id"),
)

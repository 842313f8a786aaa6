"""jobs closed once

Counts, codes and moments of a finished job stand in its row, written by whoever closes its last slice. How
far a running one has come is counted by each connection that closes slices, in a row of its own.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
# What an older worker closes is not counted while its job runs; the scheduler finishes such a job.
serves = "0019"

_MOMENT = postgresql.TIMESTAMP(timezone=True)

_FINISHED = """
    WITH ended AS (
        SELECT job_id, sum(ok_count) AS ok, min(COALESCE(started_at, closed_at)) AS started,
               max(closed_at) AS closed
        FROM slices GROUP BY job_id HAVING bool_and(closed_at IS NOT NULL)
    ), rejected AS (
        SELECT job_id, jsonb_object_agg(code, orders) AS codes
        FROM (
            SELECT job_id, code, sum(CAST(orders AS integer)) AS orders
            FROM slices CROSS JOIN jsonb_each_text(codes) AS counted (code, orders)
            GROUP BY job_id, code
        ) AS by_code GROUP BY job_id
    )
    UPDATE jobs
    SET finished_at = COALESCE(ended.closed, jobs.created_at), started_at = ended.started,
        ok_count = COALESCE(ended.ok, 0), cancelled_count = 0, codes = COALESCE(rejected.codes, '{}')
    FROM jobs AS those
    LEFT JOIN ended ON ended.job_id = those.id
    LEFT JOIN rejected ON rejected.job_id = those.id
    WHERE jobs.id = those.id AND (ended.job_id IS NOT NULL OR those.total = 0)
"""
_COUNTED = """
    INSERT INTO job_progress (job_id, writer, decided, ok, cancelled, rejected, started_at)
    SELECT job_id, 0, sum(order_count), sum(ok_count), 0,
           ARRAY(SELECT COALESCE(sum(CAST(counted.codes ->> (-nth)::text AS integer)), 0)
                 FROM generate_series(1, 7) AS nth
                 LEFT JOIN slices AS counted
                 ON counted.job_id = slices.job_id AND counted.closed_at IS NOT NULL
                 GROUP BY nth ORDER BY nth),
           min(COALESCE(started_at, closed_at))
    FROM slices WHERE closed_at IS NOT NULL
    AND EXISTS (SELECT FROM jobs WHERE jobs.id = slices.job_id AND finished_at IS NULL)
    GROUP BY job_id
"""


def upgrade() -> None:
    op.add_column("jobs", sa.Column("started_at", _MOMENT))
    op.add_column("jobs", sa.Column("finished_at", _MOMENT))
    op.add_column("jobs", sa.Column("ok_count", sa.Integer()))
    op.add_column("jobs", sa.Column("cancelled_count", sa.Integer()))
    op.add_column("jobs", sa.Column("codes", postgresql.JSONB()))
    op.add_column(
        "slices", sa.Column("cancelled_count", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.create_table(
        "job_progress",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("writer", sa.Integer(), nullable=False),
        sa.Column("decided", sa.Integer(), nullable=False),
        sa.Column("ok", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.Column("rejected", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("started_at", _MOMENT),
        sa.CheckConstraint(
            "ok >= 0 AND cancelled >= 0 AND ok + cancelled <= decided",
            name=op.f("job_progress_counts_add_up"),
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("job_progress_job_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "writer", name=op.f("job_progress_pkey")),
    )
    op.execute(_FINISHED)
    op.execute(_COUNTED)
    op.create_check_constraint(
        op.f("jobs_finished_with_counts"),
        "jobs",
        "(finished_at IS NULL) = (ok_count IS NULL) AND (finished_at IS NULL) = (cancelled_count IS NULL)"
        " AND (finished_at IS NULL) = (codes IS NULL)",
    )
    op.create_check_constraint(
        op.f("jobs_counts_within_total"),
        "jobs",
        "ok_count >= 0 AND cancelled_count >= 0 AND ok_count + cancelled_count <= total",
    )
    op.create_check_constraint(
        op.f("slices_counts_within_slice"),
        "slices",
        "cancelled_count >= 0 AND ok_count >= 0 AND ok_count + cancelled_count <= order_count",
    )
    op.create_index(
        op.f("jobs_unfinished_idx"), "jobs", ["id"], postgresql_where=sa.text("finished_at IS NULL")
    )
    op.create_index(op.f("jobs_client_id_id_idx"), "jobs", ["client_id", "id"])
    op.create_index(
        op.f("slices_open_idx"), "slices", ["job_id"], postgresql_where=sa.text("closed_at IS NULL")
    )


def downgrade() -> None:
    op.drop_index(op.f("slices_open_idx"), table_name="slices")
    op.drop_index(op.f("jobs_client_id_id_idx"), table_name="jobs")
    op.drop_index(op.f("jobs_unfinished_idx"), table_name="jobs")
    op.drop_constraint(op.f("slices_counts_within_slice"), "slices")
    op.drop_constraint(op.f("jobs_counts_within_total"), "jobs")
    op.drop_constraint(op.f("jobs_finished_with_counts"), "jobs")
    op.drop_table("job_progress")
    op.drop_column("slices", "cancelled_count")
    for column in ("codes", "cancelled_count", "ok_count", "finished_at", "started_at"):
        op.drop_column("jobs", column)

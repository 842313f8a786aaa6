"""Jobs that ended some time ago, oldest first and few at a time: those that retention lets go of."""

from __future__ import annotations


def ended_jobs(condition: str, oldest: str) -> str:
    """SQL that begins a statement with the CTE ``chosen (id)``: jobs, locked, for which a condition holds.

    Their last outcome is older than ``:after_last``; an undecided slice keeps its job, however old: what was
    accepted is not lost. A job has one slice or thousands, so it is these that bound a transaction: by the
    column ``oldest``, the jobs before ``:most`` slices are reached, so at least one.
    """
    return f"""
        WITH ended AS MATERIALIZED (
            SELECT id, {oldest} AS since FROM jobs
            WHERE {condition}
            AND NOT EXISTS (
                SELECT FROM slices WHERE job_id = jobs.id
                AND (closed_at IS NULL OR closed_at > now() - CAST(:after_last AS interval))
            )
            ORDER BY {oldest} LIMIT :most FOR UPDATE SKIP LOCKED
        ), counted AS (
            SELECT id, own, sum(own) OVER (ORDER BY since, id) AS so_far
            FROM ended
            CROSS JOIN LATERAL (SELECT count(*) AS own FROM slices WHERE job_id = ended.id) AS its_slices
        ), chosen AS (
            SELECT id FROM counted WHERE so_far - own < :most
        )
    """  # noqa: S608 - our own text

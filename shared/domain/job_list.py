"""A list of jobs: which are wanted, and a page of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from shared.domain.job import Job, JobState
    from shared.domain.kinds import JobKind


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs are wanted; None: any. ``client_id`` None: everybody's.

    ``after``: those that come behind this one in the list. ``labels``: those that have all of these.
    """

    limit: int
    client_id: int | None
    after: UUID | None = None
    state: JobState | None = None
    kind: JobKind | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    failed: bool | None = None
    reference: str | None = None
    labels: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of jobs, and whether there are more behind it."""

    jobs: list[Job]
    more: bool

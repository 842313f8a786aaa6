"""Reading: the bodies of taken slices in, what they ask of a transaction out; before any row is locked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shared.persistence.jobs.slices import TakenSlice
from worker.context import WorkerContext
from worker.settle.kind import work_of
from worker.settle.kinds import SETTLING
from worker.settle.part import Way
from worker.settle.work import Work


def read_work(context: WorkerContext, slices: Sequence[TakenSlice], way: Way) -> Work:
    """What slices of a part ask for: those of the first one's kind, as many as one transaction should do."""
    kind = slices[0].form.kind
    alike = [taken for taken in slices if taken.form.kind is kind]
    work = work_of(SETTLING[kind], context, alike, apart=way is Way.APART)
    if len(alike) == len(slices):
        return work
    others = [taken for taken in slices if taken.form.kind is not kind]
    return replace(work, later=[*work.later, *others])

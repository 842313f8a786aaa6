"""A campaign as a table for a person, and as JSON."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

    from tests.faults.campaign import Campaign

_SHOWN = 20


def as_json(campaign: Campaign) -> dict[str, Any]:
    """All of it."""
    verdict, harm = campaign.verdict, campaign.harm
    recovered = campaign.recovered_seconds
    return {
        "seed": campaign.plan.seed,
        "seconds": campaign.plan.seconds,
        "clients": campaign.plan.clients,
        "faults": dict(campaign.faults),
        "fault_count": campaign.faults.total(),
        "batches": campaign.batches,
        "orders": campaign.orders,
        "completed": verdict.completed,
        "stock_counts": campaign.counts,
        "lives": dict(campaign.lives),
        "outcomes": dict(verdict.outcomes),
        "accepted": verdict.accepted,
        "refused": verdict.refused,
        "lost_answers": campaign.lost_answers,
        "repeated": campaign.repeated,
        "unknown_and_created": verdict.unknown_created,
        "unknown_and_nothing": verdict.unknown_nothing,
        "poisonous_orders": campaign.poisonous,
        "healed_seconds": round(campaign.healed_seconds, 1),
        "recovered_seconds": None if recovered is None else round(recovered, 1),
        "job_seconds": [round(took, 2) for took in campaign.job_seconds],
        "hostile": dict(campaign.hostile),
        "p99_seconds": {name: took and round(took, 2) for name, took in campaign.p99_seconds.items()},
        "harm": {
            "accepted_orders": harm.accepted,
            "lost": harm.lost,
            "untold": harm.untold,
            "doubled": harm.doubled,
            "doubled_by_delivery": harm.doubled_by_delivery,
            "doubled_by_repetition": harm.doubled_by_repetition,
            "denied": harm.denied,
            "failed": harm.failed,
            "stuck": harm.stuck,
            "stuck_jobs": harm.stuck_jobs,
            "oversold_units": harm.oversold_units,
        },
        "violations": [{"promise": one.rule, "what": one.what} for one in campaign.violations],
    }


def show(campaign: Campaign, console: Console) -> None:
    """Print it."""
    faults = Table("fault", "times", title=f"seed {campaign.plan.seed}, {campaign.plan.seconds:g} s")
    for kind, times in sorted(campaign.faults.items()):
        faults.add_row(kind, str(times))
    faults.add_section()
    faults.add_row(f"{len(campaign.faults)} kinds", str(campaign.faults.total()))
    console.print(faults)
    told = as_json(campaign)
    figures = Table("what", "how much", show_header=False)
    for name in ("batches", "accepted", "refused", "lost_answers", "repeated", "poisonous_orders"):
        figures.add_row(name.replace("_", " "), f"{told[name]:,}")
    figures.add_row(
        "batches without an answer", f"{told['unknown_and_created']} made, {told['unknown_and_nothing']} not"
    )
    figures.add_row("orders", f"{campaign.orders:,}")
    figures.add_row("outcomes", ", ".join(f"{name}: {n:,}" for name, n in sorted(told["outcomes"].items())))
    figures.add_row("completions, counts of stock", f"{told['completed']:,}, {told['stock_counts']:,}")
    if campaign.lives.total():
        figures.add_row("of jobs", ", ".join(f"{what}: {n:,}" for what, n in campaign.lives.items()))
    figures.add_row("a batch took (median, 99 %, longest)", ", ".join(f"{s} s" for s in told["job_seconds"]))
    if campaign.hostile:
        figures.add_row("harm", ", ".join(f"{what}: {n:,}" for what, n in sorted(campaign.hostile.items())))
        beside, peace = told["p99_seconds"]["beside"], told["p99_seconds"]["peace"]
        ratio = f": {beside / peace:.1f} times" if beside and peace else ""
        figures.add_row("99 % of batches, beside it and in peace", f"{beside} s, {peace} s{ratio}")
    figures.add_row("all decided after the last fault", f"{told['healed_seconds']} s")
    figures.add_section()
    figures.add_row("violations", str(len(campaign.violations)))
    console.print(figures)
    for rule, times in Counter(one.rule for one in campaign.violations).items():
        console.print(f"broken {times} times: {rule}", style="bold red")
    for one in campaign.violations[:_SHOWN]:
        console.print(f"  {one.rule}: {one.what}", markup=False)

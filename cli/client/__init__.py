"""The commands of a client: submit a file, look at a job, fetch its results. They speak HTTP only."""

from cli.client.commands import job, results, submit

__all__ = ["job", "results", "submit"]

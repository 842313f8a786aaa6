"""Periodic tasks: the scheduler, and what it runs."""

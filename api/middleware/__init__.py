"""Middleware around every request: authentication, rate and concurrency limits, access log, error handlers."""

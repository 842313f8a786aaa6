"""Middleware around every request: authentication, limits, access log, error handlers."""

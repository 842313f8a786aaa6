"""What stands around every request: authentication, rate limit, access log, error handlers."""

"""What HTTP needs everywhere: errors, responses, Prefer, query strings."""

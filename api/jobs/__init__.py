"""Jobs and their outcomes: read back, listed, cancelled, deleted."""

"""Jobs, slices, attempts and outcomes: what was accepted, and what came of it."""

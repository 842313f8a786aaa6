"""Jobs, slices, attempts and outcomes: the promise and what came of it."""

"""Jobs and their outcomes, read back."""

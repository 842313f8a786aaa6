"""The roles as processes: supervised, watched, and replaced when they fall silent."""

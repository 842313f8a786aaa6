"""The demonstration: the whole walk on this machine, shown and checked, and nothing left running."""

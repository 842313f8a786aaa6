"""Stock: locked in one order, counted, and told."""

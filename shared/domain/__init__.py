"""The business in plain Python: orders, prices, stock, splitting, outcomes. Standard library only."""

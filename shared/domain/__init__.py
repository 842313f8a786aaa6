"""The business, in plain Python: orders, prices, stock, splitting, outcomes. Imports the standard library only."""

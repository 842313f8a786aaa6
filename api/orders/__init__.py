"""Orders: a batch accepted, its outcomes collected; and the orders that were made, listed."""

"""The queue: slice ids and order numbers over Redis, as hints of what the database holds."""

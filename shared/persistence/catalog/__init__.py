"""The catalog in the database: read for a slice, loaded from a file, exported to one."""

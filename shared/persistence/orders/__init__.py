"""Orders: inserted in bulk, completed, and read back in pages."""

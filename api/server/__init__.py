"""gunicorn around the application: how it is run, and what a client may hold of it."""

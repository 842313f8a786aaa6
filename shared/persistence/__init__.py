"""Persistence: jobs, orders, stock and catalog in PostgreSQL. The only package that uses SQLAlchemy."""

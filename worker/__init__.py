"""The worker: thin Celery tasks over use cases."""

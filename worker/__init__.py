"""The worker: thin Celery tasks over use cases. The only room that runs them."""

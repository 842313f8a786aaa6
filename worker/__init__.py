"""The workshop: thin Celery tasks over use cases. The only room that runs them."""

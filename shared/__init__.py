"""What the API and the workers must agree on: domain, schemas, persistence, queue, events, settings."""

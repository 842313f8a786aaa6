"""What the door and the workshop must agree on: domain, schemas, persistence, queue, events, settings."""

"""A body: bytes to JSON within limits, never to orders."""

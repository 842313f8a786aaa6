"""The HTTP API. The only package that uses Flask."""

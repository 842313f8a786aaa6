"""Schemas: JSON to order request, and job to JSON. The only package that uses marshmallow."""

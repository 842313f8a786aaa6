"""The marshmallow schemas as JSON Schema: what OpenAPI shows is made from what is enforced."""

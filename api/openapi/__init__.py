"""The OpenAPI document: 3.1, made from the table of routes and the marshmallow schemas."""

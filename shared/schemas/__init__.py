"""JSON to order request and job to JSON. The only room that speaks marshmallow."""

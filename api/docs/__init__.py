"""The OpenAPI document as a page that people read. It is plain HTML: no script, nothing from elsewhere."""

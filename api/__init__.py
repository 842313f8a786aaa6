"""The door: HTTP in, HTTP out. The only room that speaks Flask."""

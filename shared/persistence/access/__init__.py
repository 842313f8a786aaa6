"""API keys, and what an installation lacks before its first order."""

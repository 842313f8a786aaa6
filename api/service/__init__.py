"""The service itself: health, readiness and limits."""

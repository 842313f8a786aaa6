"""How much Hypothesis tries here: enough to find an oversell at once, little enough for every run."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "ordermill",
    max_examples=100,
    # Two busy cores make any deadline a matter of luck.
    deadline=None,
    # A failure here must be a failure everywhere.
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ordermill")

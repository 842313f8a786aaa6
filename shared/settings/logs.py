"""Settings of logs."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.setting import setting


@dataclass(frozen=True, kw_only=True)
class LogSettings:
    """Settings of logs."""

    log_level: str = setting("INFO", "DEBUG, INFO, WARNING or ERROR")
    log_format: str = setting("auto", "json, human, or auto: human on a terminal")

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import structlog

from shared.logs import configure_logging
from shared.settings import Settings, SettingsError


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    printed = capsys.readouterr()
    assert printed.out == ""
    return [json.loads(line) for line in printed.err.splitlines()]


def test_off_a_terminal_each_line_is_one_json_object_with_its_role(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(Settings(), "worker")

    structlog.get_logger().info("slice_settled", job_id=UUID(int=7), orders=250)

    (line,) = lines(capsys)
    assert list(line)[:4] == ["timestamp", "level", "role", "event"]
    assert line["timestamp"].endswith("Z")
    assert (line["level"], line["role"], line["event"], line["orders"]) == (
        "info",
        "worker",
        "slice_settled",
        250,
    )
    assert line["job_id"] == str(UUID(int=7))


def test_lines_of_libraries_carry_what_the_request_has_bound(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(), "api")
    structlog.contextvars.bind_contextvars(request_id="BRASS-1")

    logging.getLogger("celery.worker").warning("lost %s", "the broker")

    (line,) = lines(capsys)
    assert (line["event"], line["request_id"], line["logger"]) == (
        "lost the broker",
        "BRASS-1",
        "celery.worker",
    )


@pytest.mark.parametrize("log_format", ["json", "human"])
def test_no_password_of_a_url_is_ever_written(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_format=log_format), "api")
    settings = Settings(database_url="postgresql://mill:s3/cr@et@db/mill", redis_url="redis://:hush@r:6379/0")

    structlog.get_logger().info("started", settings=settings)
    logging.getLogger("kombu").error("cannot reach %s", settings.redis_url)
    try:
        raise ConnectionError(settings.database_url)  # noqa: TRY301 - a traceback with this text is what is tested
    except ConnectionError:
        structlog.get_logger().exception("away")

    printed = capsys.readouterr().err
    assert "s3/cr" not in printed
    assert "hush" not in printed
    assert printed.count(":***@") >= 4


def test_a_traceback_shows_no_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_format="human"), "api")
    secret = "om_brasslamp_secret"

    try:
        raise ValueError(len(secret))  # noqa: TRY301 - a traceback with this text is what is tested
    except ValueError:
        structlog.get_logger().exception("failed")

    printed = capsys.readouterr().err
    assert "ValueError: 19" in printed
    assert printed.count("om_brasslamp_secret") == 0


@pytest.mark.parametrize("log_format", ["json", "human"])
def test_a_clients_text_cannot_forge_a_line(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_format=log_format), "api")

    structlog.get_logger().info("refused", path="/v1\r\nforged \x1b[31m \ud800")

    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert "\x1b" not in printed


def test_no_text_of_a_traceback_steers_a_persons_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_format="human"), "api")

    try:
        raise ValueError("\x1b]0;x\x07 \x9b2J \u202e")  # noqa: TRY301 - a traceback with this text is what is tested
    except ValueError:
        structlog.get_logger().exception("failed")

    printed = capsys.readouterr().err
    assert "ValueError: \\x1b]0;x\\x07 \\x9b2J \\u202e" in printed
    assert printed.replace("\n", "").isprintable()


def test_a_librarys_text_cannot_forge_a_line_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_format="human"), "api")

    logging.getLogger("gunicorn.error").warning("Invalid request: %s", "x\r\n2026-01-01 forged \x1b[31m")

    printed = capsys.readouterr().err
    assert "\x1b" not in printed
    assert "\r" not in printed
    assert not any(line.startswith("2026-01-01") for line in printed.splitlines())


def test_levels_below_the_setting_are_silent(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_level="warning"), "api")

    structlog.get_logger().info("quiet")
    logging.getLogger("anything").info("quiet")

    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (Settings(log_level="LOUD"), "LOG_LEVEL is 'LOUD'"),
        (Settings(log_format="xml"), "LOG_FORMAT is 'xml'"),
    ],
)
def test_an_unknown_level_or_format_is_told(settings: Settings, named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        configure_logging(settings, "api")


@pytest.mark.parametrize("log_format", ["json", "human"])
def test_no_mailbox_and_no_api_key_is_ever_written(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(Settings(log_format=log_format), "api")
    key = "om_abcdefgh_" + "S3cret-_" * 6

    structlog.get_logger().info("said", key=key, to="åsa.q+tag@example.co.uk", quoted='<"bo"@example.com>')
    logging.getLogger("smtplib").warning("550 <eva@example.com>: no such user; key %s\nbo@example.com", key)
    try:
        raise KeyError("asa@example.com")  # noqa: TRY301 - a traceback with this text is what is tested
    except KeyError:
        structlog.get_logger().exception("failed")

    printed = capsys.readouterr().err
    assert not [name for name in ("sa.q", "eva", "asa", "S3cret", "\nbo@", "nbo@") if name in printed]
    assert printed.count("***@example.com") >= 3
    assert "***@example.co.uk" in printed
    assert "om_abcdefgh_***" in printed
    if log_format == "json":
        assert [json.loads(line) for line in printed.splitlines()]


def test_what_only_looks_like_a_mailbox_stays(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(), "api")

    structlog.get_logger().info("worker@host @decorated a @ b om_abcdefgh", url="redis://:x@r:6379/0")

    (line,) = lines(capsys)
    assert line["event"] == "worker@host @decorated a @ b om_abcdefgh"

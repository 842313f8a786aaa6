"""What can be known of the containers without a Docker engine."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.main import main
from shared.settings import load_settings, setting_names

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "ordermill"}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")

IMAGES = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
SECRETS = {"POSTGRES_PASSWORD", "POSTGRES_OWNER_PASSWORD", "POSTGRES_APP_PASSWORD", "REDIS_PASSWORD"}

# ${NAME}, ${NAME:-default}, ${NAME:?message}; $$ is an escaped dollar.
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [str(value)]


def _command(words: list[str]) -> None:
    """Parse ``words`` as the program would, up to the point where it would run them."""
    context = main.make_context("ordermill", list(words))
    name, command, rest = main.resolve_command(context, words)
    assert command is not None
    command.make_context(name, list(rest), parent=context)


def _seconds(duration: str) -> int:
    number = re.fullmatch(r"(\d+)s", duration)
    assert number, duration
    return int(number[1])


def test_the_roles_are_those_of_the_house() -> None:
    assert set(SERVICES) == {"postgres", "redis", "roles", "migrate", "api", "worker", "mailer", "scheduler"}
    assert set(OURS) == {"migrate", "api", "worker", "mailer", "scheduler"}


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_one_that_the_program_has(name: str) -> None:
    _command(OURS[name]["command"])


@pytest.mark.parametrize("name", ["worker", "mailer", "scheduler"])
def test_health_checks_ask_the_program_itself(name: str) -> None:
    kind, program, *words = OURS[name]["healthcheck"]["test"]

    assert (kind, program) == ("CMD", "ordermill")
    _command(words)


def test_health_check_of_the_api_asks_the_port_that_it_serves() -> None:
    api = OURS["api"]
    port = api["command"][api["command"].index("--port") + 1]

    assert f"http://127.0.0.1:{port}/healthz" in api["healthcheck"]["test"][-1]
    assert api["ports"] == [f"${{API_ADDRESS:-127.0.0.1}}:${{API_PORT:-8000}}:{port}"]


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_one_that_the_settings_know(name: str) -> None:
    assert not set(OURS[name]["environment"]) - set(setting_names()) - SECRETS


@pytest.mark.parametrize("name", OURS)
def test_a_setting_of_env_reaches_every_role_and_the_passwords_beside_it_none(name: str) -> None:
    assert OURS[name]["env_file"] == [".env"]
    # What stands here wins over the file.
    assert {secret: OURS[name]["environment"][secret] for secret in SECRETS} == dict.fromkeys(SECRETS, "")


def test_only_migrate_works_as_the_owner_and_nobody_as_the_superuser() -> None:
    users = {
        name: {
            found
            for text in _texts(service["environment"])
            for found in re.findall(r"postgresql://(\w+):", text)
        }
        for name, service in OURS.items()
    }

    assert users.pop("migrate") == {"ordermill_app", "ordermill_owner"}
    assert set(map(frozenset, users.values())) == {frozenset({"ordermill_app"})}


@pytest.mark.parametrize("image", [service["image"] for service in SERVICES.values()] + IMAGES)
def test_an_image_of_somebody_elses_is_named_by_its_exact_version(image: str) -> None:
    assert image == "ordermill" or re.fullmatch(
        r"[a-z]+:\d+\.\d+(\.\d+)?(-[a-z-]+)?(@sha256:[0-9a-f]{64})?", image
    )
    assert image != "redis:7.4"


@pytest.mark.parametrize("name", OURS)
def test_every_value_is_one_that_the_settings_take(name: str) -> None:
    settings = load_settings(OURS[name]["environment"])

    assert settings.log_format == "json"
    assert settings.database_url.startswith("postgresql://")
    assert settings.redis_url.startswith("redis://")


def test_image_sets_only_variables_that_somebody_reads() -> None:
    block = re.search(r"^ENV (.*?)^(?=\S)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert block
    lines = [line for line in block[1].splitlines() if not line.strip().startswith("#")]
    names = {word.split("=")[0] for word in shlex.split(" ".join(lines).replace("\\", " "))}

    assert not names - set(setting_names()) - {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}


def test_only_the_api_is_published_and_only_to_this_machine_unless_asked() -> None:
    published = {name for name, service in SERVICES.items() if service.get("ports")}

    assert published == {"api"}
    assert COMPOSE["networks"]["inside"]["internal"] is True
    # The mailer has to reach a mail server.
    inside = {name: service for name, service in SERVICES.items() if name not in {"api", "mailer"}}
    assert all(service["networks"] == ["inside"] for service in inside.values())


def test_no_secret_has_a_default() -> None:
    used = [found for text in _texts(COMPOSE) for found in VARIABLE.finditer(text)]
    secrets = {found["name"]: found["kind"] for found in used if "PASSWORD" in found["name"]}

    assert secrets == dict.fromkeys(SECRETS, "?")


def test_no_password_stands_in_the_files() -> None:
    values = [text for service in SERVICES.values() for text in _texts(service)]
    in_urls = [found for text in values for found in re.findall(r"://[^:/@\s]*:(.+)@", text)]
    in_variables = [
        value
        for service in SERVICES.values()
        for name, value in service.get("environment", {}).items()
        if "PASSWORD" in name and value
    ]

    assert in_urls
    assert in_variables
    assert all(VARIABLE.fullmatch(secret) for secret in in_urls + in_variables)
    assert "PASSWORD" not in DOCKERFILE


def test_example_environment_names_every_secret_and_gives_none() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    optional = dict(line[1:].split("=", 1) for line in lines if re.match(r"#\w+=", line))
    used = {found["name"]: found for text in _texts(COMPOSE) for found in VARIABLE.finditer(text)}

    assert given == dict.fromkeys(SECRETS, "")
    assert set(given) <= set(used) <= set(given) | set(optional)
    assert all(optional[name] == used[name]["rest"] for name in set(optional) & set(used))
    assert set(optional) - set(used) <= set(setting_names())


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_waits_for_exists(name: str) -> None:
    waits = SERVICES[name].get("depends_on", {})

    assert not set(waits) - set(SERVICES)
    for other, how in waits.items():
        healthy = how["condition"] == "service_healthy"
        assert healthy or how["condition"] == "service_completed_successfully"
        assert not healthy or "test" in SERVICES[other]["healthcheck"]


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate", "roles"}))
def test_every_lasting_service_has_a_health_check_and_comes_back(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_every_volume_is_declared() -> None:
    named = {mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])}

    assert named == set(COMPOSE["volumes"])


def test_worker_can_be_scaled() -> None:
    assert not {"container_name", "hostname", "ports"} & set(SERVICES["worker"])


@pytest.mark.parametrize("name", ["api", "worker", "mailer", "scheduler"])
def test_a_stopping_role_has_more_time_than_its_own_grace(name: str) -> None:
    settings = load_settings(OURS[name]["environment"])
    grace = max(settings.api_grace_seconds, settings.worker_grace_seconds)

    assert _seconds(OURS[name]["stop_grace_period"]) > grace


@pytest.mark.parametrize("name", SERVICES)
def test_root_file_systems_are_read_only(name: str) -> None:
    assert SERVICES[name]["read_only"] is True
    assert SERVICES[name]["tmpfs"]


@pytest.mark.parametrize("name", SERVICES)
def test_services_have_no_powers_and_can_get_none(name: str) -> None:
    service = SERVICES[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"] > 0
    assert not {"privileged", "cap_add", "pid", "ipc", "network_mode", "devices", "userns_mode"} & set(
        service
    )
    # Ours run as the image's own user, which is not root.
    assert name in OURS or service["user"] in {"postgres", "redis"}


@pytest.mark.parametrize("name", SERVICES)
def test_what_can_be_written_to_in_memory_is_small_and_runs_nothing(name: str) -> None:
    for mount in SERVICES[name]["tmpfs"]:
        options = mount.partition(":")[2].split(",")

        assert {"noexec", "nosuid", "nodev"} <= set(options)
        assert any(option.startswith("size=") for option in options)


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_of_the_host_is_mounted(name: str) -> None:
    sources = [mount.split(":")[0] for mount in SERVICES[name].get("volumes", [])]

    assert set(sources) <= set(COMPOSE["volumes"])


def test_a_way_out_is_had_only_by_those_that_need_one() -> None:
    with_a_way_out = {name for name, service in SERVICES.items() if "outside" in service["networks"]}

    assert with_a_way_out == {"mailer"}
    assert SERVICES["api"]["networks"] == ["inside", "api"]
    # Without it an answer from the internet finds no way back.
    masquerade = "com.docker.network.bridge.enable_ip_masquerade"
    assert COMPOSE["networks"]["api"]["driver_opts"] == {masquerade: "false"}


def test_redis_asks_for_a_password_and_never_drops_a_queue() -> None:
    script = SERVICES["redis"]["command"][-1]
    lines = dict(line.split(maxsplit=1) for line in script.splitlines() if " " in line and line[0] != "#")

    assert lines["requirepass"] == "$$REDIS_PASSWORD"
    assert lines["maxmemory-policy"] == "noeviction"
    assert lines["appendonly"] == "yes"


def test_image_runs_our_program_as_a_user_that_is_not_root() -> None:
    instructions = re.findall(r"^(USER|ENTRYPOINT) (.+)$", DOCKERFILE.split("\nFROM ")[-1], re.MULTILINE)

    assert instructions == [("USER", "10001:10001"), ("ENTRYPOINT", '["ordermill"]')]


def test_image_is_made_of_files_that_exist_and_are_let_in() -> None:
    sources = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    let_in = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()

    for source in " ".join(sources).split():
        assert (ROOT / source).exists(), source
        assert f"!{source}" in let_in

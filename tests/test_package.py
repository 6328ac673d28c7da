"""The contents of the package, and what importing it imports."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import healthchecks_io
import healthchecks_io.client
import healthchecks_io.schemas

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Stub


HEAVY = ["pydantic", "croniter", "pytz", "oncalendar", "click", "rich", "starlette", "uvicorn"]
START = "import sys; before = set(sys.modules)"
PRINT_IMPORTED = (
    f"print(*[name for name in {[*HEAVY, 'httpx', 'asyncio', 'typing']} if name in {{*sys.modules}} - before])"
)

# httpx imports click and rich for its own command line if they are installed.
IMPORTED_BY_HTTPX = {"httpx", "asyncio", "typing", "click", "rich"}


def test_all_lists_every_public_name() -> None:
    assert set(healthchecks_io.__all__) == {
        "AsyncClient", "BadAPIRequestError", "Badges", "Check", "CheckCreate", "CheckNotFoundError",
        "CheckNotPausedError", "CheckPings", "CheckStatuses", "CheckTrap", "CheckUpdate", "Client", "HCAPIAuthError",
        "HCAPIError", "HCAPIRateLimitError", "HCAPIUnavailableError", "Integration", "NonUniqueSlugError",
        "PingFailedError", "PingResult", "WrongClientError", "__version__", "add_log",
        "Plan", "Report", "heartbeat", "load_checks", "monitor",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("healthchecks_io", healthchecks_io.__all__),
        ("healthchecks_io.client", ["AsyncClient", "CheckTrap", "Client", "PingResult"]),
        ("healthchecks_io.client.exceptions", [name for name in healthchecks_io.__all__ if name.endswith("Error")]),
        ("healthchecks_io.schemas", healthchecks_io.schemas.__all__),
        ("healthchecks_io.schemas.checks", ["Check", "CheckCreate", "CheckPings", "CheckStatuses", "CheckUpdate"]),
        ("healthchecks_io.schemas.badges", ["Badges"]),
        ("healthchecks_io.schemas.integrations", ["Integration"]),
        ("healthchecks_io.sandbox", ["Sandbox"]),
    ],
)
def test_public_names_can_be_imported_from_their_documented_modules(module: str, names: list[str]) -> None:
    imported = importlib.import_module(module)
    for name in names:
        found = getattr(imported, name)
        assert found is getattr(healthchecks_io, name, found)
        assert name in dir(imported)


@pytest.mark.parametrize(
    "name", ["client.exceptions", "schemas.checks", "schemas.badges", "schemas.integrations", "sandbox"]
)
def test_a_public_module_is_an_attribute_of_the_package(fresh_python: Callable[[str], str], name: str) -> None:
    assert fresh_python(f"import healthchecks_io; print(healthchecks_io.{name}.__name__)") == f"healthchecks_io.{name}"


@pytest.mark.parametrize("package", ["healthchecks_io", "healthchecks_io.client", "healthchecks_io.schemas"])
def test_an_unknown_name_raises_attribute_error(package: str) -> None:
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nonsense'"):
        _ = importlib.import_module(package).nonsense


def test_a_star_import_imports_every_public_name(fresh_python: Callable[[str], str]) -> None:
    names = fresh_python("from healthchecks_io import *\nprint(sorted(name for name in dir() if name[:1].isupper()))")

    assert names == str(sorted(name for name in healthchecks_io.__all__ if name[:1].isupper()))


def test_the_version_matches_the_installed_distribution() -> None:
    assert importlib.metadata.version("healthchecks-io") == healthchecks_io.__version__


def test_the_package_is_typed() -> None:
    assert (Path(healthchecks_io.__file__).parent / "py.typed").exists()


def test_creating_a_client_imports_no_heavy_module(fresh_python: Callable[[str], str]) -> None:
    assert fresh_python(f"{START}; from healthchecks_io import Client; Client(); {PRINT_IMPORTED}") == ""


def test_a_ping_imports_no_heavy_module_except_httpx(fresh_python: Callable[[str], str], stub: Stub) -> None:
    stub.queue_response(200, "OK")
    ping = f"Client(ping_url={stub.url!r}).success_ping('u', data='x', rid='00000000-0000-4000-8000-000000000000')"

    imported = fresh_python(f"{START}; from healthchecks_io import Client; {ping}; {PRINT_IMPORTED}")

    assert set(imported.split()) <= IMPORTED_BY_HTTPX


def test_an_async_ping_imports_no_heavy_module_except_httpx(fresh_python: Callable[[str], str], stub: Stub) -> None:
    stub.queue_response(200, "OK")
    ping = f"asyncio.run(AsyncClient(ping_url={stub.url!r}).success_ping('u'))"

    imported = fresh_python(
        f"{START}; import asyncio; from healthchecks_io import AsyncClient; {ping}; {PRINT_IMPORTED}"
    )

    assert set(imported.split()) <= IMPORTED_BY_HTTPX


def test_a_check_trap_imports_no_heavy_module_except_httpx(fresh_python: Callable[[str], str], stub: Stub) -> None:
    stub.queue_response(200, "OK")
    job = f"with CheckTrap(Client(ping_url={stub.url!r}), 'u') as trap: trap.add_log('x')"

    imported = fresh_python(f"{START}; from healthchecks_io import CheckTrap, Client\n{job}\n{PRINT_IMPORTED}")

    assert set(imported.split()) <= IMPORTED_BY_HTTPX


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    root = Path(healthchecks_io.__file__).parent
    modules = {
        ".".join(["healthchecks_io", *path.relative_to(root).with_suffix("").parts]): path
        for path in root.rglob("*.py")
        if path.name != "__init__.py"  # Packages only re-export names.
    }
    imports: dict[str, set[str]] = {}
    for name, path in modules.items():
        nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
        imported = {f"{node.module}.{alias.name}" for node in nodes for alias in node.names}
        imports[name] = modules.keys() & (imported | {str(node.module) for node in nodes})

    TopologicalSorter(imports).prepare()

"""Import public names on first use (PEP 562).

A cron script imports everything anew on every run, so imports are deferred at three boundaries:

1. ``import healthchecks_io`` imports nothing: the packages' ``__getattr__`` imports names on first use.
2. The first request imports httpx, and the modules that need it (`client.http` and those that it imports).
3. The first response of the management API imports pydantic and the schemas (`client.parsers`).

Below a boundary, modules import what they need at the top. The modules above the second boundary, which ``from
healthchecks_io import Client`` imports, avoid even ``typing``, and import larger modules of the standard library inside
functions: any one of those would cost more than all of the package's own modules together.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def lazy_getattr(package: str, modules_by_name: Mapping[str, str], *submodules: str) -> Callable[[str], object]:
    """Return a ``__getattr__`` function for a package.

    Args:
        package: The name of the package.
        modules_by_name: The public names of the package, each with the module that defines it.
        *submodules: The public submodules of the package.

    Returns:
        The function to assign to ``__getattr__``.
    """

    def import_name(name: str) -> object:
        if name in submodules:
            return __import__(f"{package}.{name}", fromlist=["*"])
        if name not in modules_by_name:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(__import__(modules_by_name[name], fromlist=[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return import_name

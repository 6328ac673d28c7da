"""Names that are imported when they are first used (PEP 562).

A cron script pays for every import on every run: ``import healthchecks_io`` must cost next to nothing, and a ping must
not import what only the management API needs. For the same reason the modules that are imported before httpx import
``typing`` for type checkers only: it would cost more than all of them together.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def lazily(package: str, homes: Mapping[str, str], *modules: str) -> Callable[[str], object]:
    """Make the ``__getattr__`` of a package.

    Args:
        package: The name of the package.
        homes: For each public name the module in which it is defined.
        *modules: The public modules of the package.
    """

    def import_name(name: str) -> object:
        if name in modules:
            return __import__(f"{package}.{name}", fromlist=["*"])
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(__import__(homes[name], fromlist=[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return import_name

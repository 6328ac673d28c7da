"""A local Healthchecks server for demos, development and tests: real HTTP on loopback, all in memory."""

from __future__ import annotations

try:
    import cronsim as _cronsim
    import starlette as _starlette
    import uvicorn as _uvicorn
except ImportError as error:
    raise ImportError(
        "the sandbox needs Starlette, uvicorn and cronsim: install healthchecks-io with its extra `sandbox`"
    ) from error

from healthchecks_io.sandbox.server import Sandbox
from healthchecks_io.sandbox.state import Ping

__all__ = ["Ping", "Sandbox"]

del _cronsim, _starlette, _uvicorn

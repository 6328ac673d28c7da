"""A local Healthchecks server for demos, development and tests, with all data in memory."""

from __future__ import annotations

try:
    import cronsim as _cronsim
    import starlette as _starlette
    import uvicorn as _uvicorn
except ImportError as error:
    raise ImportError(
        "healthchecks_io.sandbox requires Starlette, uvicorn and cronsim. "
        "Install them with: pip install 'healthchecks-io[sandbox]'"
    ) from error

from healthchecks_io.sandbox.server import Sandbox
from healthchecks_io.sandbox.state import Ping

__all__ = ["Ping", "Sandbox"]

del _cronsim, _starlette, _uvicorn

"""Import httpx."""

import httpx  # noqa: F401 - its import is what is measured

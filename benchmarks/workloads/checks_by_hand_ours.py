"""Get a list of checks with httpx, and validate it with the library's model."""

import sys

import httpx

from healthchecks_io.schemas.checks import Checks

with httpx.Client() as client:
    Checks.model_validate_json(client.get(f"{sys.argv[1]}v1/checks/", headers={"X-Api-Key": "key"}).content)

"""Words errors of the library for the command line: with options and variables instead of arguments."""

from __future__ import annotations

import re

_REPLACEMENTS = (
    # The name of the method.
    (r"\b[a-z_]+: (?=(?:GET|POST|DELETE) https?://)", ""),
    (r"(?<=\()create=True\b", "--create"),
    (r"\bslug=(?=\))", "--slug"),
    (r"\bby uuid\b", "by --uuid"),
    (r"(?<=the )api_url\b", "API URL"),
    (r"(?<=the )ping_url\b", "ping URL"),
    # `run` has no option for it.
    (r"(?<=try )api_version=", "HEALTHCHECKS_API_VERSION="),
    (r"(?<=set )(api|ping)_url=", r"--\1-url "),
    (r"\b(?:(?<=pass )|(?<=check ))(api|ping)_(key|url)\b", r"--\1-\2"),
    # The name of an invalid argument.
    (r"^(rid|seconds|start|end)(?= (?:is|must))", r"--\1"),
    (r"^n(?= must)", "--body"),
)


def for_command_line(message: str) -> str:
    """Return the message of an error of the library with the names of options."""
    for pattern, replacement in _REPLACEMENTS:
        message = re.sub(pattern, replacement, message)
    return message

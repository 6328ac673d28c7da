"""Create slugs from names."""

from __future__ import annotations

import re


def slugified(text: str) -> str:
    """Convert a text to a slug: in lower case, with dashes instead of other characters. It may be empty."""
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-")

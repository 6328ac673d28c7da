"""Shell completion in bash. This module is imported only to complete: click's own is slow to import."""

from __future__ import annotations

import re

from click.shell_completion import BashComplete, add_completion_class


class _BashComplete(BashComplete):
    def get_completion_args(self) -> tuple[list[str], str]:
        arguments, incomplete = super().get_completion_args()
        *arguments, incomplete = _joined([*arguments, incomplete])
        return arguments, incomplete


def _joined(parts: list[str]) -> list[str]:
    """Return the words that bash has split at ``=`` and ``:``, which are in COMP_WORDBREAKS."""
    words: list[str] = []
    is_open = False
    for part in parts:
        is_break = re.fullmatch("[=:]+", part) is not None
        if words and (is_break or is_open):
            words[-1] += part
        else:
            words.append(part)
        is_open = is_break
    return words


def register() -> None:
    """Use this completion instead of click's."""
    add_completion_class(_BashComplete)

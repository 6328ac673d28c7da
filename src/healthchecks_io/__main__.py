"""The command ``py-healthchecks.io``, also as ``python -m healthchecks_io``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, or say what it takes to have one."""
    try:
        from healthchecks_io.cli import commands

        commands(prog_name="py-healthchecks.io")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("click", "rich"):
            raise
        sys.exit("The command line needs click and rich: install healthchecks-io with its extra `cli`.")


if __name__ == "__main__":
    main()

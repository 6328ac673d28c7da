"""Entry point of ``py-healthchecks.io`` and ``python -m healthchecks_io``."""

from __future__ import annotations

import os
import sys

_COMPLETE = "_PY_HEALTHCHECKS_IO_COMPLETE"


def main() -> None:
    """Run the command line, or exit with an error if its dependencies are not installed."""
    from healthchecks_io.runner import descriptors

    descriptors.open_missing()
    # httpx imports click, pygments and rich for a command of its own, which takes a quarter of the time of `run`.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None makes the import fail
    try:
        from healthchecks_io.cli import commands

        if _COMPLETE in os.environ:
            from healthchecks_io.cli import bash

            bash.register()
        # click 8.1.0 would derive a variable name with a dot in it from the program name.
        commands(prog_name="py-healthchecks.io", complete_var=_COMPLETE)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("click", "rich"):
            raise
        sys.exit("The command line needs click and rich. Install them with: pip install 'healthchecks-io[cli]'")


if __name__ == "__main__":
    main()

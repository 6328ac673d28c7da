"""A stand-in for crontab(1): it keeps the crontab in a file, and refuses what Debian's cron refuses.

The file BEFORE-READING, if there is one, is a crontab that another program installs before the second reading.
"""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "spool"
sys.path.insert(0, "TESTS")

from crontab.emulator import read  # noqa: E402 - the path is set above


def main(argument: str) -> None:
    spool = FOLDER / "operator"
    if argument == "-V":
        sys.exit("cronie 1.6.1" if (FOLDER / "is-cronie").exists() else "crontab: usage error: unrecognized option")
    if argument == "-l":
        reads = FOLDER / "reads"
        reads.write_text(f"{reads.read_text() if reads.exists() else ''}.")
        other = FOLDER / "before-reading"
        if other.exists() and len(reads.read_text()) == 2:
            spool.write_bytes(other.read_bytes())
        if not spool.exists():
            sys.exit("no crontab for operator")
        sys.stdout.buffer.write(spool.read_bytes())
        return
    content = Path(argument).read_bytes()
    for number, problem in read(content).refused.items():
        sys.exit(f'"{argument}":{number - 1}: {problem}\nerrors in crontab file, can\'t install.')
    spool.write_bytes(content)


if __name__ == "__main__":
    main(sys.argv[1])

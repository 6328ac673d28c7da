"""Reads crontabs and runs their jobs as cron does.

The grammar follows the sources of Debian's cron (3.0pl1) and cronie, with their differences: the length of a line, two
backslashes in commands, the variable USER, and a few schedules that only one of them accepts.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Flavour = Literal["debian", "cronie"]

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"]
FIELDS = [
    ("minute", 0, 59, None),
    ("hour", 0, 23, None),
    ("day-of-month", 1, 31, None),
    ("month", 1, 12, MONTHS),
    ("day-of-week", 0, 7, DAYS),
]
NICKNAMES = {
    "yearly": "0 0 1 1 *",
    "annually": "0 0 1 1 *",
    "monthly": "0 0 1 * *",
    "weekly": "0 0 * * 0",
    "daily": "0 0 * * *",
    "midnight": "0 0 * * *",
    "hourly": "0 * * * *",
}
MAX_LENGTH = {"debian": 1000, "cronie": 131072}
C_SPACE = b" \t\n\v\f\r"


class RefusedError(Exception):
    """A line that cron does not accept."""


@dataclass(frozen=True)
class Times:
    """When a job runs."""

    sets: tuple[frozenset[int], ...]
    day_has_star: bool

    def __iter__(self) -> Iterator[datetime]:
        """Generate the times from 2024 to 2031, without daylight saving time."""
        minutes, hours, days, months, weekdays = self.sets
        midnight = datetime(2024, 1, 1)  # noqa: DTZ001 - a local time
        while midnight.year < 2032:
            in_days, in_weekdays = midnight.day in days, midnight.isoweekday() % 7 in weekdays
            is_day = (in_days and in_weekdays) if self.day_has_star else (in_days or in_weekdays)
            if midnight.month in months and is_day:
                for hour in sorted(hours):
                    for minute in sorted(minutes):
                        yield midnight + timedelta(hours=hour, minutes=minute)
            midnight += timedelta(days=1)


@dataclass(frozen=True)
class Job:
    """A line with a command."""

    line: int
    schedule: bytes
    times: Times | None
    """None for @reboot."""
    text: bytes
    """The command and its standard input as in the file."""
    environment: dict[bytes, bytes] = field(repr=False)
    flavour: Flavour = "debian"

    @property
    def command(self) -> bytes:
        """What the shell gets."""
        return self._split()[0]

    @property
    def stdin(self) -> bytes:
        """What cron writes to the standard input of the job."""
        text = self._split()[1]
        out = bytearray()
        escaped = False
        for byte in text:
            character = bytes([byte])
            if escaped:
                if character != b"%":
                    out += b"\\"
            elif character == b"%":
                character = b"\n"
            escaped = character == b"\\"
            if not escaped:
                out += character
        if escaped:
            out += b"\\"
        return bytes(out) if not out or out.endswith(b"\n") else bytes(out) + b"\n"

    def _split(self) -> tuple[bytes, bytes]:
        escapable = b"%\\" if self.flavour == "debian" else b"%"
        command = bytearray()
        escaped = False
        for index, byte in enumerate(self.text):
            if escaped:
                if byte in escapable:
                    command[-1] = byte
                else:
                    command.append(byte)
                escaped = False
            elif byte == ord("%"):
                return bytes(command), self.text[index + 1 :]
            else:
                command.append(byte)
                escaped = byte == ord("\\")
        return bytes(command), b""

    def run(self, home: Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
        """Run the job without a terminal, with both outputs in one pipe.

        Args:
            home: The home directory of the user.
            **variables: Variables that cron itself has from the system.
        """
        defaults = {"SHELL": "/bin/sh", "HOME": str(home), "PATH": "/usr/bin:/bin"}
        environment = {os.fsencode(name): os.fsencode(value) for name, value in (variables | defaults).items()}
        environment |= self.environment
        environment[b"LOGNAME"] = b"operator"
        if self.flavour == "cronie":
            environment[b"USER"] = b"operator"
        shell = environment[b"SHELL"]
        return subprocess.run(  # noqa: S603 - the corpus is trusted
            [shell, b"-c", self.command],
            env=environment,
            cwd=environment[b"HOME"],
            input=self.stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            timeout=60,
            check=False,
        )


@dataclass(frozen=True)
class Crontab:
    """What cron sees in a crontab."""

    jobs: list[Job]
    refused: dict[int, str]
    """The numbers of the lines that cron does not accept, with its messages."""


def read(content: bytes, flavour: Flavour = "debian") -> Crontab:
    """Read a crontab as cron does, but go on after errors."""
    jobs: list[Job] = []
    refused: dict[int, str] = {}
    environment: dict[bytes, bytes] = {}
    *lines, rest = content.split(b"\n")
    for number, line in enumerate(lines, 1):
        stripped = line.lstrip(b" \t")
        if not stripped or stripped.startswith(b"#"):
            continue
        setting = _read_setting(stripped, flavour)
        if setting is not None:
            environment[setting[0]] = setting[1]
            continue
        try:
            schedule, times, text = _read_job(stripped, flavour)
        except RefusedError as error:
            refused[number] = str(error)
        else:
            jobs.append(Job(number, schedule, times, text, dict(environment), flavour))
    if rest:
        refused[len(lines) + 1] = "missing newline before EOF"
    return Crontab(jobs, refused)


def _read_setting(line: bytes, flavour: Flavour) -> tuple[bytes, bytes] | None:
    """Return the name and value of a line that sets a variable, or None for other lines."""
    name, rest = _read_name(line[: MAX_LENGTH[flavour] - 2])
    rest = rest.lstrip(C_SPACE)
    if name is None or not rest.startswith(b"="):
        return None
    value = rest[1:].lstrip(C_SPACE)
    if value[:1] in (b"'", b'"') and value:
        quote = value[:1]
        value, found, rest = value[1:].partition(quote)
        if not found or rest.strip(C_SPACE):
            return None
    else:
        value = value.rstrip(C_SPACE)
        if not value:
            return None
    if flavour == "debian" and len(value) >= 2 and value[:1] in (b"'", b'"') and value[-1:] == value[:1]:
        value = value[1:-1]
    return name, value


def _read_name(line: bytes) -> tuple[bytes | None, bytes]:
    if line[:1] in (b"'", b'"'):
        name, found, rest = line[1:].partition(line[:1])
        return (name, rest) if found and b"=" not in name else (None, b"")
    end = next((index for index, byte in enumerate(line) if byte in C_SPACE + b"="), len(line))
    return line[:end], line[end:]


def _read_job(line: bytes, flavour: Flavour) -> tuple[bytes, Times | None, bytes]:
    reader = _Reader(line, flavour)
    if flavour == "cronie" and reader.take(b"-") and not reader.rest:
        raise RefusedError("bad minute")
    times: Times | None
    if reader.rest.startswith(b"@"):
        nickname = reader.take_until_blank()[1:].decode("latin-1")
        if nickname == "reboot":
            times = None
        elif nickname in NICKNAMES:
            times = _Reader(NICKNAMES[nickname].encode() + b" x", flavour).times()
        else:
            raise RefusedError("bad time specifier")
        reader.skip_blanks()
    else:
        times = reader.times()
    text = reader.rest
    if text.startswith(b"*") or (flavour == "cronie" and not text):
        raise RefusedError("bad command")
    if len(text) >= MAX_LENGTH[flavour] - 1:
        raise RefusedError("command too long")
    return line[: len(line) - len(text)].rstrip(b" \t"), times, text


class _Reader:
    """Reads the schedule at the beginning of a line."""

    def __init__(self, line: bytes, flavour: Flavour) -> None:
        self.rest = line
        self._flavour = flavour

    def take(self, prefix: bytes) -> bool:
        found = self.rest.startswith(prefix)
        if found:
            self.rest = self.rest[len(prefix) :]
        return found

    def take_while(self, characters: bytes) -> bytes:
        rest = self.rest.lstrip(characters)
        taken = self.rest[: len(self.rest) - len(rest)]
        self.rest = rest
        return taken

    def take_until_blank(self) -> bytes:
        end = next((index for index, byte in enumerate(self.rest) if byte in b" \t"), len(self.rest))
        taken, self.rest = self.rest[:end], self.rest[end:]
        return taken

    def skip_blanks(self) -> None:
        self.take_while(b" \t")

    def times(self) -> Times:
        stars = []
        sets = []
        for name, low, high, names in FIELDS:
            stars.append(self.rest.startswith(b"*"))
            numbers: set[int] = set()
            while True:
                try:
                    numbers |= self._range(low, high, names)
                except RefusedError:
                    raise RefusedError(f"bad {name}") from None
                if not self.take(b","):
                    break
            self.take_until_blank()
            self.skip_blanks()
            sets.append(frozenset(number % 7 for number in numbers) if high == 7 else frozenset(numbers))
        return Times(tuple(sets), stars[2] or stars[4])

    def _range(self, low: int, high: int, names: list[str] | None) -> set[int]:
        is_range = True
        if self.take(b"*"):
            first, last = low, high
        else:
            first = last = self._number(low, names)
            is_range = self.take(b"-")
            if is_range:
                last = self._number(low, names)
            elif self.rest.startswith(b"/"):
                raise RefusedError
        step = 1
        if is_range and self.take(b"/"):
            step = self._number(0, None)
        if not step or not (low <= first <= high and low <= last <= high):
            raise RefusedError
        if self._flavour == "cronie" and first > last:
            raise RefusedError
        return set(range(first, last + 1, step))

    def _number(self, low: int, names: list[str] | None) -> int:
        digits = b"0123456789"
        letters = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        text = self.take_while(digits + letters).decode()
        if names and text.lower() in names:
            return names.index(text.lower()) + low
        # cronie requires that one of these follows; Debian's cron skips to the next blank.
        if not text.isdecimal() or (self._flavour == "cronie" and self.rest[:1] not in (b"", *b_each(b",-/ \t"))):
            raise RefusedError
        return int(text)


def b_each(text: bytes) -> list[bytes]:
    """Return the bytes of a text one by one."""
    return [text[index : index + 1] for index in range(len(text))]

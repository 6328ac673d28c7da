"""Read and write crontabs: the user's own through crontab(1), other files in place."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path

_FOLDERS_WITH_USERS = (Path("/etc/cron.d"),)
_FILES_WITH_USERS = (Path("/etc/crontab"),)


class CrontabError(Exception):
    """A crontab cannot be read or written."""


def decode(content: bytes) -> str:
    """Decode a crontab. Bytes that are not UTF-8 are kept."""
    return content.decode("utf-8", "surrogateescape")


class Source(ABC):
    """Where a crontab is kept.

    Attributes:
        name: The name of the crontab, for messages.
        argument: The argument that names it, or an empty string for the crontab of the user.
    """

    name: str
    argument: str

    @abstractmethod
    def read(self) -> bytes:
        """Return the contents.

        Raises:
            CrontabError: The crontab cannot be read.
        """

    @abstractmethod
    def _install(self, content: bytes) -> None:
        """Replace the contents."""

    def replace(self, old: bytes, new: bytes) -> Path:
        """Replace the contents, and keep the old ones in a file that only the user can read.

        Args:
            old: The contents that were read.
            new: The new contents.

        Returns:
            The file with the old contents.

        Raises:
            CrontabError: The crontab has changed in the meantime, or cannot be written.
        """
        try:
            copy = _keep(old)
            if self.read() != old:
                raise CrontabError(f"{self.name} has changed in the meantime: run the command again")
            self._install(new)
        except (OSError, RuntimeError) as error:  # RuntimeError: there is no home directory.
            raise CrontabError(f"{self.name} could not be written: {getattr(error, 'strerror', '') or error}") from None
        return copy


class UserCrontab(Source):
    """The crontab of the user."""

    name = "your crontab"
    argument = ""

    def read(self) -> bytes:
        """Return the contents. A user without a crontab has an empty one."""
        result = _run_crontab("-l")
        if result.returncode and b"no crontab" in result.stderr.lower():
            return b""
        if result.returncode:
            raise CrontabError(f"`crontab -l` failed: {_message(result)}")
        return result.stdout

    def _install(self, content: bytes) -> None:
        with tempfile.NamedTemporaryFile(prefix="crontab-") as file:
            file.write(content)
            file.flush()
            result = _run_crontab(file.name)
        if result.returncode:
            raise CrontabError(f"`crontab` refused the new crontab, and kept the old one: {_message(result)}")


class CrontabFile(Source):
    """A file that is a crontab.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self.name = path
        # A comment is a single line.
        self.argument = "FILE" if "\n" in path else path
        self._path = Path(path)

    def read(self) -> bytes:
        """Return the contents."""
        try:
            path = self._path.resolve(strict=True)
            if path in _FILES_WITH_USERS or path.parent in _FOLDERS_WITH_USERS:
                raise CrontabError(f"{self.name} is a system crontab with a column of users, which is not supported")
            if path.stat().st_nlink > 1:
                raise CrontabError(f"{self.name} has several hard links, of which only one would be changed")
            return path.read_bytes()
        except OSError as error:
            raise CrontabError(f"{self.name} could not be read: {error.strerror}") from None

    def _install(self, content: bytes) -> None:
        path = self._path.resolve(strict=True)
        status = path.stat()
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                os.fchmod(file.fileno(), status.st_mode & 0o7777)
                if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(file.fileno(), status.st_uid, status.st_gid)
                    os.fchmod(file.fileno(), status.st_mode & 0o7777)
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _run_crontab(argument: str) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("crontab")
    if program is None:
        raise CrontabError("the program crontab is not installed: name a file instead")
    # The messages of the program are recognised in English.
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run([program, argument], env=environment, capture_output=True, check=False)  # noqa: S603 - of the system


def _message(result: subprocess.CompletedProcess[bytes]) -> str:
    text = " ".join((result.stderr or result.stdout).decode("utf-8", "replace").split())
    return text or f"exit status {result.returncode}"


def is_cronie() -> bool:
    """Return whether the cron of the system is cronie, which knows CRON_TZ. Others take it for any other variable."""
    try:
        result = _run_crontab("-V")
        return b"cronie" in (result.stdout + result.stderr).lower()
    except (CrontabError, OSError):
        return False


def system_time_zone() -> str:
    """Return the name of the system's time zone, or an empty string if it has none."""
    target = os.path.realpath("/etc/localtime")
    if "/zoneinfo/" in target:
        return target.partition("/zoneinfo/")[2].removeprefix("posix/").removeprefix("right/")
    try:
        return Path("/etc/timezone").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        # Without the file, the C library uses UTC.
        return "" if Path("/etc/localtime").exists() else "UTC"


def _keep(content: bytes) -> Path:
    """Write the old contents to a file beside the user's other data."""
    data = os.environ.get("XDG_DATA_HOME") or Path("~/.local/share").expanduser()
    folder = Path(data) / "healthchecks-io"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stamp = time.strftime("%Y-%m-%dT%H%M%S")
    for number in range(1000):
        path = folder / (f"crontab-{stamp}-{number}" if number else f"crontab-{stamp}")
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        return path
    raise CrontabError(f"no copy could be kept in {folder}")

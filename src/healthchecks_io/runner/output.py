"""Pass on the output of a command, and add it to the log."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
from typing import TYPE_CHECKING, NamedTuple

from healthchecks_io.runner.descriptors import is_same_file
from healthchecks_io.runner.signals import wake_up

if TYPE_CHECKING:
    from healthchecks_io.trap.run_log import RunLog

_CHUNK_SIZE = 131_072
"""In bytes, as cat(1) reads. Linux can make pipes as long, which halves the number of switches between programs."""


class Streams(NamedTuple):
    """What to do with the output of a command.

    Attributes:
        are_shown: Whether to show the output on this program's standard output and standard error.
        are_logged: Whether to add the output to the log.
        has_stdout: Whether to use standard output. If false, it is discarded.
        are_held_back: Whether to show the output only if the command fails, after its end.
    """

    are_shown: bool = True
    are_logged: bool = True
    has_stdout: bool = True
    are_held_back: bool = False


class Output:
    """The output of one command, which threads copy while the command runs.

    If standard output and standard error are the same file, the command gets one pipe for both. This keeps their order.
    Otherwise, each has a pipe and a thread of its own: a consumer that does not read one does not block the other.

    Args:
        streams: What to do with the output.
        log: The log to add the output to.

    Attributes:
        for_command: The descriptors to use as the command's standard output and standard error. None means those of
            this program.
    """

    def __init__(self, streams: Streams, log: RunLog) -> None:
        self._log = log if streams.are_logged else None
        self._held_back = _HeldBackOutput() if streams.are_held_back and streams.are_shown else None
        self._copiers: list[_Copier] = []
        self._to_close: list[int] = []
        self._exit_reader, self._exit_writer = os.pipe()
        needs_pipes = streams.are_logged or self._held_back is not None
        shown: tuple[int | None, int | None] = (1, 2) if streams.are_shown else (None, None)
        stdout: int | None = None
        stderr: int | None = None
        if not needs_pipes:
            if not streams.are_shown:
                stdout = stderr = self._discard()
        elif not streams.has_stdout:
            stderr = self._pipe_to(shown[1])
        elif not streams.are_shown or is_same_file(1, 2):
            stdout = stderr = self._pipe_to(shown[0])
        else:
            stdout, stderr = self._pipe_to(shown[0]), self._pipe_to(shown[1])
        if not streams.has_stdout:
            stdout = self._discard()
        self.for_command = (stdout, stderr)

    def _pipe_to(self, destination: int | None) -> int:
        reader, writer = os.pipe()
        self._copiers.append(_Copier(reader, self._exit_reader, destination, self._log, self._held_back))
        self._to_close.append(writer)
        return writer

    def _discard(self) -> int:
        descriptor = os.open(os.devnull, os.O_RDWR)
        self._to_close.append(descriptor)
        return descriptor

    def start(self) -> None:
        """Begin to copy, before the command starts. Without threads, it writes to the output of this program."""
        try:
            for copier in self._copiers:
                copier.start()
        except RuntimeError:
            self.for_command = (None, None)

    def close_for_command(self) -> None:
        """Close the descriptors of the command. It has been started, or could not be."""
        for descriptor in self._to_close:
            os.close(descriptor)

    @property
    def is_copied(self) -> bool:
        """Whether all output has been copied. A consumer that does not read it can delay this."""
        return not any(copier.is_alive() for copier in self._copiers)

    def end(self) -> None:
        """Read what is in the pipes, and then no more, even while other processes keep writing."""
        os.close(self._exit_writer)

    def close(self) -> None:
        """Close the pipes, once all output has been copied."""
        for copier in self._copiers:
            copier.close()
        os.close(self._exit_reader)

    def release(self) -> None:
        """Show the output that was held back."""
        if self._held_back is not None:
            self._held_back.release()


class _Copier(threading.Thread):
    """Copies the output in a pipe.

    Args:
        source: The pipe to read from.
        exit_reader: Another pipe, which is at its end once the command has ended.
        destination: The descriptor to write to, or None.
        log: The log to add the output to, if any.
        held_back: Where to keep the output instead of showing it, if it is held back.
    """

    def __init__(
        self,
        source: int,
        exit_reader: int,
        destination: int | None,
        log: RunLog | None,
        held_back: _HeldBackOutput | None,
    ) -> None:
        super().__init__(daemon=True)
        self._source = source
        self._exit_reader = exit_reader
        self._destination = destination
        self._log = log
        self._held_back = held_back

    def run(self) -> None:
        """Copy until the end of the output, or until the command has ended and the pipe is empty."""
        try:
            _enlarge(self._source)
            poll = select.poll()
            poll.register(self._source, select.POLLIN)
            poll.register(self._exit_reader, select.POLLIN)
            has_ended = False
            while not has_ended:
                has_ended = any(descriptor == self._exit_reader for descriptor, _ in poll.poll())
                if not has_ended and not self._copy_chunk(_CHUNK_SIZE):
                    return
            self._drain()
        finally:
            wake_up()

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._source)

    def _drain(self) -> None:
        import fcntl
        from termios import FIONREAD

        size = bytearray(4)
        fcntl.ioctl(self._source, FIONREAD, size)
        left = int.from_bytes(size, sys.byteorder)
        while left > 0 and (copied := self._copy_chunk(min(left, _CHUNK_SIZE))):
            left -= copied

    def _copy_chunk(self, size: int) -> int:
        """Copy some output. Return its length, or 0 at its end."""
        output = os.read(self._source, size)
        if self._log is not None:
            self._log.add_bytes(output)
        if self._destination is not None and output:
            if self._held_back is not None:
                self._held_back.write(self._destination, output)
            elif not write_all(self._destination, output):
                # A consumer that closes its end early, such as head(1), does not stop the command.
                self._destination = None
        return len(output)


def _enlarge(pipe: int) -> None:
    import fcntl

    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # The user may have many long pipes.
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _CHUNK_SIZE)


class _HeldBackOutput:
    """Output that is kept in a temporary file until the command has ended, with the descriptor to show it on."""

    def __init__(self) -> None:
        self._file: int | None = None
        self._is_released = False
        self._lock = threading.Lock()

    def write(self, destination: int, output: bytes) -> None:
        """Keep some output. If that fails, for example because the disk is full, show all of it."""
        with self._lock:
            if not self._is_released and not self._keep(destination, output):
                self._release()
                self._is_released = True
            is_released = self._is_released
        if is_released:
            write_all(destination, output)

    def release(self) -> None:
        """Show what was kept, and hold back nothing from now on."""
        with self._lock:
            if not self._is_released:
                self._release()
            self._is_released = True

    def _keep(self, destination: int, output: bytes) -> bool:
        try:
            if self._file is None:
                self._file = _temporary_file()
        except OSError:
            return False
        return write_all(self._file, bytes([destination]) + len(output).to_bytes(4, "big") + output)

    def _release(self) -> None:
        if self._file is None:
            return
        with os.fdopen(self._file, "rb") as file:
            file.seek(0)
            while len(head := file.read(5)) == 5:
                length = int.from_bytes(head[1:], "big")
                output = file.read(length)
                if len(output) == length:  # Otherwise, it could not be kept, and is shown by write().
                    write_all(head[0], output)


def _temporary_file() -> int:
    import tempfile

    descriptor, path = tempfile.mkstemp(prefix="py-healthchecks.io-")
    os.unlink(path)  # noqa: PTH108 - pathlib is slower
    return descriptor


def write_all(descriptor: int, output: bytes) -> bool:
    """Write all output. Return False if it can no longer be written."""
    while output:
        try:
            output = output[os.write(descriptor, output) :]
        except BlockingIOError:  # noqa: PERF203 - any write may block
            poll = select.poll()
            poll.register(descriptor, select.POLLOUT)
            poll.poll()
        except OSError:
            return False
    return True

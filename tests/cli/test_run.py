"""Tests of the `run` command."""

from __future__ import annotations

import contextlib
import functools
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import CheckCreate

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Stub

    from healthchecks_io.sandbox import Sandbox

RUN = [sys.executable, "-m", "healthchecks_io", "run"]


@pytest.fixture
def environment(environment: dict[str, str], hc: Sandbox) -> dict[str, str]:
    with hc.client() as client:
        client.create_check(CheckCreate(slug="backup"))
    return environment


@pytest.fixture
def start(start: Callable[..., subprocess.Popen[bytes]]) -> Callable[..., subprocess.Popen[bytes]]:
    """Start `run` for the check "backup" with the given arguments."""
    return functools.partial(start, "run", "--slug", "backup")


@pytest.fixture
def run(start: Callable[..., subprocess.Popen[bytes]]) -> Callable[..., tuple[int, bytes, bytes]]:
    """Run `run` and return its exit status, standard output and standard error."""

    def run(*arguments: str, **options: Any) -> tuple[int, bytes, bytes]:
        process = start(*arguments, **options)
        output, errors = process.communicate(timeout=30)
        return process.returncode, output, errors

    return run


@pytest.fixture
def recorded(hc: Sandbox) -> Callable[[], list[tuple[str, int | None, bytes]]]:
    """Return the kinds, exit statuses and bodies of the pings, oldest first."""
    return lambda: [(ping.type, ping.exit_status, ping.body) for ping in reversed(hc.pings("backup"))]


START = ("start", None, b"")


def test_a_successful_command_sends_a_success_ping_with_its_output(
    run: Callable[..., tuple[int, bytes, bytes]], hc: Sandbox, recorded: Callable[[], Any]
) -> None:
    status, output, errors = run("--", "sh", "-c", "echo saved; echo 3 files >&2")

    assert (status, output, errors) == (0, b"saved\n", b"3 files\n")
    assert recorded()[0] == START
    assert recorded()[1][0] == "success"
    assert sorted(recorded()[1][2].splitlines()) == [b"3 files", b"saved"]
    assert len({ping.rid for ping in hc.pings("backup")} - {None}) == 1


@pytest.mark.parametrize(
    ("script", "status", "body"),
    [
        ("exit 1", 1, b""),
        ("exit 255", 255, b""),
        ("kill -KILL $$", 137, b"killed by SIGKILL"),
        ("echo half; kill -TERM $$", 143, b"half\nkilled by SIGTERM"),
        ("kill -35 $$", 163, b"killed by signal 35"),
    ],
)
def test_the_exit_status_of_the_command_is_returned_and_sent(
    run: Callable[..., tuple[int, bytes, bytes]], recorded: Callable[[], Any], script: str, status: int, body: bytes
) -> None:
    assert run("--", "sh", "-c", script)[0] == status
    assert recorded() == [START, ("fail", status, body)]


def test_a_command_without_a_name_is_not_found(
    run: Callable[..., tuple[int, bytes, bytes]], recorded: Callable[[], Any]
) -> None:
    assert run("--", "")[0] == 127
    assert recorded() == [START, ("fail", 127, b"cannot run : the name is empty")]


def test_a_variable_without_a_name_does_not_keep_the_command_from_running(
    environment: dict[str, str], recorded: Callable[[], Any]
) -> None:
    command = ["env", "=x=1", *RUN, "--slug", "backup", "--", "sh", "-c", "echo saved; exit 3"]
    result = subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603 - our own command

    assert (result.returncode, result.stdout) == (3, b"saved\n")
    assert recorded() == [START, ("fail", 3, b"saved\n")]


@pytest.mark.parametrize("options", [[], ["--no-output"], ["--quiet-success"]])
def test_without_threads_the_command_runs_unreported(environment: dict[str, str], options: list[str]) -> None:
    # A thread needs as much address space as its stack may grow to, and there is not enough.
    limited = ["sh", "-c", 'ulimit -s 4000000; ulimit -v 2000000; exec "$@"', "sh"]
    command = [*limited, *RUN, "--slug", "backup", *options, "--", "sh", "-c", "sleep 0.3; echo saved; exit 3"]
    result = subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603 - our own command

    assert (result.returncode, result.stdout) == (3, b"saved\n")
    assert b"can't start new thread" in result.stderr


def test_a_command_that_is_not_found_is_reported(
    run: Callable[..., tuple[int, bytes, bytes]], recorded: Callable[[], Any]
) -> None:
    status, _, errors = run("no-such-command")

    assert status == 127
    assert errors == b"py-healthchecks.io: cannot run no-such-command: No such file or directory\n"
    assert recorded() == [START, ("fail", 127, b"cannot run no-such-command: No such file or directory")]


@pytest.mark.parametrize(
    ("command", "hint"),
    [(["echo a | cat"], b": use --shell to run it with a shell"), (["no such", "a"], b""), (["nothing"], b"")],
)
def test_a_command_line_in_quotes_that_is_no_program_needs_a_shell(
    run: Callable[..., tuple[int, bytes, bytes]], command: list[str], hint: bytes
) -> None:
    status, _, errors = run(*command)

    assert (status, errors.partition(b"No such file or directory")[2]) == (127, hint + b"\n")


def test_a_command_that_cannot_be_executed_is_reported(
    run: Callable[..., tuple[int, bytes, bytes]], recorded: Callable[[], Any], tmp_path: Path
) -> None:
    status, _, errors = run("--on-exec-failure", "fail", str(tmp_path))

    assert status == 126
    assert b"Permission denied" in errors
    assert recorded()[1][:2] == ("fail", None)


def test_arguments_are_passed_to_the_command_unchanged(run: Callable[..., tuple[int, bytes, bytes]]) -> None:
    echo = "import sys; print(sys.argv[1:])"
    arguments = ["--slug", "other", "$HOME", "*", "a b", "--", "-v", "é"]

    assert run("--", sys.executable, "-c", echo, *arguments)[1].decode().strip() == repr(arguments)


def test_the_command_inherits_standard_input(run: Callable[..., tuple[int, bytes, bytes]], tmp_path: Path) -> None:
    (tmp_path / "input").write_text("of the job")
    with (tmp_path / "input").open() as file:
        assert run("cat", stdin=file)[1] == b"of the job"


def test_output_is_shown_unchanged_and_its_end_is_sent(
    run: Callable[..., tuple[int, bytes, bytes]], recorded: Callable[[], Any]
) -> None:
    write = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 40_000 + b'the end')"
    _, output, _ = run("--", sys.executable, "-c", write)

    assert output == bytes(range(256)) * 40_000 + b"the end"
    body = recorded()[1][2]
    assert 9_990 < len(body) <= 10_000
    left_out, _, end = body.partition(b" bytes left out]\n")
    assert output.endswith(end)
    assert int(left_out[1:]) + len(end) == len(output)


def test_output_is_shown_as_it_is_produced(start: Callable[..., subprocess.Popen[bytes]]) -> None:
    process = start("--", "sh", "-c", "echo first; cat", stdin=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"first\n"
    assert process.communicate(b"second\n", timeout=20) == (b"second\n", b"")


def test_the_order_within_each_stream_is_kept(
    run: Callable[..., tuple[int, bytes, bytes]], recorded: Callable[[], Any]
) -> None:
    run("--", "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do echo out$i; echo err$i >&2; done")

    lines = recorded()[1][2].decode().split()
    assert [line for line in lines if line.startswith("out")] == [f"out{i}" for i in range(1, 10)]
    assert [line for line in lines if line.startswith("err")] == [f"err{i}" for i in range(1, 10)]


def test_a_command_that_closes_its_output_keeps_running(
    run: Callable[..., tuple[int, bytes, bytes]], recorded: Callable[[], Any]
) -> None:
    assert run("--", "sh", "-c", "echo bye; exec >&- 2>&-; sleep 0.3; exit 5")[:2] == (5, b"bye\n")
    assert recorded()[1] == ("fail", 5, b"bye\n")


def test_background_processes_of_the_command_are_not_waited_for(
    run: Callable[..., tuple[int, bytes, bytes]], recorded: Callable[[], Any]
) -> None:
    started_at = time.monotonic()
    # Otherwise the background process would keep the test's own pipes open.
    status, _, _ = run(
        "--", "sh", "-c", "sleep 20 & echo started", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    assert status == 0
    assert time.monotonic() - started_at < 10
    assert recorded()[1] == ("success", None, b"started\n")


def test_a_closed_stdout_pipe_does_not_affect_the_command(
    start: Callable[..., subprocess.Popen[bytes]], recorded: Callable[[], Any]
) -> None:
    process = start("--", "sh", "-c", "seq 1 200000; exit 4")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()

    assert process.wait(20) == 4
    assert recorded()[1][2].endswith(b"200000\n")
    process.communicate()


def test_stdout_and_stderr_may_be_closed(environment: dict[str, str], recorded: Callable[[], Any]) -> None:
    line = f'{sys.executable} -m healthchecks_io run --slug backup -- sh -c "echo out; echo err >&2" >&- 2>&-'
    assert subprocess.run(["sh", "-c", line], env=environment, check=False).returncode == 0  # noqa: S603,S607 - trusted input
    assert sorted(recorded()[1][2].split()) == [b"err", b"out"]


@pytest.mark.parametrize(
    ("option", "shown", "sent"),
    [
        ("--quiet", [], [b"err", b"out"]),
        ("--no-output", [b"err", b"out"], []),
        ("--discard-stdout", [b"err"], [b"err"]),
        ("--quiet --no-output", [], []),
    ],
)
def test_options_control_what_output_is_shown_and_sent(
    run: Callable[..., tuple[int, bytes, bytes]],
    recorded: Callable[[], Any],
    option: str,
    shown: list[bytes],
    sent: list[bytes],
) -> None:
    _, output, errors = run(*option.split(), "--", "sh", "-c", "echo out; echo err >&2")

    assert sorted((output + errors).split()) == shown
    assert sorted(recorded()[1][2].split()) == sent


def test_options_control_which_pings_are_sent(
    run: Callable[..., tuple[int, bytes, bytes]], hc: Sandbox, recorded: Callable[[], Any]
) -> None:
    run("--no-start", "--no-run-id", "--on-success", "log", "true")
    run("--no-start", "--on-failure", "success", "false")
    run("--no-start", "--on-success", "exit-status", "--body-limit", "100", "seq", "1000")

    assert [kind for kind, *_ in recorded()] == ["log", "success", "success"]
    assert [ping.rid is None for ping in reversed(hc.pings("backup"))] == [True, False, False]
    assert len(recorded()[2][2]) <= 100


@pytest.mark.parametrize(
    "variables",
    [
        {"HEALTHCHECKS_PING_URL": "http://127.0.0.1:1"},
        {"HEALTHCHECKS_PING_KEY": ""},
        {"HEALTHCHECKS_PING_KEY": "file:/no/such/file"},
        {"HEALTHCHECKS_PING_KEY": "not a valid key"},
        {"HEALTHCHECKS_PING_KEY": "unknown"},
        {"ALL_PROXY": "nonsense://127.0.0.1:1"},
    ],
)
def test_failures_of_the_monitoring_cause_one_warning_and_change_nothing_else(
    run: Callable[..., tuple[int, bytes, bytes]], environment: dict[str, str], variables: dict[str, str]
) -> None:
    job = ["--retries", "1", "--header", "X-Team: ops", "--", "sh", "-c", "echo out; exit 3"]
    status, output, errors = run(*job, env=environment | variables)

    assert (status, output) == (3, b"out\n")
    assert errors.startswith(b"py-healthchecks.io: the run was not reported: ")
    assert errors.count(b"\n") == 1


def test_the_warning_states_if_a_part_of_the_run_was_reported(
    run: Callable[..., tuple[int, bytes, bytes]], hc: Sandbox, recorded: Callable[[], Any]
) -> None:
    hc.fail_next(503)

    _, _, errors = run("--retries", "0", "true")

    assert errors.startswith(b"py-healthchecks.io: the run was not fully reported: ")
    assert [kind for kind, *_ in recorded()] == ["success"]


def test_a_warning_does_not_wait_for_the_end_of_a_long_command(start: Callable[..., subprocess.Popen[bytes]]) -> None:
    process = start("--ping-url", "http://127.0.0.1:1", "--retries", "0", "sleep", "100")
    assert process.stderr is not None

    warning = process.stderr.readline()
    process.terminate()

    assert warning.startswith(b"py-healthchecks.io: the run is not fully reported: ")
    assert process.stderr.read() == b""


@pytest.mark.parametrize(
    "check",
    [
        {"HEALTHCHECKS_CHECK_UUID": "file:/no/such/file"},
        {"HEALTHCHECKS_CHECK_SLUG": "Not A Slug"},
        {"HEALTHCHECKS_CHECK_SLUG": "backup", "HEALTHCHECKS_CHECK_UUID": "u"},
    ],
)
def test_an_invalid_check_in_the_environment_is_a_warning(environment: dict[str, str], check: dict[str, str]) -> None:
    result = subprocess.run(  # noqa: S603 - trusted input
        [*RUN, "sh", "-c", "exit 3"], env=environment | check, capture_output=True, check=False
    )

    assert result.returncode == 3
    assert result.stderr.startswith(b"py-healthchecks.io: the run was not reported: ")


def test_the_command_runs_even_if_a_warning_cannot_be_written(
    run: Callable[..., tuple[int, bytes, bytes]],
) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        job = ["--ping-url", "http://127.0.0.1:1", "--retries", "0", "--", "sh", "-c", "echo out; exit 3"]
        status, output, _ = run(*job, stderr=full)

    assert (status, output) == (3, b"out\n")


def test_the_timeout_also_applies_with_custom_headers(
    run: Callable[..., tuple[int, bytes, bytes]], serve: Callable[[Callable[[socket.socket], None]], str]
) -> None:
    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        while True:
            connection.sendall(b"H")
            time.sleep(0.05)

    started_at = time.monotonic()
    run("--header", "X-Team: ops", "--ping-url", serve(drip), "--http-timeout", "0.4", "--retries", "0", "true")

    assert time.monotonic() - started_at < 10


def test_an_unexpected_response_is_a_warning(
    run: Callable[..., tuple[int, bytes, bytes]], environment: dict[str, str], stub: Stub
) -> None:
    stub.queue_response(200, "Welcome to the WiFi")
    status, _, errors = run("--no-start", "true", env=environment | {"HEALTHCHECKS_PING_URL": stub.url})

    assert status == 0
    assert b"Welcome to the WiFi" in errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_termination_signals_are_forwarded_and_the_end_is_reported(
    start: Callable[..., subprocess.Popen[bytes]], recorded: Callable[[], Any], number: signal.Signals
) -> None:
    process = start("--", sys.executable, "-uc", "import time; print('ready'); time.sleep(30)")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(number)
    process.communicate(timeout=20)

    # On SIGINT, Python raises KeyboardInterrupt and then kills itself with the signal.
    assert process.returncode == 128 + number
    assert recorded()[1][:2] == ("fail", 128 + number)


def test_a_command_that_handles_a_signal_sets_its_own_exit_status(
    start: Callable[..., subprocess.Popen[bytes]], recorded: Callable[[], Any]
) -> None:
    process = start("--", "sh", "-c", "trap 'echo cleaning up; exit 7' TERM; echo ready; while :; do sleep 0.1; done")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=20)

    assert (process.returncode, output) == (7, b"cleaning up\n")
    assert recorded()[1] == ("fail", 7, b"ready\ncleaning up\n")


def test_a_command_that_exceeds_its_maximum_time_is_stopped(
    run: Callable[..., tuple[int, bytes, bytes]], recorded: Callable[[], Any]
) -> None:
    started_at = time.monotonic()

    assert run("--max-time", "0.5s", "sleep", "30")[0] == 124
    assert time.monotonic() - started_at < 10
    assert recorded()[1] == ("fail", 124, b"timed out after 0.5 s")


def test_a_command_that_timed_out_has_failed_even_if_it_exits_with_0(
    run: Callable[..., tuple[int, bytes, bytes]], recorded: Callable[[], Any]
) -> None:
    script = "trap 'exit 0' TERM; while :; do sleep 0.1; done"

    assert run("--max-time", "0.5", "--", "sh", "-c", script)[0] == 124
    assert recorded()[1][:2] == ("fail", 124)


def test_every_repeats_a_command_that_fails(
    start: Callable[..., subprocess.Popen[bytes]], recorded: Callable[[], Any]
) -> None:
    process = start("--every", "0.1", "--", "sh", "-c", "echo run; exit 2")
    assert process.stdout is not None
    for _ in range(15):
        assert process.stdout.readline() == b"run\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)

    assert process.returncode in (2, 143)
    # The last run may or may not have finished.
    assert recorded()[:28] == [START, ("fail", 2, b"run\n")] * 14


@pytest.mark.parametrize("every", ["0.001", "0.5"])
def test_every_repeats_a_command_that_cannot_be_executed(
    start: Callable[..., subprocess.Popen[bytes]], recorded: Callable[[], Any], every: str
) -> None:
    process = start("--every", every, "no-such-command")
    assert process.stderr is not None
    for _ in range(3):
        assert process.stderr.readline().startswith(b"py-healthchecks.io: cannot run no-such-command")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)

    assert process.returncode in (127, 143)
    assert [kind for kind, *_ in recorded()][:4] == ["start", "fail"] * 2


def test_sigalrm_starts_the_next_run_immediately(
    start: Callable[..., subprocess.Popen[bytes]], recorded: Callable[[], Any]
) -> None:
    process = start("--every", "1h", "echo", "run")
    while len(recorded()) < 2:
        time.sleep(0.02)
    process.send_signal(signal.SIGALRM)
    while len(recorded()) < 4:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)

    assert process.returncode == 130


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--uuid", "u", "true"], "either --uuid or --slug"),
        ([], "Missing argument"),
        (["--every", "soon", "true"], "not a valid duration"),
        (["--every", "0", "true"], "greater than 0"),
        (["--header", "nonsense", "true"], "it must have the form NAME:VALUE"),
        (["--header", "X: ü", "true"], "it must have the form NAME:VALUE"),
    ],
)
def test_invalid_arguments_are_reported(
    run: Callable[..., tuple[int, bytes, bytes]], arguments: list[str], problem: str
) -> None:
    status, _, errors = run(*arguments)

    assert status == 2
    assert problem in errors.decode()


def test_the_environment_can_select_the_check(
    environment: dict[str, str], hc: Sandbox, recorded: Callable[[], Any]
) -> None:
    def run_with(**variables: str) -> int:
        return subprocess.run([*RUN, "true"], env=environment | variables, check=False).returncode  # noqa: S603 - trusted input

    (check,) = hc.checks
    assert run_with(HEALTHCHECKS_CHECK_SLUG="backup") == 0
    assert run_with(HEALTHCHECKS_CHECK_UUID=check.uuid or "") == 0
    assert [kind for kind, *_ in recorded()] == ["start", "success"] * 2


def test_extra_headers_are_sent(
    run: Callable[..., tuple[int, bytes, bytes]], environment: dict[str, str], stub: Stub
) -> None:
    stub.queue_response(200, "OK")
    run("--header", "X-Team: ops", "true", env=environment | {"HEALTHCHECKS_PING_URL": stub.url})

    assert [request.headers["X-Team"] for request in stub.requests] == ["ops", "ops"]


def test_a_repeated_header_is_sent_twice(
    run: Callable[..., tuple[int, bytes, bytes]], serve: Callable[[Callable[[socket.socket], None]], str]
) -> None:
    requests: list[bytes] = []

    def respond(connection: socket.socket) -> None:
        requests.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")

    run("--no-start", "--header", "X-Team: ops", "--header", "X-Team: dev", "--ping-url", serve(respond), "true")

    assert [line for line in requests[0].split(b"\r\n") if line.startswith(b"X-Team")] == [
        b"X-Team: ops",
        b"X-Team: dev",
    ]


def read_until(terminal: int, text: bytes) -> bytes:
    """Read from a terminal until this text appears or the other end is closed, which is an error on Linux."""
    output = b""
    with contextlib.suppress(OSError):
        while text not in output and select.select([terminal], [], [], 10)[0]:
            output += os.read(terminal, 1024)
    return output


# A command that reports each SIGINT and keeps running.
REPORT_SIGINT = """
import os, signal, time
signal.signal(signal.SIGINT, lambda *_: os.write(1, b"interrupted\\n"))
os.write(1, b"ready\\n")
end = time.monotonic() + 1.5
while time.monotonic() < end:
    time.sleep(0.1)
"""


@pytest.mark.parametrize("has_sigtimedwait", [True, False])
def test_ctrl_c_at_the_terminal_reaches_the_command_once(
    environment: dict[str, str], recorded: Callable[[], Any], has_sigtimedwait: bool
) -> None:
    without = "" if has_sigtimedwait else "import signal; del signal.sigtimedwait; "
    main = f"{without}from healthchecks_io.__main__ import main; main()"
    pid, terminal = pty.fork()
    if not pid:
        arguments = [sys.executable, "-c", main, "run", "--slug", "backup", "--", sys.executable, "-c", REPORT_SIGINT]
        os.execve(sys.executable, arguments, environment)  # noqa: S606 - trusted input
    output = read_until(terminal, b"ready")
    os.write(terminal, b"\x03")
    output += read_until(terminal, b"never printed")
    os.close(terminal)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert re.findall(rb"ready|interrupted", output) == [b"ready", b"interrupted"]
    assert recorded()[1] == ("success", None, b"ready\ninterrupted\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_termination_signals_are_forwarded_without_sigtimedwait(
    environment: dict[str, str], recorded: Callable[[], Any], number: signal.Signals
) -> None:
    main = "import signal; del signal.sigtimedwait; from healthchecks_io.__main__ import main; main()"
    command = [sys.executable, "-c", main, "run", "--slug", "backup", "--", "sh", "-c", "echo ready; exec sleep 30"]
    # A new session has no controlling terminal.
    process = subprocess.Popen(  # noqa: S603 - trusted input
        command, env=environment, stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(number)
    process.communicate(timeout=20)

    assert process.returncode == 128 + number
    assert recorded()[1] == ("fail", 128 + number, f"ready\nkilled by {number.name}".encode())


@pytest.fixture
def unread_pipe() -> Iterator[int]:
    """A pipe that is never read, as with a stopped less(1)."""
    reading, writing = os.pipe()
    yield writing
    os.close(reading)
    os.close(writing)


def test_a_finished_command_is_reported_although_its_output_is_not_read(
    start: Callable[..., subprocess.Popen[bytes]], recorded: Callable[[], Any], unread_pipe: int
) -> None:
    process = start("--", "sh", "-c", "head -c 100000 /dev/zero; echo ended >&2", stdout=unread_pipe)
    assert process.stderr is not None
    process.stderr.readline()
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    process.wait(20)

    assert process.returncode == 0
    assert [kind for kind, *_ in recorded()] == ["start", "success"]


def test_a_command_blocked_by_unread_output_can_be_terminated(
    start: Callable[..., subprocess.Popen[bytes]], recorded: Callable[[], Any], unread_pipe: int
) -> None:
    process = start("--", "sh", "-c", "echo ready >&2; exec cat /dev/zero", stdout=unread_pipe)
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(signal.SIGTERM)  # Ends the command.
    time.sleep(1)
    process.send_signal(signal.SIGTERM)  # Ends the wait for the consumer of the output.
    process.wait(20)

    assert process.returncode == 143
    assert recorded()[1][:2] == ("fail", 143)


def test_a_timed_out_command_is_reported_although_its_output_is_not_read(
    start: Callable[..., subprocess.Popen[bytes]], recorded: Callable[[], Any], unread_pipe: int
) -> None:
    process = start("--max-time", "0.3", "cat", "/dev/zero", stdout=unread_pipe)
    process.wait(30)

    assert process.returncode == 124
    assert recorded()[1][:2] == ("fail", 124)


def test_a_slow_reader_gets_all_output(start: Callable[..., subprocess.Popen[bytes]]) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    process = start("seq", "100000", stdout=writing)
    while select.select([], [writing], [], 0)[1]:
        time.sleep(0.02)
    os.close(writing)
    time.sleep(0.3)  # By then, it is blocked on the full pipe.
    output = b""
    while part := os.read(reading, 5000):
        output += part
    os.close(reading)
    process.communicate(timeout=20)

    assert output.endswith(b"\n100000\n")
    assert output.count(b"\n") == 100_000

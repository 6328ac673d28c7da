"""What a job of a crontab runs: its program, its slug, and whether it is already monitored."""

from __future__ import annotations

import hashlib
import re
import shlex
from urllib.parse import urlsplit

from healthchecks_io._slugs import slugified
from healthchecks_io.schemas.limits import MAX_SLUG_LENGTH

_HASH_LENGTH = 6
_MAX_PREFIX = 60

_RUN = re.compile(r"(?:^|[\s/;&|(])(?:py-healthchecks\.io'?|healthchecks_io)\s+run(?:\s|$)")
_RUNITOR = re.compile(r"(?:^|[\s/;&|(])runitor\s+-")
_DOWNLOAD = re.compile(r"(?:^|[\s/;&|(`])(?:curl|wget)\s")
_PING_PATH = re.compile(r"https?://[^\s'\"]*/ping/[0-9A-Za-z_-]{20,}")

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)
_ARRAY = re.compile(r"(?<![\w$])[A-Za-z_]\w*\+?=\([^)]*\)")
_OPERATORS = frozenset({"&&", "||", ";", "|", "&", "(", ")", "{", "}", "!", ";;", "|&"})
_SHELLS = frozenset({"sh", "bash", "dash", "ksh", "zsh", "ash"})
_WRAPPERS = {
    # The number of arguments before the command, apart from options.
    "chronic": 0,
    "chrt": 1,
    "doas": 0,
    "env": 0,
    "exec": 0,
    "flock": 1,
    "ionice": 0,
    "lckdo": 1,
    "nice": 0,
    "nohup": 0,
    "setsid": 0,
    "stdbuf": 0,
    "sudo": 0,
    "systemd-cat": 0,
    "taskset": 1,
    "time": 0,
    "timeout": 1,
}
_OPTIONS_WITH_VALUES = {
    "chrt": "pTPD",
    "doas": "uC",
    "env": "uCS",
    "flock": "wE",
    "ionice": "cnp",
    "nice": "n",
    "stdbuf": "ioe",
    "sudo": "ugpCDhRrtTU",
    "systemd-cat": "tp",
    "timeout": "sk",
}
_PREPARATIONS = frozenset({"cd", "test", "[", "[[", "export", "set", "umask", ".", "source", "sleep", "ulimit", "true"})
"""Commands that come before the one that does the work."""


def split_command(command: str) -> tuple[str, str]:
    """Split a command as cron does: at the first ``%`` that is not escaped.

    Returns:
        The text for the shell, with its backslashes, and the rest, which begins with the ``%`` or is empty.
    """
    is_escaped = False
    for position, character in enumerate(command):
        if character == "%" and not is_escaped:
            return command[:position], command[position:]
        is_escaped = character == "\\" and not is_escaped
    return command, ""


def is_under_run(command: str) -> bool:
    """Return whether a command runs another one with `run`, in whatever form."""
    return _RUN.search(command) is not None


def is_monitored(command: str, ping_urls: tuple[str, ...]) -> bool:
    """Return whether a command already reports to Healthchecks.

    Args:
        command: The command.
        ping_urls: The root URLs of ping APIs.
    """
    if is_under_run(command) or _RUNITOR.search(command):
        return True
    hosts = [urlsplit(url).netloc for url in ping_urls]
    pings = _PING_PATH.search(command) or any(f"//{host}/" in command for host in hosts)
    return bool(_DOWNLOAD.search(command) and pings)


def slug_of(command: str, prefix: str, occurrence: int) -> str:
    """Return the slug of a job: the prefix, the name of its program, and a hash of the command.

    Args:
        command: The command.
        prefix: The prefix, such as the name of the host.
        occurrence: How many jobs before it have the same command.
    """
    text = command if occurrence == 0 else f"{command}\0{occurrence}"
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:_HASH_LENGTH]
    start = slugified(prefix)[:_MAX_PREFIX].strip("-")
    program = slugified(program_of(split_command(command)[0]).rpartition("/")[2]) or "job"
    length = MAX_SLUG_LENGTH - len(start) - len(digest) - 2
    return "-".join(part for part in (start, program[:length].strip("-"), digest) if part)


def program_of(command: str, depth: int = 0) -> str:
    """Return the program that a command runs, as far as it can be found without a shell. Otherwise, return ``job``."""
    command = _ARRAY.sub("", command.replace("\\%", "%"))
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:
        return "job"
    first = ""
    for simple in _simple_commands(words):
        arguments = _without_wrappers(simple)
        if not arguments:
            continue
        program = arguments[0].rpartition("/")[2]
        first = first or program
        if program in _SHELLS and "-c" in arguments[:-1] and depth < 3:
            return program_of(arguments[arguments.index("-c") + 1], depth + 1)
        if program not in _PREPARATIONS:
            return program
    return first or "job"


def _simple_commands(words: list[str]) -> list[list[str]]:
    commands: list[list[str]] = [[]]
    for word in words:
        if word in _OPERATORS or set(word) <= set("();|&"):
            commands.append([])
        else:
            commands[-1].append(word)
    return commands


def _without_wrappers(words: list[str]) -> list[str]:
    words = list(words)
    while words:
        if _ASSIGNMENT.fullmatch(words[0]):
            del words[0]
            continue
        name = words[0].rpartition("/")[2]
        if name not in _WRAPPERS:
            return words
        del words[0]
        _remove_options(words, _OPTIONS_WITH_VALUES.get(name, ""))
        del words[: _WRAPPERS[name]]
        # `flock FILE -c COMMAND` and `flock FILE COMMAND` are both usual.
        if name == "flock" and words[:1] == ["-c"]:
            return ["sh", *words]
    return words


def _remove_options(words: list[str], with_values: str) -> None:
    while words and words[0].startswith("-") and words[0] != "-":
        option = words.pop(0)
        if option == "--":
            return
        if len(option) == 2 and option[1] in with_values and words:
            del words[0]

"""The recipes of the guides for cron, systemd and containers report to the sandbox.

Their commands run in environments as bare as those of cron, systemd and containers, with stand-ins for the jobs.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from processes import eventually

import healthchecks_io
from healthchecks_io import CheckCreate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from healthchecks_io.sandbox import Sandbox

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="cron, systemd and containers of Linux")

GUIDES = Path(__file__).parent.parent / "docs" / "how-to"
SOURCE = Path(healthchecks_io.__file__).parent.parent
JOBS = ("back-up", "dump-db", "getmail", "pack", "rsync")
COMMAND = re.compile(r'py-healthchecks\.io"?,? "?(?:run|ping)\b')


@dataclass(frozen=True)
class Recipe:
    """A command line of a guide.

    Attributes:
        name: Where it is from.
        arguments: The program and its arguments.
        variables: The environment variables that the recipe sets.
        environment: Those that cron, systemd or the container sets.
    """

    name: str
    arguments: list[str]
    variables: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def blocks(guide: str, kind: str) -> list[str]:
    text = (GUIDES / f"{guide}.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def cron_recipes() -> Iterator[Recipe]:
    """Return the jobs of the crontabs, each with the variables before it."""
    variables: dict[str, str] = {}
    for block in blocks("cron", "text"):
        for line in block.splitlines():
            if match := re.fullmatch(r"(\w+)=(.*)", line):
                variables[match[1]] = match[2]
            elif match := re.fullmatch(r"(?:[\d*/]+ ){5}(.*)", line):
                command = match[1].removeprefix("backup ") if "/etc/cron.d/" in block else match[1]
                assert not re.search(r"(?<!\\)%", command)
                yield Recipe(f"cron: {command}", ["/bin/sh", "-c", command.replace("\\%", "%")], dict(variables), CRON)


def services() -> dict[str, dict[str, list[str]]]:
    """Return the settings of the service files and their drop-ins. Each setting may occur several times."""
    found: dict[str, dict[str, list[str]]] = {}
    for block in blocks("systemd", "ini"):
        (name,) = re.findall(r"\A# /etc/systemd/system/(\S+)\n", block)
        settings = found.setdefault(name, {})
        for key, value in re.findall(r"^(\w+)=(.*)$", block.replace("\\\n", " "), re.MULTILINE):
            settings.setdefault(key, []).append(value)
    return found


def systemd_recipes() -> Iterator[Recipe]:
    for name, settings in services().items():
        credentials = "/etc/healthchecks" if "LoadCredential" in settings else "/nonexistent"
        variables = dict(value.split("=", 1) for value in settings.get("Environment", []))
        variables = {key: value.replace("%d", credentials) for key, value in variables.items()}
        for key in ("ExecStartPre", "ExecStart", "ExecStopPost"):
            for value in settings.get(key, []):
                words = shlex.split(value.lstrip("-+").replace("%i", "backup"))
                yield Recipe(f"{name}: {key}", words, variables, SYSTEMD)


def container_recipes() -> Iterator[Recipe]:
    (image,) = blocks("containers", "docker")
    entry_point, command = (json.loads(text) for text in re.findall(r"^(?:ENTRYPOINT|CMD) (.*)", image, re.MULTILINE))
    run = next(block for block in blocks("containers", "console") if "docker run" in block)
    yield Recipe("Dockerfile", entry_point + command, dict(re.findall(r"-e (\w+)=(\S+)", run)), CONTAINER)

    for name, service in documents()["compose.yaml"]["services"].items():
        arguments = [*service["entrypoint"], *service["command"]]
        yield Recipe(f"compose.yaml: {name}", arguments, service["environment"], CONTAINER)

    for name in ("CronJob", "CronJob with a mounted secret"):
        (container,) = pod_of(documents()[name])["containers"]
        arguments = [*container["command"], *container["args"]]
        variables = {
            each["name"]: each.get("value") or "secret " + each["valueFrom"]["secretKeyRef"]["key"]
            for each in container["env"]
        }
        yield Recipe(name, arguments, variables, CONTAINER)


def documents() -> dict[str, Any]:
    """Return the YAML files of the guide for containers. The last block replaces the end of the one before it."""
    compose, cron_job, end = blocks("containers", "yaml")
    beginning = cron_job[: cron_job.index("              env:")]
    texts = {"compose.yaml": compose, "CronJob": cron_job, "CronJob with a mounted secret": beginning + end}
    return {name: yaml.safe_load(text) for name, text in texts.items()}


def pod_of(cron_job: Any) -> Any:
    return cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]


CRON = {"LOGNAME": "backup", "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}
SYSTEMD = {
    "INVOCATION_ID": "947d8ffacd57483f88048d0f32f4720f",
    "LANG": "C.UTF-8",
    "LOGNAME": "backup",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "USER": "backup",
}
CONTAINER = {"HOSTNAME": "3f4e8a1c", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}

OUTPUTS = {
    "backup": "back-up /home\n",
    "db": "dump-db\n",
    "logs": "",
    "mail": "getmail\n",
    "mirror": "rsync -a source: /mirror\n",
    "sql": "",
}
"""What the job of each check prints. That of the logs and the pipe is redirected into a file."""

RECIPES = [*cron_recipes(), *systemd_recipes(), *container_recipes()]
REPEATED = [recipe for recipe in RECIPES if "--every" in recipe.arguments]
PINGS = {recipe.name: recipe for recipe in RECIPES if " ping " in " ".join(recipe.arguments)}
RUNS = [recipe for recipe in RECIPES if recipe not in [*REPEATED, *PINGS.values()]]


@pytest.fixture
def start(tmp_path: Path, hc: Sandbox, started: list[subprocess.Popen[Any]]) -> Callable[..., subprocess.Popen[str]]:
    """Start a recipe in its environment, with /usr/local/bin and the folders of the keys replaced."""
    programs = tmp_path / "bin"
    programs.mkdir()
    script = next(block for block in blocks("cron", "sh"))
    (script_name,) = re.findall(r"^# /usr/local/bin/(\S+)$", script, re.MULTILINE)
    scripts = {
        **{name: f'#!/bin/sh\necho {name} "$@"\nexit $STATUS\n' for name in JOBS},
        "journalctl": "#!/bin/sh\necho the end of the journal\n",
        "py-healthchecks.io": f'#!/bin/sh\nPYTHONPATH={SOURCE} exec {sys.executable} -m healthchecks_io "$@"\n',
        script_name: script,
    }
    for name, text in scripts.items():
        (programs / name).write_text(text, encoding="utf-8")
        (programs / name).chmod(0o755)
    keys = {"ping-key": hc.ping_key, "api-key": hc.api_key}
    for name, key in keys.items():
        (tmp_path / name).write_text(f"{key}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    with hc.client() as client:
        for slug in OUTPUTS:
            client.create_check(CheckCreate(slug=slug))

    def replaced(text: str) -> str:
        if text.startswith("secret "):
            return keys[text.removeprefix("secret ")]
        return (
            text.replace("/usr/local/bin", str(programs))
            .replace("/etc/healthchecks", str(tmp_path))
            .replace("/run/secrets", str(tmp_path))
        )

    def start(recipe: Recipe, status: int = 0, **variables: str) -> subprocess.Popen[str]:
        environment = {"HOME": str(tmp_path), **recipe.environment, **recipe.variables, **variables}
        environment = {name: replaced(value) for name, value in environment.items()}
        environment |= {name: value for name, value in hc.environ.items() if name.endswith("_URL")}
        words = [part for word in recipe.arguments for part in expanded(word, environment)]
        process = subprocess.Popen(  # noqa: S603 - our own documentation
            [replaced(word) for word in words],
            executable=shutil.which(replaced(words[0]), path=environment["PATH"]),
            env={**environment, "STATUS": str(status)},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    return start


def expanded(word: str, environment: dict[str, str]) -> list[str]:
    """Expand a word of a unit file that is a variable, as systemd does. Without braces, an unset one is removed."""
    match = re.fullmatch(r"\$(\w+)", word)
    return [environment[match[1]]] * (match[1] in environment) if match else [word]


@pytest.fixture
def run(start: Callable[..., subprocess.Popen[str]]) -> Callable[..., tuple[int, str]]:
    """Run a recipe, and return its exit status and its output."""

    def run(recipe: Recipe, status: int = 0, **variables: str) -> tuple[int, str]:
        process = start(recipe, status, **variables)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output

    return run


def recorded(hc: Sandbox) -> list[tuple[str, str, str]]:
    """Return the slugs, kinds and bodies of all pings, oldest first within each check."""
    return [(slug, ping.type, ping.body.decode()) for slug in OUTPUTS for ping in reversed(hc.pings(slug))]


def test_each_command_of_the_guides_is_a_recipe() -> None:
    texts = [
        block
        for guide, kinds in (("cron", "text"), ("systemd", "ini"), ("containers", "docker|yaml"))
        for block in blocks(guide, f"(?:{kinds})")
    ]
    commands = COMMAND.findall("\n".join(texts))
    scripts = [recipe for recipe in RECIPES if "py-healthchecks.io" not in " ".join(recipe.arguments)]

    # The secret is mounted into the same container, so its command occurs once.
    assert len(RECIPES) - len(scripts) == len(commands) + 1
    assert len(scripts) == len(blocks("cron", "sh")) == 1


@pytest.mark.parametrize("recipe", RUNS, ids=str)
@pytest.mark.parametrize(("status", "kind"), [(0, "success"), (3, "fail")])
def test_a_recipe_reports_the_run(
    run: Callable[..., tuple[int, str]], hc: Sandbox, recipe: Recipe, status: int, kind: str
) -> None:
    if "flock" in str(recipe) and not shutil.which("flock"):
        pytest.skip("needs flock(1)")

    exit_status, _ = run(recipe, status)

    assert exit_status == status
    (slug, *start), (_, *end) = recorded(hc)
    assert start == ["start", ""]
    assert end == [kind, OUTPUTS[slug]]


def test_a_quiet_cron_job_prints_only_failures(run: Callable[..., tuple[int, str]]) -> None:
    (recipe,) = [recipe for recipe in RUNS if "--quiet-success" in str(recipe)]

    assert run(recipe) == (0, "")
    assert run(recipe, status=3) == (3, "dump-db\npy-healthchecks.io: the command failed with exit status 3\n")


def test_a_script_in_a_crontab_declares_the_check(run: Callable[..., tuple[int, str]], hc: Sandbox) -> None:
    (recipe,) = [
        recipe for recipe in RUNS if "HEALTHCHECKS_API_KEY" in recipe.variables and str(recipe).endswith("daily")
    ]

    run(recipe)

    (check,) = [check for check in hc.checks if check.slug == "mirror"]
    assert (check.schedule, check.tz, check.grace, check.tags) == ("30 2 * * *", "Europe/Riga", 3600, "prod nas")


@pytest.mark.skipif(not shutil.which("flock"), reason="needs flock(1)")
def test_a_cron_job_that_would_overlap_sends_no_pings(
    run: Callable[..., tuple[int, str]], hc: Sandbox, tmp_path: Path
) -> None:
    (recipe,) = [recipe for recipe in RUNS if "flock" in str(recipe)]
    holder = ["flock", str(tmp_path / ".lock"), "sh", "-c", "echo locked; exec sleep 60"]
    with subprocess.Popen(holder, stdout=subprocess.PIPE) as other:  # noqa: S603 - found on PATH
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        run(recipe)
        other.kill()

    assert recorded(hc) == []


@pytest.mark.parametrize("recipe", REPEATED, ids=str)
def test_a_repeated_job_starts_again_after_sigalrm_and_ends_after_sigterm(
    start: Callable[..., subprocess.Popen[str]], hc: Sandbox, recipe: Recipe
) -> None:
    process = start(recipe)
    assert eventually(lambda: len(recorded(hc)) == 2)
    process.send_signal(signal.SIGALRM)
    assert eventually(lambda: len(recorded(hc)) == 4)
    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=10) == 128 + signal.SIGTERM
    kinds = [kind for _, kind, _ in recorded(hc)]
    assert kinds == ["start", "success", "start", "success"]


@pytest.mark.parametrize(
    ("recipe", "result", "ping"),
    [
        ("backup.service.d/ping.conf: ExecStartPre", "success", ("start", "")),
        ("backup.service.d/ping.conf: ExecStopPost", "success", ("success", "")),
        ("backup.service.d/ping.conf: ExecStopPost", "exit-code", ("fail", "")),
        ("backup.service.d/ping.conf: ExecStopPost", "oom-kill", ("fail", "")),
        ("ping-fail@.service: ExecStart", "success", ("fail", "the end of the journal\n")),
    ],
)
def test_systemd_sends_pings(
    run: Callable[..., tuple[int, str]], hc: Sandbox, recipe: str, result: str, ping: tuple[str, str]
) -> None:
    status, output = run(PINGS[recipe], SERVICE_RESULT=result)

    assert (status, output) == (0, "OK\n")
    assert recorded(hc) == [("backup", *ping)]


@pytest.mark.parametrize("name", ["CronJob", "CronJob with a mounted secret"])
def test_a_cron_job_ends_by_itself_before_its_deadline(name: str) -> None:
    cron_job = documents()[name]
    pod = pod_of(cron_job)
    (container,) = pod["containers"]

    # --max-time, the 15 seconds to stop the job, and the last ping with its retries.
    assert container["command"][2:4] == ["--max-time", "2h"]
    assert cron_job["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] >= 2 * 3600 + 60
    assert pod["terminationGracePeriodSeconds"] >= 60


def test_the_mounted_secret_is_where_the_variable_points_to() -> None:
    pod = pod_of(documents()["CronJob with a mounted secret"])
    (container,) = pod["containers"]
    (mount,), (volume,) = container["volumeMounts"], pod["volumes"]

    values = {each["name"]: each["value"] for each in container["env"]}
    assert values["HEALTHCHECKS_PING_KEY"] == f"file:{mount['mountPath']}/ping-key"
    assert mount["name"] == volume["name"]

"""mypy and pyright accept what users write, and find their mistakes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CHECKERS = {
    "mypy": ["mypy", "--strict", "--output", "json"],
    "pyright": ["basedpyright", "--outputjson", "--pythonpath", sys.executable],
}


def errors_in(path: Path, checker: list[str]) -> set[tuple[str, int]]:
    """The files and lines in which a type checker finds an error."""
    program = Path(sys.executable).with_name(checker[0])
    done = subprocess.run(  # noqa: S603 - a program of this environment
        [program, *checker[1:], path], capture_output=True, text=True, check=False, cwd=HERE
    )
    assert done.returncode in (0, 1), done.stderr
    if checker[0] == "mypy":
        found = [json.loads(line) for line in done.stdout.splitlines() if line]
        return {(Path(each["file"]).name, each["line"]) for each in found}
    found = json.loads(done.stdout)["generalDiagnostics"]
    return {
        (Path(each["file"]).name, each["range"]["start"]["line"] + 1) for each in found if each["severity"] == "error"
    }


@pytest.mark.parametrize("checker", CHECKERS.values(), ids=CHECKERS)
def test_what_users_write_is_accepted(checker: list[str]) -> None:
    assert errors_in(HERE / "user_code.py", checker) == set()


@pytest.mark.parametrize("checker", CHECKERS.values(), ids=CHECKERS)
def test_what_the_docs_show_is_accepted(checker: list[str], tmp_path: Path) -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for found in re.finditer(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            # Tests are mostly written without annotations.
            if "def test_" not in found[1]:
                line = found.string.count("\n", 0, found.start()) + 1
                name = f"{page.parent.name}_{page.stem}_{line}.py".replace("-", "_")
                (tmp_path / name).write_text(found[1], encoding="utf-8")

    assert errors_in(tmp_path, checker) == set()


@pytest.mark.parametrize("checker", CHECKERS.values(), ids=CHECKERS)
def test_each_mistake_is_found(checker: list[str]) -> None:
    lines = (HERE / "misuse.py").read_text(encoding="utf-8").splitlines()
    marked = {("misuse.py", number) for number, line in enumerate(lines, 1) if line.endswith("# error")}

    assert errors_in(HERE / "misuse.py", checker) == marked

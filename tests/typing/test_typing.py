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


def errors_in(file: Path, checker: list[str]) -> set[int]:
    """The lines in which a type checker finds an error."""
    program = Path(sys.executable).with_name(checker[0])
    done = subprocess.run(  # noqa: S603 - a program of this environment
        [program, *checker[1:], file], capture_output=True, text=True, check=False, cwd=HERE
    )
    assert done.returncode in (0, 1), done.stderr
    if checker[0] == "mypy":
        return {json.loads(line)["line"] for line in done.stdout.splitlines() if line}
    found = json.loads(done.stdout)["generalDiagnostics"]
    return {each["range"]["start"]["line"] + 1 for each in found if each["severity"] == "error"}


@pytest.mark.parametrize("checker", CHECKERS.values(), ids=CHECKERS)
def test_what_users_write_is_accepted(checker: list[str]) -> None:
    assert errors_in(HERE / "user_code.py", checker) == set()


@pytest.mark.parametrize("checker", CHECKERS.values(), ids=CHECKERS)
@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda page: page.name
)
def test_what_the_docs_show_is_accepted(checker: list[str], page: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    for block in blocks:
        # Tests are mostly written without annotations.
        if "def test_" not in block:
            (tmp_path / "block.py").write_text(block, encoding="utf-8")
            assert errors_in(tmp_path / "block.py", checker) == set(), block


@pytest.mark.parametrize("checker", CHECKERS.values(), ids=CHECKERS)
def test_each_mistake_is_found(checker: list[str]) -> None:
    lines = (HERE / "misuse.py").read_text(encoding="utf-8").splitlines()
    marked = {number for number, line in enumerate(lines, 1) if line.endswith("# error")}

    assert errors_in(HERE / "misuse.py", checker) == marked

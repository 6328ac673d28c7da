"""mypy and pyright accept correct user code and report mistakes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from other_packages import MOCK_TOOL, OTHER_PACKAGE

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CHECKERS = {
    "mypy": ["mypy", "--strict", "--output", "json"],
    "pyright": ["basedpyright", "--outputjson", "--pythonpath", sys.executable],
}


def errors_in(path: Path, checker: list[str]) -> set[tuple[str, int]]:
    """Return the files and lines in which a type checker reports an error."""
    program = Path(sys.executable).with_name(checker[0])
    result = subprocess.run(  # noqa: S603 - trusted arguments
        [program, *checker[1:], path], capture_output=True, text=True, check=False, cwd=HERE
    )
    assert result.returncode in (0, 1), result.stderr
    if checker[0] == "mypy":
        found = [json.loads(line) for line in result.stdout.splitlines() if line]
        return {(Path(item["file"]).name, item["line"]) for item in found}
    found = json.loads(result.stdout)["generalDiagnostics"]
    return {
        (Path(item["file"]).name, item["range"]["start"]["line"] + 1) for item in found if item["severity"] == "error"
    }


@pytest.mark.parametrize("checker", CHECKERS.values(), ids=CHECKERS)
def test_user_code_is_accepted(checker: list[str]) -> None:
    assert errors_in(HERE / "user_code.py", checker) == set()


@pytest.mark.parametrize("checker", CHECKERS.values(), ids=CHECKERS)
def test_code_in_the_docs_is_accepted(checker: list[str], tmp_path: Path) -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        # The generated reference has signatures without bodies.
        written = re.sub(r"<!-- api: .*?<!-- /api -->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for found in re.finditer(r"```python\n(.*?)```", written, re.DOTALL):
            # Other packages are not installed.
            if not OTHER_PACKAGE.search(found[1]) and not MOCK_TOOL.search(found[1]):
                line = found.string.count("\n", 0, found.start()) + 1
                name = f"{page.parent.name}_{page.stem}_{line}.py".replace("-", "_")
                (tmp_path / name).write_text(found[1], encoding="utf-8")

    assert errors_in(tmp_path, checker) == set()


@pytest.mark.parametrize("checker", CHECKERS.values(), ids=CHECKERS)
def test_each_mistake_is_reported(checker: list[str]) -> None:
    lines = (HERE / "misuse.py").read_text(encoding="utf-8").splitlines()
    marked = {("misuse.py", number) for number, line in enumerate(lines, 1) if line.endswith("# error")}

    assert errors_in(HERE / "misuse.py", checker) == marked

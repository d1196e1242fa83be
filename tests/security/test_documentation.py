"""The promises of the documentation name the tests that hold them."""

import ast
from pathlib import Path
import re

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"

_REFERENCE = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def names_of_tests(path: Path) -> set[str]:
    """Return the names of the tests of a file."""
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


@pytest.mark.parametrize("page", [PAGE, ROOT / "SECURITY.md"], ids=lambda it: it.name)
def test_named_tests_exist(page: Path) -> None:
    """Each test that is named is there."""
    missing = [
        f"{file}::{test}"
        for file, test in _REFERENCE.findall(page.read_text())
        if not (ROOT / file).is_file()
        or (test and test not in names_of_tests(ROOT / file))
    ]
    assert not missing


def test_every_promise_names_a_test() -> None:
    """No row of promises is without one."""
    promises = PAGE.read_text().partition("## What is promised")[2]
    rows = [
        line
        for line in promises.splitlines()
        if line.startswith("| ") and not line.startswith("| promise |")
    ]
    assert len(rows) > 30
    for row in rows:
        assert _REFERENCE.search(row), row


def test_every_test_is_named() -> None:
    """What is tested beside this is promised."""
    promised = set(_REFERENCE.findall(PAGE.read_text()))
    for path in Path(__file__).parent.glob("test_*.py"):
        if path != Path(__file__):
            file = path.relative_to(ROOT).as_posix()
            unnamed = names_of_tests(path) - {
                test for name, test in promised if name == file
            }
            assert unnamed <= {"test_there_are_workflows"}


def test_linked() -> None:
    """Who looks for the security policy finds the page."""
    assert "(docs/security.md)" in (ROOT / "SECURITY.md").read_text()

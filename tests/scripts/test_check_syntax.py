"""How strictly JSON and TOML are read."""

from pathlib import Path

import pytest

from scripts.check_syntax import main, problems_of


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.json", '{"a": 1}\n', None),
        ("a.toml", "a = 1\n", None),
        ("a.json", '{"a": 1}', "does not end with a new line"),
        ("a.json", '{"a": 1, "a": 2}\n', "key 'a' is there twice"),
        ("a.json", "{\n", "Expecting property name"),
        ("a.toml", "a =\n", "Invalid value"),
    ],
)
def test_problems(
    tmp_path: Path,
    name: str,
    text: str,
    problem: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / name
    path.write_text(text)
    found = problems_of(path)
    if problem is None:
        assert found == []
    else:
        assert [problem in one for one in found] == [True]
    assert main([str(path)]) == len(found)
    assert capsys.readouterr().out == "".join(f"{one}\n" for one in found)

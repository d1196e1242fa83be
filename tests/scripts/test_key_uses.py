"""How far keys are followed through code."""

from pathlib import Path

import pytest

from scripts.key_uses import EntityUse, read_uses

RAISE = "raise HomeAssistantError(translation_key={})"


def keys(folder: Path, code: str) -> set[str | None]:
    """Return the keys of the exceptions in a module."""
    (folder / "module.py").write_text(code)
    return {use.key for use in read_uses(folder).texts if use.section == "exceptions"}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (RAISE.format('"a"'), {"a"}),
        (RAISE.format('"a" if x else "b"'), {"a", "b"}),
        (RAISE.format('x or "b"'), {"b"}),
        ('A = "a"\n' + RAISE.format("A"), {"a"}),
        ('T = {1: "a", 2: "b"}\n' + RAISE.format("T[x]"), {"a", "b"}),
        ('T: dict = {1: "a"}\n' + RAISE.format('T.get(x, "c")'), {"a", "c"}),
        ('S = {1: "a"}\nT = S | {2: "b"}\n' + RAISE.format("T[x]"), {"a", "b"}),
        ('def f():\n key, x = "a", 1\n ' + RAISE.format("key"), {"a"}),
        (
            'T = {1: "a"}\ndef f():\n for x, k in T.items():\n  ' + RAISE.format("k"),
            {"a"},
        ),
        (
            'T = {1: "a"}\ndef f():\n for k in T.values():\n  ' + RAISE.format("k"),
            {"a"},
        ),
        ("def f(key):\n " + RAISE.format("key") + '\nf("a")\nf(key="b")', {"a", "b"}),
        ('def f(key="a"):\n ' + RAISE.format("key"), {"a"}),
        (
            "class C:\n def f(self, key):\n  "
            + RAISE.format("key")
            + '\n def g(self):\n  self.f("a")',
            {"a"},
        ),
        (RAISE.format("x.y"), {None}),
        (RAISE.format("unknown"), {None}),
        ("def f():\n a = b\n b = a\n " + RAISE.format("a"), {None}),
    ],
)
def test_keys_are_followed(
    tmp_path: Path, code: str, expected: set[str | None]
) -> None:
    assert keys(tmp_path, code) == expected


def test_constants_of_other_modules(tmp_path: Path) -> None:
    (tmp_path / "const.py").write_text('A = "a"')
    assert keys(tmp_path, RAISE.format("A")) == {"a"}


def test_where(tmp_path: Path) -> None:
    (tmp_path / "rooms").mkdir()
    (tmp_path / "rooms" / "flow.py").write_text('\n\nFormError("a")')
    assert [use.where for use in read_uses(tmp_path).texts] == ["rooms/flow.py:3"]


def test_errors_of_a_form(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text('errors = {"base": "a"}\nfields = {"host": "b"}')
    assert [use.key for use in read_uses(tmp_path).texts] == ["a"]


def test_entities(tmp_path: Path) -> None:
    (tmp_path / "entities.py").write_text(
        'A = "a"\nBinarySensorDescription(key="door", options=[A, "b"])\n'
        "SensorDescription(device_class=1)\nEntityDescription"
    )
    assert read_uses(tmp_path).entities == [
        EntityUse("entities.py:2", "binary_sensor", "door", False, ("a", "b"))
    ]

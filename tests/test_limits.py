"""The page of limits says what the code does."""

import ast
from datetime import timedelta
from importlib import import_module
from pathlib import Path
import re
from typing import Any, cast

import pytest

from custom_components.gatehouse.hub import Device

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "custom_components" / "gatehouse"

_ROW = re.compile(
    r"^\| .*<!-- (?P<constant>[\w.]+) --> \| (?P<figure>[\d,]+) \|", re.MULTILINE
)

# What begins so in the code and is no limit to what comes from outside.
_OTHERS = {
    # What the user can type.
    "media_player.MAX_LOOP",
    "vendors.innovaphone.actions.MAX_BODY",
    "vendors.ipac.flow.MAX_OPEN_TIME",
    "vendors.ipac.protocol.MAX_REPEAT",
    # How long is waited, and how far ahead a clock was.
    "vendors.the_keys.client.MAX_LEAD",
    "vendors.the_keys.hub.MAX_SYNCHRONIZING",
    # Told in words.
    "vendors.innovaphone.protocol._MAX_TEXT",
    "vendors.innovaphone.protocol._MAX_ID",
    "vendors.senselink.hub.MAX_CLOCK_LEAD",
    "vendors.senselink.protocol._MAX_NUMBER",
    "vendors.tellicon.hub.MAX_CLOCK_LEAD",
}


def rows() -> list[tuple[str, str]]:
    """Return the constants that the page names, with its figures."""
    found = _ROW.findall((ROOT / "docs" / "limits.md").read_text())
    assert found
    return found


@pytest.mark.parametrize(("constant", "figure"), rows())
def test_figure(constant: str, figure: str) -> None:
    """Each figure is that of the code."""
    module, name = constant.rsplit(".", 1)
    value = getattr(import_module(f"custom_components.gatehouse.{module}"), name)
    if isinstance(value, timedelta):
        value = value // timedelta(days=1) or value // timedelta(hours=1)
    assert f"{value:,.0f}" == figure


def test_all_are_told() -> None:
    """Every limit in the code is on the page."""
    told = {constant for constant, _ in rows()} | _OTHERS
    for path in PACKAGE.rglob("*.py"):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                if re.match(r"_?MAX_|REMEMBERED_CODES", name):
                    assert f"{module}.{name}" in told


def test_words_that_wait() -> None:
    """What is said before anybody listens is told then, from the oldest that is kept."""
    device = Device(
        cast("Any", None),
        uid="door",
        kind="door",
        entry=cast("Any", None),
        subentry_id=None,
        is_told=lambda *_: True,
    )
    for number in range(1500):
        device.say("access", cast("Any", number))
    heard: list[int] = []
    device.listen("access", heard.append)
    assert heard == [*range(1500 - 1024, 1500)]

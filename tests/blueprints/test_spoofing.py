"""Somebody tries to deceive a terminal."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from homeassistant.components.persistent_notification import (
    DOMAIN as PERSISTENT_NOTIFICATION,
)
from homeassistant.core import HomeAssistant, ServiceCall
from simulators import senselink_frames as frames
from simulators.senselink import SenseLink

from ..conftest import until
from ..vendors.senselink.conftest import ALERT, PHOTO
from .conftest import Automate, Phone, settled

SPOOFING = 20002
CAMERA_DIRTY = 20001
PASSWORD_CRACKING = 10004

type Watch = Callable[..., Awaitable[None]]


@pytest.fixture
def more(hass: HomeAssistant) -> list[ServiceCall]:
    """Return what else is done."""
    return async_mock_service(hass, "test", "more")


@pytest.fixture
async def watch(
    hass: HomeAssistant,
    terminals: SenseLink,
    phones: list[Phone],
    more: list[ServiceCall],
    automate: Automate,
) -> Watch:
    """Return what makes the automation; the terminal has told an alert before."""
    await terminals.alert(CAMERA_DIRTY)
    await until(lambda: hass.states.get(ALERT).attributes["event_type"])

    async def watch(**inputs: Any) -> None:
        await automate(
            {
                "spoofing": {
                    "terminals": [ALERT],
                    "phones": [phone.device_id for phone in phones],
                    "more": [{"action": "test.more"}],
                    **inputs,
                }
            }
        )

    return watch


def notes(hass: HomeAssistant) -> list[tuple[str, str]]:
    """Return titles and texts of the notes in Home Assistant."""
    return [
        (note["title"], note["message"])
        for note in hass.data.get(PERSISTENT_NOTIFICATION, {}).values()
    ]


async def test_alarm(
    hass: HomeAssistant,
    terminals: SenseLink,
    phones: list[Phone],
    more: list[ServiceCall],
    tmp_path: Path,
    watch: Watch,
) -> None:
    """It is told critically and noted, and the picture is kept."""
    folder = tmp_path / "doors"
    folder.mkdir()
    hass.config.allowlist_external_dirs = {str(folder)}
    await watch(folder=str(folder))
    frame = await terminals.alert(SPOOFING, photo=True)
    await until(lambda: list(folder.iterdir()) and phones[1].shown)
    for phone in phones:
        (shown,) = phone.shown
        assert shown["title"] == "Main entrance: Spoofing"
        assert shown["data"]["push"]["interruption-level"] == "critical"
        assert shown["data"]["channel"] == "alarm_stream"
        assert shown["data"]["image"] == f"/api/image_proxy/{PHOTO}"
    ((title, _),) = notes(hass)
    assert title == "Main entrance: Spoofing"
    (kept,) = folder.iterdir()
    assert kept.name.endswith("-spoofing.jpg")
    await until(lambda: kept.stat().st_size)
    assert kept.read_bytes() == terminals.pictures[frame["data"]["alarmPhoto"]]
    assert len(more) == 1


@pytest.mark.parametrize(
    ("name", "noted"),
    [
        (
            "![x](https://elsewhere.example/x.png) www.elsewhere.example",
            r"\!\[x\](https:\/\/elsewhere.example\/x.png) \www.elsewhere.example",
        ),
        ("<img src=x onerror=y>", r"\<img src=x onerror=y\>"),
        ("{{ states | list }}{% raw %}", r"{{ states \| list }}{% raw %}"),
        (r"a\*b\[c", r"a\\\*b\\\[c"),
        ("Main entrance, 2nd–3rd", "Main entrance, 2nd–3rd"),
    ],
    ids=["image", "html", "template", "backslash", "ordinary"],
)
async def test_name_is_only_a_name(
    hass: HomeAssistant,
    terminals: SenseLink,
    phones: list[Phone],
    watch: Watch,
    name: str,
    noted: str,
) -> None:
    """A terminal's name, which comes from its server, is neither template nor Markdown."""
    await watch(title="At {{ place }}", message="{{ place }}.")
    terminals.terminals[0] = replace(terminals.terminals[0], name=name)
    await terminals.alert(SPOOFING, photo=True)
    await until(lambda: phones[0].shown and notes(hass))
    assert [(one["title"], one["message"]) for one in phones[0].shown] == [
        (f"At {name}", f"{name}.")
    ]
    assert notes(hass) == [(f"At {name}", f"{noted}.")]


async def test_released(
    hass: HomeAssistant,
    terminals: SenseLink,
    phones: list[Phone],
    watch: Watch,
) -> None:
    """That it is over is no alarm; the note stays."""
    await watch(picture="camera.hall")
    frame = await terminals.alert(SPOOFING)
    await until(lambda: phones[1].shown)
    await terminals.alert(SPOOFING, status=2, trace_id=frame["data"]["traceId"])
    await terminals.release(frame["data"]["traceId"])
    await until(lambda: hass.states.get(ALERT).attributes["status"] == "released")
    await settled()
    assert len(phones[0].received) == 1
    assert phones[0].shown[0]["data"]["image"] == "/api/camera_proxy/camera.hall"
    assert len(notes(hass)) == 1


@pytest.mark.parametrize("alerts", [["spoofing"], ["password_cracking", "spoofing"]])
async def test_kinds(
    hass: HomeAssistant,
    terminals: SenseLink,
    phones: list[Phone],
    watch: Watch,
    alerts: list[str],
) -> None:
    """Only chosen alerts are told."""
    await watch(alerts=alerts, picture="camera.hall")
    await terminals.alert(PASSWORD_CRACKING)
    await settled()
    assert bool(phones[0].received) is ("password_cracking" in alerts)


async def test_reported_late(
    terminals: SenseLink,
    phones: list[Phone],
    more: list[ServiceCall],
    watch: Watch,
) -> None:
    """An old alert is told with its time, but nothing else is done."""
    await watch(picture="camera.hall")
    await terminals.push_raw(
        json.dumps(
            frames.push(
                frames.ALERT,
                frames.alert(
                    alert_id=1,
                    code=SPOOFING,
                    terminal=terminals.terminals[0],
                    trace_id="1",
                    alarm_time="1700000000",
                ),
            )
        )
    )
    await until(lambda: phones[1].shown)
    assert phones[0].messages == ["At 2023-11-14 22:13."]
    await settled()
    assert not more


async def test_restored_alert(
    hass: HomeAssistant, terminals: SenseLink, phones: list[Phone], watch: Watch
) -> None:
    """An alert that is only shown again, as after a reload, is nothing new."""
    await terminals.alert(SPOOFING)
    await until(lambda: hass.states.get(ALERT).attributes["event_type"] == "spoofing")
    await watch()
    assert await hass.config_entries.async_reload("senselink")
    await until(lambda: hass.states.get(ALERT).attributes.get("event_type"))
    await settled()
    assert not phones[0].received
    assert not notes(hass)

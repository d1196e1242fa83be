"""The pages' tables say what the code offers: no more, no less, and as it is called."""

from collections.abc import Iterator
from functools import cache
import json
from pathlib import Path
import re
from typing import Any

import pytest
import yaml

from custom_components.gatehouse.entity import (
    BinarySensorDescription,
    ButtonDescription,
    EventDescription,
    ImageDescription,
    LockDescription,
    MediaPlayerDescription,
    NotifyDescription,
    SensorDescription,
)
from custom_components.gatehouse.vendors import VENDORS
from homeassistant.const import EntityCategory

ROOT = Path(__file__).parents[2]

INTEGRATION = ROOT / "custom_components" / "gatehouse"

SECTIONS = {
    "The Keys": "the_keys",
    "Tellicon": "tellicon",
    "IPAC 500": "ipac",
    "SenseLink": "senselink",
    "innovaphone": "innovaphone",
}

PLATFORMS = {
    BinarySensorDescription: "binary sensor",
    ButtonDescription: "button",
    EventDescription: "event",
    ImageDescription: "image",
    LockDescription: "lock",
    MediaPlayerDescription: "media player",
    NotifyDescription: "notifier",
    SensorDescription: "sensor",
}

PAGES = {
    "the_keys": "the_keys",
    "the_keys.fr": "the_keys",
    "tellicon": "tellicon",
    "tellicon.pt-BR": "tellicon",
    "ipac": "ipac",
    "ipac.fr": "ipac",
    "senselink": "senselink",
    "senselink.ja": "senselink",
    "innovaphone": "innovaphone",
    "innovaphone.de": "innovaphone",
}
"""The vendors' pages, in two languages each."""

DOMAINS = {"notifier": "notify"}
"""Where the README says it in another word than Home Assistant's."""

type Row = list[str]


@cache
def tables(section: str) -> dict[str, list[Row]]:
    """Return the rows of a section's tables, by the heading of their first column."""
    text = (ROOT / "README.md").read_text()
    [body] = re.findall(
        rf"^## {re.escape(section)}\n(.*?)(?=^## )", text, re.DOTALL | re.MULTILINE
    )
    found: dict[str, list[Row]] = {}
    for table in re.findall(r"(?:^\|.*\n)+", body, re.MULTILINE):
        head, _, *rows = (
            [cell.strip() for cell in line.strip("|").split(" |")]
            for line in table.replace("| |", "|  |").splitlines()
        )
        found[head[0].strip()] = rows
    return found


def codes(cell: str) -> list[str]:
    """Return what stands in code font."""
    return re.findall(r"`([^`]+)`", cell)


def yaml_of(name: str) -> dict[str, Any]:
    """Return what one of the integration's YAML files declares."""
    declared: dict[str, Any] = yaml.safe_load((INTEGRATION / name).read_text())
    return {key: value for key, value in declared.items() if not key.startswith(".")}


def declared_entities(
    vendor: str, language: str = "en"
) -> Iterator[list[tuple[str, str, str, bool, bool]]]:
    """Yield what each kind of device offers, in the words of the README."""
    translations = INTEGRATION / "translations" / f"{language}.json"
    texts = json.loads(translations.read_text())["entity"]
    for offered in VENDORS[vendor].entities.values():
        described = []
        for item in offered:
            platform = PLATFORMS[type(item)]
            domain = DOMAINS.get(platform, platform.replace(" ", "_"))
            name = texts[domain][item.translation_key or item.key].get("name")
            is_diagnostic = item.entity_category is EntityCategory.DIAGNOSTIC
            is_disabled = not item.entity_registry_enabled_default
            described.append((platform, name, item.key, is_diagnostic, is_disabled))
        yield described


def kinds(
    vendor: str, language: str = "en"
) -> list[set[tuple[str, str, str, bool, bool]]]:
    """Return what each kind of device offers, without what another one surpasses."""
    declared = [set(offered) for offered in declared_entities(vendor, language)]
    # A terminal without photos is a terminal that has something less.
    return [some for some in declared if not any(some < more for more in declared)]


@pytest.mark.parametrize(("section", "vendor"), SECTIONS.items())
def test_entities(section: str, vendor: str) -> None:
    """Platform, name, key, and whether it is diagnostic or disabled."""
    written: list[list[tuple[str, str, str, bool, bool]]] = []
    for device, entity, key, *what in tables(section)["device"]:
        match = re.fullmatch(r"([a-z ]+) \*(.+)\*", entity)
        assert match, entity
        if device:
            written.append([])
        remark = what[-1].rpartition("·")[2]
        written[-1].append(
            (
                match[1],
                match[2],
                *codes(key),
                "diagnostic" in remark,
                "disabled" in remark,
            )
        )
    assert sorted(map(sorted, written)) == sorted(map(sorted, kinds(vendor)))


@pytest.mark.parametrize(("page", "vendor"), PAGES.items())
def test_entities_of_pages(page: str, vendor: str) -> None:
    """Every entity of every kind of device, by its name in the page's language."""
    declared = [
        (name, key)
        for offered in kinds(vendor, page.partition(".")[2] or "en")
        for _, name, key, *_ in offered
    ]
    keys = {key for _, key in declared}
    text = (ROOT / "docs" / f"{page}.md").read_text()
    written = re.findall(r"\| \*([^*|]+)\* \| `(\w+)` \|", text)
    assert sorted(row for row in written if row[1] in keys) == sorted(declared)


@pytest.mark.parametrize(("section", "vendor"), SECTIONS.items())
def test_events(section: str, vendor: str) -> None:
    """Every event entity, with types that it has."""
    declared = {
        item.key: set(item.event_types or ())
        for offered in VENDORS[vendor].entities.values()
        for item in offered
        if isinstance(item, EventDescription)
    }
    written: dict[str, set[str]] = {}
    for event, *_ in tables(section).get("event", ()):
        key, *types = codes(event)
        written.setdefault(key, set()).update(types)
    assert written.keys() == declared.keys()
    for key, types in written.items():
        assert types <= declared[key]


def test_actions() -> None:
    """Every action, with all of its fields."""
    written = {
        action: set(codes(fields))
        for section in SECTIONS
        for name, _, fields in tables(section).get("action", ())
        for action in [codes(name)[0].removeprefix("gatehouse.")]
    }
    declared = {
        name: set(action["fields"]) for name, action in yaml_of("services.yaml").items()
    }
    assert written.keys() == declared.keys()
    for name, fields in declared.items():
        assert fields <= written[name], name


@pytest.mark.parametrize("kind", ["trigger", "condition"])
def test_triggers_and_conditions(kind: str) -> None:
    """Every trigger and condition, with all of its options."""
    written = {
        codes(name)[0].removeprefix("gatehouse."): set(codes(options))
        for name, _, options, *_ in tables("Triggers and conditions")[kind]
    }
    declared = {
        name: set(item.get("fields", ()))
        for name, item in yaml_of(f"{kind}s.yaml").items()
    }
    assert written.keys() == declared.keys()
    for name, options in declared.items():
        assert options <= written[name], name


def test_values_of_options() -> None:
    """The values from which the options of triggers are chosen."""
    rows = {
        codes(name)[0]: set(codes(values))
        for name, values in tables("Triggers and conditions")["option"]
    }
    for trigger in yaml_of("triggers.yaml").values():
        for name, field in trigger.get("fields", {}).items():
            if options := field["selector"].get("select", {}).get("options"):
                assert rows[name] == set(options)


def test_pictures() -> None:
    """Every picture that a page shows is there, and small."""
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    for page in pages:
        pictures = re.findall(
            r"!\[[^\]]+\]\(([^)]+\.png)\)|<img src=\"([^\"]+\.png)\"", page.read_text()
        )
        for picture in ("".join(pair) for pair in pictures):
            size = (page.parent / picture).stat().st_size
            assert size <= 256 * 1024, picture

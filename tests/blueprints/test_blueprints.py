"""What holds for every blueprint: it loads, can be imported, and is documented."""

import json
from pathlib import Path
import re
from typing import Any
from urllib.parse import quote

import pytest
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker

from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.components.blueprint.importer import fetch_blueprint_from_url
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.core import HomeAssistant
from homeassistant.util.yaml import extract_inputs

from .conftest import BLUEPRINTS

ROOT = BLUEPRINTS.parents[1]
FILES = sorted(BLUEPRINTS.rglob("*.yaml"))
INTEGRATION = ROOT / "custom_components" / "gatehouse"
REPOSITORY = json.loads((INTEGRATION / "manifest.json").read_text())["documentation"]

each = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


@pytest.fixture
async def blueprint(hass: HomeAssistant, path: Path) -> Blueprint:
    """Return a blueprint as Home Assistant has loaded it."""
    return await async_get_blueprints(hass).async_get_blueprint(
        str(path.relative_to(BLUEPRINTS))
    )


def page_of(path: Path) -> str:
    """Return where a blueprint is published."""
    return f"{REPOSITORY}/blob/main/{path.relative_to(ROOT)}"


def paragraph_on(blueprint: Blueprint) -> str:
    """Return what the documentation says of a blueprint."""
    page = (ROOT / "docs" / "blueprints.md").read_text()
    return page.partition(f"\n## {blueprint.name}\n")[2].partition("\n## ")[0]


def anchor(title: str) -> str:
    """Return what a heading is called in links."""
    return title.lower().replace(" ", "-")


def inputs_of(blueprint: Blueprint) -> list[tuple[bool, dict[str, Any]]]:
    """Return the inputs, and whether each is in a section that is folded away."""
    found = []
    for one in blueprint.metadata["input"].values():
        if "input" in one:
            collapsed = one.get("collapsed", False)
            found += [(collapsed, inner) for inner in one["input"].values()]
        else:
            found.append((False, one))
    return found


def test_there_are_twelve() -> None:
    """None is lost, and all are in the folder that the documentation names."""
    assert len(FILES) == 12
    assert {path.parent for path in FILES} == {BLUEPRINTS / "gatehouse"}


@each
async def test_loads(blueprint: Blueprint, path: Path) -> None:
    """It loads on this Home Assistant, says whose it is, and uses what it asks for."""
    assert blueprint.validate() is None
    assert blueprint.metadata["author"] == "Gatehouse"
    assert blueprint.metadata["source_url"] == page_of(path)
    assert blueprint.metadata["description"]
    hacs = json.loads((ROOT / "hacs.json").read_text())
    assert blueprint.metadata["homeassistant"] == {"min_version": hacs["homeassistant"]}
    assert extract_inputs(blueprint.data) == set(blueprint.inputs)


@each
async def test_inputs(blueprint: Blueprint) -> None:
    """Each input has a name and a selector; what is folded away need not be opened."""
    for collapsed, one in inputs_of(blueprint):
        assert one["name"]
        assert one["selector"]
        assert "default" in one or not collapsed


@each
async def test_form(blueprint: Blueprint) -> None:
    """It is written in today's words, and says what happens when it starts twice."""
    assert {"triggers", "actions", "mode"} <= set(blueprint.data)
    assert not {"trigger", "condition", "action"} & set(blueprint.data)


@pytest.fixture
def published(aioclient_mock: AiohttpClientMocker, path: Path) -> None:
    """Publish a blueprint."""
    raw = page_of(path).replace("github.com", "raw.githubusercontent.com")
    aioclient_mock.get(raw.replace("/blob/", "/"), text=path.read_text())


@each
@pytest.mark.usefixtures("published")
async def test_import(hass: HomeAssistant, path: Path) -> None:
    """Home Assistant imports it from where its link points to."""
    imported = await fetch_blueprint_from_url(hass, page_of(path))
    assert imported.blueprint.domain == "automation"
    assert imported.suggested_filename == f"gatehouse-ha/{path.stem}"


@each
async def test_documented(blueprint: Blueprint, path: Path) -> None:
    """The overview has a row with its import link, the documentation a paragraph."""
    overview = (ROOT / "README.md").read_text()
    section = overview.partition("\n## Blueprints\n")[2].partition("\n## ")[0]
    link = (
        "https://my.home-assistant.io/redirect/blueprint_import/?blueprint_url="
        + quote(page_of(path), safe="")
    )
    (row,) = (line for line in section.splitlines() if link in line)
    title = f"[{blueprint.name}](docs/blueprints.md#{anchor(blueprint.name)})"
    assert row.startswith(f"| {title} | ")
    paragraph = paragraph_on(blueprint)
    for part in ("- **Needs**: ", "- **Choose**: ", "- **Good to know**: "):
        assert part in paragraph


@each
async def test_names_in_documentation(
    hass: HomeAssistant, blueprint: Blueprint
) -> None:
    """What the documentation sets in italics is called so on the screen."""
    offered = await async_get_blueprints(hass).async_get_blueprints()
    names = {
        one["name"]
        for other in offered.values()
        if isinstance(other, Blueprint)
        for one in (*other.inputs.values(), *other.metadata["input"].values())
        if "name" in one
    }
    texts = json.loads((INTEGRATION / "translations" / "en.json").read_text())
    names |= {
        entity["name"]
        for entities in texts["entity"].values()
        for entity in entities.values()
        if "name" in entity
    }
    set_in_italics = re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", paragraph_on(blueprint))
    assert {" ".join(name.split()) for name in set_in_italics} <= names | {
        "Ignore",
        "Open",
        "Photos",
        "unavailable",
        "unknown",
    }


def test_nothing_else_is_documented() -> None:
    """The overview has no row for a blueprint that does not exist."""
    overview = (ROOT / "README.md").read_text()
    section = overview.partition("\n## Blueprints\n")[2].partition("\n## ")[0]
    assert section.count("blueprint_url=") == len(FILES)

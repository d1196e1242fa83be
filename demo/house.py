"""Moving in: sets Gatehouse up by the same forms that a person fills in."""

import asyncio
from typing import Any

from .home_assistant import Api, ApiError
from .neighbourhood import LOCKS, UNIT, Neighbourhood

DOMAIN = "gatehouse"

_ENTRY_FLOW = "/api/config/config_entries/flow"
_SUBENTRY_FLOW = "/api/config/config_entries/subentries/flow"

_APPEAR_TIMEOUT = 30.0
"""Seconds until what has been set up has its devices and entities."""

GATEWAY = "The Keys gateway"
ACCOUNT = f"Tellicon {UNIT.client}"
"""The names that these devices have by themselves."""

_AREAS = {
    GATEWAY: "Hallway",
    ACCOUNT: "Entrance",
    UNIT.name: "Hallway",
    **{lock.name: lock.area for lock in LOCKS},
}


class House:
    """What of Gatehouse stands in a Home Assistant."""

    def __init__(self, api: Api, neighbourhood: Neighbourhood) -> None:
        """Look at the Home Assistant behind `api`."""
        self._api = api
        self._neighbourhood = neighbourhood

    async def entries(self) -> dict[str, Any]:
        """Return the config entries of Gatehouse, by title."""
        entries = await self._api.command("config_entries/get", domain=DOMAIN)
        return {entry["title"]: entry for entry in entries}

    async def entities(self) -> dict[tuple[str, str], str]:
        """Return the ids of Gatehouse's entities by device and key."""
        devices = {id_: name for name, id_ in (await self._devices()).items()}
        return {
            (devices[entity["device_id"]], entity["translation_key"]): entity[
                "entity_id"
            ]
            for entity in await self._api.command("config/entity_registry/list")
            if entity["platform"] == DOMAIN and entity["disabled_by"] is None
        }

    async def move_in(self, *, every: float | None) -> None:
        """Set up what is not there yet.

        Args:
            every: seconds between two visitors who come by themselves, if any do.

        Raises:
            ApiError: a form refuses what it is given.

        """
        await self._settle_down()
        entries = await self.entries()
        is_new = not entries
        gateway = next(
            (entry for title, entry in entries.items() if title.startswith("The Keys")),
            None,
        )
        if gateway is None:
            await self._add_gateway()
        else:
            await self._find_again(gateway["entry_id"])
        if "Tellicon" not in entries:
            await self._add_tellicon()
        await self._neighbourhood.aim_tellicon(
            f"{self._api.url}/eventTellicon", await self.token(), every=every
        )
        if is_new:
            await self._furnish()

    async def _settle_down(self) -> None:
        """Say where the house stands."""
        await self._api.command(
            "config/core/update",
            location_name="Gatehouse",
            country="FR",
            currency="EUR",
            language="en",
            latitude=48.8566,
            longitude=2.3522,
            elevation=35,
            time_zone="Europe/Paris",
            unit_system="metric",
        )

    async def _add_gateway(self) -> None:
        """Set up the gateway, and then each of its locks."""
        form = await self._begin(_ENTRY_FLOW, DOMAIN)
        form = await self._go_on(_ENTRY_FLOW, form, {"next_step_id": "the_keys"})
        entry = await self._go_on(
            _ENTRY_FLOW, form, {"host": self._neighbourhood.gateway}
        )
        entry_id = _created(entry)["entry_id"]
        await self._appeared(GATEWAY)
        for lock in LOCKS:
            form = await self._begin(_SUBENTRY_FLOW, [entry_id, "lock"])
            form = await self._go_on(_SUBENTRY_FLOW, form, {"next_step_id": "manual"})
            _require(
                await self._go_on(
                    _SUBENTRY_FLOW,
                    form,
                    {
                        "identifier": lock.identifier,
                        "name": lock.name,
                        "share_code": lock.share_code,
                    },
                ),
                "create_entry",
            )
            await self._appeared(lock.name)

    async def _find_again(self, entry_id: str) -> None:
        """Follow the gateway to another port, if this time it has one."""
        form = await self._begin(_ENTRY_FLOW, DOMAIN, entry_id=entry_id)
        (host,) = form["data_schema"]
        if host["description"]["suggested_value"] == self._neighbourhood.gateway:
            await self._leave(_ENTRY_FLOW, form)
            return
        page = await self._go_on(
            _ENTRY_FLOW, form, {"host": self._neighbourhood.gateway}
        )
        _require(page, "abort")

    async def _add_tellicon(self) -> None:
        """Set up Tellicon with the token that the form offers, and the unit."""
        form = await self._begin(_ENTRY_FLOW, DOMAIN)
        form = await self._go_on(_ENTRY_FLOW, form, {"next_step_id": "tellicon"})
        token = next(
            field["default"]
            for field in form["data_schema"]
            if field["name"] == "token"
        )
        page = await self._go_on(_ENTRY_FLOW, form, {"token": token})
        entry_id = _created(await self._go_on(_ENTRY_FLOW, page, {}))["entry_id"]
        form = await self._begin(_SUBENTRY_FLOW, [entry_id, "unit"])
        _require(
            await self._go_on(
                _SUBENTRY_FLOW,
                form,
                {
                    "name": UNIT.name,
                    "client": str(UNIT.client),
                    "building": str(UNIT.building),
                    "apt": str(UNIT.apt),
                },
            ),
            "create_entry",
        )
        await self._appeared(UNIT.name)

    async def token(self) -> str:
        """Return Tellicon's token as its page shows it, which can be opened again."""
        entry_id = (await self.entries())["Tellicon"]["entry_id"]
        form = await self._begin(_ENTRY_FLOW, DOMAIN, entry_id=entry_id)
        page = await self._go_on(_ENTRY_FLOW, form, {})
        await self._leave(_ENTRY_FLOW, page)
        return str(page["description_placeholders"]["token"])

    async def _furnish(self) -> None:
        """Give every device its place in the house."""
        areas = {
            area["name"]: area["area_id"]
            for area in await self._api.command("config/area_registry/list")
        }
        devices = await self._devices()
        for device, area in _AREAS.items():
            if area not in areas:
                created = await self._api.command(
                    "config/area_registry/create", name=area
                )
                areas[area] = created["area_id"]
            await self._api.command(
                "config/device_registry/update",
                device_id=devices[device],
                area_id=areas[area],
            )

    async def _devices(self) -> dict[str, str]:
        """Return the ids of Gatehouse's devices by the names that it gave them."""
        return {
            device["name"]: device["id"]
            for device in await self._api.command("config/device_registry/list")
            if any(domain == DOMAIN for domain, *_ in device["identifiers"])
        }

    async def _appeared(self, device: str) -> None:
        """Wait until a device is there and its entry has finished loading.

        Raises:
            ApiError: it does not appear in time.

        """
        try:
            async with asyncio.timeout(_APPEAR_TIMEOUT):
                while not (
                    device in await self._devices()
                    and all(
                        entry["state"] == "loaded"
                        for entry in (await self.entries()).values()
                    )
                ):
                    await asyncio.sleep(0.2)
        except TimeoutError as err:
            raise ApiError(f"No device {device!r} has appeared") from err

    async def _begin(self, path: str, handler: Any, **context: Any) -> Any:
        """Open the first page of a flow."""
        return await self._api.post(path, {"handler": handler, **context})

    async def _go_on(self, path: str, page: Any, answers: Any) -> Any:
        """Answer a page and return the next one."""
        if page["type"] not in ("form", "menu"):
            raise ApiError(f"This is no page to answer: {page}")
        return await self._api.post(f"{path}/{page['flow_id']}", answers)

    async def _leave(self, path: str, page: Any) -> None:
        """Close a flow without going on."""
        await self._api.delete(f"{path}/{page['flow_id']}")


def _require(page: Any, kind: str) -> None:
    """Raise `ApiError` if a page is not of a kind."""
    if page["type"] != kind:
        raise ApiError(f"A flow does not end as it should: {page}")


def _created(page: Any) -> Any:
    """Return the entry that a flow has created."""
    _require(page, "create_entry")
    return page["result"]

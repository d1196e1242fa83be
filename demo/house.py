"""Moving in: sets Gatehouse up by the same forms that a person fills in."""

import asyncio
from collections.abc import Mapping
from typing import Any

from .home_assistant import Api, ApiError
from .media import upload_media
from .neighbourhood import LOCKS, SERVER, STATION, TELEPHONY, UNIT, Neighbourhood
from .process import LOOPBACK

DOMAIN = "gatehouse"

_ENTRY_FLOW = "/api/config/config_entries/flow"
_SUBENTRY_FLOW = "/api/config/config_entries/subentries/flow"

_APPEAR_TIMEOUT = 90.0
"""Seconds until what has been set up has its devices and entities."""

GATEWAY = "The Keys gateway"
ACCOUNT = f"Tellicon {UNIT.client}"
TERMINALS = "SenseLink server"
TELEPHONES = f"innovaphone {TELEPHONY.domain}"
"""The names that these devices have by themselves."""

WRITE_ON_DISPLAY = "write_on_display"
"""A script, whose entity has the same name."""

_AREAS = {
    GATEWAY: "Hallway",
    ACCOUNT: "Entrance",
    UNIT.name: "Hallway",
    STATION.name: STATION.area,
    STATION.door: STATION.area,
    **{lock.name: lock.area for lock in LOCKS},
}

type Keys = Mapping[tuple[str, str], str]
"""The ids of entities by device and key."""


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

    async def entities(self) -> Keys:
        """Return the ids of Gatehouse's entities by device and key."""
        devices = {
            device["id"]: name for name, device in (await self.devices()).items()
        }
        return {
            (devices[entity["device_id"]], entity["translation_key"]): entity[
                "entity_id"
            ]
            for entity in await self._api.command("config/entity_registry/list")
            if entity["platform"] == DOMAIN and entity["disabled_by"] is None
        }

    async def devices(self) -> dict[str, Any]:
        """Return Gatehouse's devices by name: their own, or that of the station."""
        station = await self._entry("IPAC")
        return {
            STATION.name
            if station is not None and device["name"] == station["title"]
            else device["name"]: device
            for device in await self._api.command("config/device_registry/list")
            if any(domain == DOMAIN for domain, *_ in device["identifiers"])
        }

    async def move_in(self) -> bool:
        """Set up what is not there yet; return whether anything was missing.

        Raises:
            ApiError: a form refuses what it is given.

        """
        await self.settle_down()
        there = await self.entries()
        gateway, station = self._neighbourhood.gateway, self._neighbourhood.station
        telephony = self._neighbourhood.innovaphone_url
        if (entry := await self._entry("The Keys")) is None:
            await self._add_gateway(gateway)
        else:
            await self._find_again(entry, host=gateway)
        if await self._entry("Tellicon") is None:
            await self._add_tellicon()
        if (entry := await self._entry("SenseLink")) is None:
            await self._add_senselink()
        else:
            await self._find_again(entry, **self._server)
        if (entry := await self._entry("innovaphone")) is None:
            await self._add_innovaphone(telephony)
        else:
            await self._find_again(entry, url=telephony)
        if (entry := await self._entry("IPAC")) is None:
            await self._add_station(station)
        else:
            await self._find_again(entry, host=station)
        tellicon, asm = await self.page("Tellicon"), await self.page("IPAC")
        await self._neighbourhood.aim_tellicon(tellicon["url"], tellicon["token"])
        await self._neighbourhood.ipac(
            "asm", uri=asm["uri"], path=asm["path"], token=asm["token"]
        )
        if is_new := len(await self.entries()) > len(there):
            await self._furnish()
        return is_new

    async def settle_down(self) -> None:
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
            # What the pages say is to be typed at a vendor; it is found without asking.
            internal_url=self._api.url,
            external_url=self._api.url,
        )

    async def _add_gateway(self, host: str) -> None:
        """Set up the gateway, and then each of its locks."""
        form = await self._begin(_ENTRY_FLOW, DOMAIN)
        form = await self._go_on(_ENTRY_FLOW, form, {"next_step_id": "the_keys"})
        entry = await self._go_on(_ENTRY_FLOW, form, {"host": host})
        entry_id = _created(entry)["entry_id"]
        await self._appeared(GATEWAY)
        for lock in LOCKS:
            menu = await self._begin(_SUBENTRY_FLOW, [entry_id, "lock"])
            await self._complete(
                _SUBENTRY_FLOW,
                await self._go_on(_SUBENTRY_FLOW, menu, {"next_step_id": "manual"}),
                {
                    "identifier": lock.identifier,
                    "name": lock.name,
                    "share_code": lock.share_code,
                },
            )
            await self._appeared(lock.name)

    async def _find_again(self, entry: Any, **address: Any) -> None:
        """Follow what is set up to another port, if this time it has one.

        Args:
            entry: of what is to be found.
            address: the fields of its form that say where it is.

        """
        form = await self._begin(_ENTRY_FLOW, DOMAIN, entry_id=entry["entry_id"])
        present = shown(form)
        if address.items() <= present.items():
            await self._leave(_ENTRY_FLOW, form)
            return
        page = await self._go_on(_ENTRY_FLOW, form, {**present, **address})
        if page["type"] == "form":
            page = await self._go_on(_ENTRY_FLOW, page, {})
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
        await self._complete(
            _SUBENTRY_FLOW,
            await self._begin(_SUBENTRY_FLOW, [entry_id, "unit"]),
            {
                "name": UNIT.name,
                "client": str(UNIT.client),
                "building": str(UNIT.building),
                "apt": str(UNIT.apt),
            },
        )
        await self._appeared(UNIT.name)

    @property
    def _server(self) -> dict[str, Any]:
        """Return where the SenseLink server is, as its form asks for it."""
        return {
            "host": LOOPBACK,
            "port": self._neighbourhood.senselink_port,
            "web_url": self._neighbourhood.senselink_url,
        }

    async def _add_senselink(self) -> None:
        """Set up the server, and let somebody stand before each of its terminals."""
        form = await self._begin(_ENTRY_FLOW, DOMAIN)
        form = await self._go_on(_ENTRY_FLOW, form, {"next_step_id": "senselink"})
        entry = await self._go_on(
            _ENTRY_FLOW,
            form,
            {
                **self._server,
                "delivery": "websocket",
                "app_key": SERVER.app_key,
                "app_secret": SERVER.app_secret,
                "tls": False,
                "verify_tls": False,
                "photos": True,
            },
        )
        _created(entry)
        await self._appeared(TERMINALS)
        for place, terminal in enumerate(SERVER.terminals):
            # Nothing but what a terminal tells says that it is there.
            await self._neighbourhood.senselink("recognise", terminal=place)
            await self._appeared(terminal)

    async def _add_innovaphone(self, url: str) -> None:
        """Set up the service, which brings its devices along."""
        form = await self._begin(_ENTRY_FLOW, DOMAIN)
        form = await self._go_on(_ENTRY_FLOW, form, {"next_step_id": "innovaphone"})
        entry = await self._go_on(
            _ENTRY_FLOW,
            form,
            {
                "url": url,
                "app": TELEPHONY.app,
                "domain": TELEPHONY.domain,
                "password": TELEPHONY.password,
                "verify_tls": True,
            },
        )
        _created(entry)
        await self._appeared(TELEPHONES)

    async def _add_station(self, host: str) -> None:
        """Set up the door station, the name of a code, and its door."""
        form = await self._begin(_ENTRY_FLOW, DOMAIN)
        form = await self._go_on(_ENTRY_FLOW, form, {"next_step_id": "ipac"})
        page = await self._go_on(
            _ENTRY_FLOW,
            form,
            {
                "host": host,
                "username": STATION.username,
                "password": STATION.password,
                "auth": "digest",
                "tls": False,
                "verify_tls": False,
            },
        )
        entry_id = _created(await self._go_on(_ENTRY_FLOW, page, {}))["entry_id"]
        await self._appeared(STATION.name)
        await self._complete(
            _SUBENTRY_FLOW,
            await self._begin(_SUBENTRY_FLOW, [entry_id, "keypad_code"]),
            {"name": STATION.person, "code": STATION.persons_code},
        )
        await self._complete(
            _SUBENTRY_FLOW,
            await self._begin(_SUBENTRY_FLOW, [entry_id, "relay"]),
            {
                "name": STATION.door,
                "relay": str(STATION.relay),
                "code": STATION.code,
                "open_time": STATION.open_time,
            },
        )
        await self._appeared(STATION.door)

    async def page(self, title: str) -> dict[str, str]:
        """Return what a page says is to be typed at the vendor; it can be opened again.

        Args:
            title: of the entry, or its beginning.

        """
        entry = await self._entry(title)
        form = await self._begin(_ENTRY_FLOW, DOMAIN, entry_id=entry["entry_id"])
        page = await self._go_on(_ENTRY_FLOW, form, shown(form))
        await self._leave(_ENTRY_FLOW, page)
        return dict(page["description_placeholders"])

    async def _entry(self, title: str) -> Any:
        """Return the entry whose title begins so, or None."""
        return next(
            (
                entry
                for name, entry in (await self.entries()).items()
                if name.startswith(title)
            ),
            None,
        )

    async def _furnish(self) -> None:
        """Give every device its place in the house, and what the dashboard plays with."""
        await self._name_station()
        areas = {
            area["name"]: area["area_id"]
            for area in await self._api.command("config/area_registry/list")
        }
        for name, device in (await self.devices()).items():
            # Others have appeared by themselves, as units do.
            if name not in _AREAS or device["area_id"] is not None:
                continue
            area = _AREAS[name]
            if area not in areas:
                created = await self._api.command(
                    "config/area_registry/create", name=area
                )
                areas[area] = created["area_id"]
            await self._api.command(
                "config/device_registry/update",
                device_id=device["id"],
                area_id=areas[area],
            )
        await upload_media(self._api)
        await self._api.post(
            f"/api/config/script/config/{WRITE_ON_DISPLAY}",
            _write_on_display((await self.entities())[STATION.name, "display"]),
        )

    async def _name_station(self) -> None:
        """Give the station a name, which by itself is its address, and its entities."""
        device = (await self.devices())[STATION.name]
        if device["name_by_user"] is not None:
            return
        await self._api.command(
            "config/device_registry/update",
            device_id=device["id"],
            name_by_user=STATION.name,
        )
        # As the frontend offers it then.
        names = await self._api.command(
            "config/entity_registry/get_automatic_entity_ids",
            entity_ids=[
                entity_id
                for (name, _), entity_id in (await self.entities()).items()
                if name == STATION.name
            ],
        )
        for entity_id, name in names.items():
            await self._api.command(
                "config/entity_registry/update",
                entity_id=entity_id,
                new_entity_id=name,
            )

    async def _appeared(self, device: str) -> None:
        """Wait until a device is there and its entry has finished loading.

        Raises:
            ApiError: it does not appear in time.

        """
        try:
            async with asyncio.timeout(_APPEAR_TIMEOUT):
                while not (
                    device in await self.devices()
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
        next_page = await self._api.post(f"{path}/{page['flow_id']}", answers)
        if next_page.get("errors"):
            raise ApiError(f"A form refuses its answers: {next_page['errors']}")
        return next_page

    async def _complete(self, path: str, form: Any, answers: Any) -> None:
        """Answer the last page of a flow that creates something."""
        _require(await self._go_on(path, form, answers), "create_entry")

    async def _leave(self, path: str, page: Any) -> None:
        """Close a flow without going on."""
        await self._api.delete(f"{path}/{page['flow_id']}")


def shown(form: Any) -> dict[str, Any]:
    """Return what a form of something that is there shows of it."""
    return {
        field["name"]: field["description"]["suggested_value"]
        for field in form["data_schema"]
        if "suggested_value" in field.get("description", {})
    }


def _write_on_display(display: str) -> dict[str, Any]:
    """Return a script that asks for a text and shows it at the door."""
    return {
        "alias": "Write on the display",
        "icon": "mdi:message-draw",
        "fields": {
            "message": {
                "name": "Message",
                "required": True,
                "selector": {"text": {"multiline": True}},
            },
            "title": {"name": "Title", "selector": {"text": {}}},
        },
        "sequence": [
            {
                "action": "notify.send_message",
                "target": {"entity_id": display},
                "data": {
                    "title": "{{ title | default('') }}",
                    "message": "{{ message }}",
                },
            }
        ],
    }


def _require(page: Any, kind: str) -> None:
    """Raise `ApiError` if a page is not of a kind."""
    if page["type"] != kind:
        raise ApiError(f"A flow does not end as it should: {page}")


def _created(page: Any) -> Any:
    """Return the entry that a flow has created."""
    _require(page, "create_entry")
    return page["result"]

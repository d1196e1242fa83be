"""What is played with innovaphone: devices that come, go, and are lost."""

from typing import Any, override

from .home_assistant import Api
from .house import TELEPHONES, Keys
from .neighbourhood import NEW_TELEPHONE, TELEPHONY, Neighbourhood
from .report import NotAsExpected, Report
from .scenario import PROMPTLY, SLOWLY, Scenario, until

TELEPHONE = TELEPHONY.telephones[0]

NEW_NAME = "Front desk"

_CONNECTION = (TELEPHONES, "connection")
_ONLINE = (TELEPHONE, "online")


class InnovaphoneScenario(Scenario):
    """A service with a dozen devices."""

    def __init__(
        self,
        api: Api,
        neighbourhood: Neighbourhood,
        entities: Keys,
        *,
        entry_id: str,
    ) -> None:
        """Prepare the checks; the id is that of the service's entry."""
        super().__init__(api, neighbourhood, entities)
        self._entry_id = entry_id

    @override
    async def play(self, report: Report) -> None:
        await report.check(
            "innovaphone: all devices are there, on line or not", self.all_there()
        )
        await report.check(
            "innovaphone: a telephone goes off line and comes back", self.off_line()
        )
        await report.check("innovaphone: a new name is taken over", self.rename())
        await report.check(
            "innovaphone: a telephone that is added and removed comes and goes",
            self.come_and_go(),
        )
        await report.check("innovaphone: an action lists the devices", self.listed())
        await report.check(
            "innovaphone: a lost link comes back by itself, with what was missed",
            self.lost(),
        )

    async def all_there(self) -> None:
        """Compare all devices, and how many there are, with those of the simulator."""
        service = await self._service()
        for told in service["devices"]:
            name = told["name"] or f"{told['product']} {told['hw_id']}"
            if (name, "online") not in self._entities:
                raise NotAsExpected(f"{name} is missing")
            await self._becomes(
                (name, "online"), "on" if told["online"] else "off", PROMPTLY
            )
        await self._counts(online=service["online"], total=service["total"])

    async def off_line(self) -> None:
        """Take a telephone off line, and bring it back."""
        service = await self._service()
        online, total = service["online"], service["total"]
        for is_online, state, count in (
            (False, "off", online - 1),
            (True, "on", online),
        ):
            await self._update(online=is_online)
            await self._becomes(_ONLINE, state, PROMPTLY)
            await self._counts(online=count, total=total)

    async def rename(self) -> None:
        """Give a telephone another name, and then its own again."""
        hw_id = await self._hw_id()
        for name in (NEW_NAME, TELEPHONE):
            await self._neighbourhood.innovaphone("update", hw_id=hw_id, name=name)
            await self._is_named(hw_id, name)

    async def come_and_go(self) -> None:
        """Add a telephone, and remove it."""
        since, total = self._now, (await self._service())["total"]
        added = await self._neighbourhood.innovaphone("add", name=NEW_TELEPHONE)
        hw_id = added["hw_id"]
        await self._told("device_added", hw_id, since)
        await self._is_named(hw_id, NEW_TELEPHONE)
        await self._becomes((TELEPHONES, "devices_total"), str(total + 1), PROMPTLY)
        await self._neighbourhood.innovaphone("remove", hw_id=hw_id)
        await self._told("device_removed", hw_id, since)
        await self._is_named(hw_id, None)
        await self._becomes((TELEPHONES, "devices_total"), str(total), PROMPTLY)

    async def listed(self) -> None:
        """Ask for all devices, and for those of one type."""
        devices = (await self._service())["devices"]
        for types in ([], ["phone"]):
            response = await self._api.ask(
                "gatehouse.get_devices", config_entry_id=self._entry_id, types=types
            )
            expected = {
                told["hw_id"]
                for told in devices
                if not types or told["type"].lower() in types
            }
            listed = {told["hardware_id"] for told in response["devices"]}
            if listed != expected:
                raise NotAsExpected(f"of the types {types}, it lists {sorted(listed)}")

    async def lost(self) -> None:
        """Take the service away, and a telephone off line before it is back."""
        await self._neighbourhood.innovaphone("link", up=False)
        await self._becomes(_CONNECTION, "off", PROMPTLY)
        await self._becomes(_ONLINE, "unavailable", PROMPTLY)
        await self._update(online=False)
        await self._neighbourhood.innovaphone("link", up=True)
        await self._becomes(_CONNECTION, "on", SLOWLY)
        await self._becomes(_ONLINE, "off", PROMPTLY)
        await self._update(online=True)
        await self._becomes(_ONLINE, "on", PROMPTLY)

    async def _told(self, event_type: str, hw_id: str, since: int) -> None:
        await self._event(
            TELEPHONES,
            "inventory",
            event_type,
            since,
            hardware_id=hw_id,
            name=NEW_TELEPHONE,
        )

    async def _counts(self, *, online: int, total: int) -> None:
        """Wait until so many devices are shown."""
        await self._becomes((TELEPHONES, "devices_online"), str(online), PROMPTLY)
        await self._becomes((TELEPHONES, "devices_total"), str(total), PROMPTLY)

    async def _is_named(self, hw_id: str, name: str | None) -> None:
        """Wait until a device has a name, or until there is none."""

        async def is_named() -> bool:
            devices = await self._api.command("config/device_registry/list")
            return name == next(
                (one["name"] for one in devices if one["serial_number"] == hw_id), None
            )

        if not await until(is_named, PROMPTLY):
            raise NotAsExpected(f"the device {hw_id} is not {name or 'gone'}")

    async def _update(self, **changes: Any) -> None:
        """Change something about the telephone."""
        hw_id = await self._hw_id()
        await self._neighbourhood.innovaphone("update", hw_id=hw_id, **changes)

    async def _hw_id(self) -> str:
        """Return the hardware id of the telephone."""
        devices = (await self._service())["devices"]
        told = next(told for told in devices if told["name"] == TELEPHONE)
        return str(told["hw_id"])

    async def _service(self) -> Any:
        """Return what the simulated service knows of itself."""
        return (await self._neighbourhood.state())["innovaphone"]

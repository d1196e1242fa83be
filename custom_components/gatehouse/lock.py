"""Locks."""

from typing import Any, override

from homeassistant.components.lock import LockEntity, LockEntityFeature
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import ChannelEntity, LockDescription, async_add_platform
from .hub import Device, GatehouseConfigEntry, Hub
from .model import CHANGED_BY, BoltState

# The vendor's client keeps order where a device bears one request at a time.
PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: GatehouseConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the locks of an entry."""
    async_add_platform(entry, async_add_entities, LockDescription, GatehouseLock)


class GatehouseLock(ChannelEntity, LockEntity):
    """A bolt."""

    entity_description: LockDescription

    def __init__(self, hub: Hub, device: Device, description: LockDescription) -> None:
        """Offer to release the latch where there is one."""
        super().__init__(hub, device, description)
        if description.open is not None:
            self._attr_supported_features = LockEntityFeature.OPEN

    @override
    async def async_lock(self, **kwargs: Any) -> None:
        """Lock the door."""
        await self.entity_description.lock(
            self.hub, self.device, await self._async_actor()
        )

    @override
    async def async_unlock(self, **kwargs: Any) -> None:
        """Unlock the door."""
        await self.entity_description.unlock(
            self.hub, self.device, await self._async_actor()
        )

    @override
    async def async_open(self, **kwargs: Any) -> None:
        """Release the latch."""
        assert self.entity_description.open is not None
        await self.entity_description.open(
            self.hub, self.device, await self._async_actor()
        )

    @override
    async def _async_attach(self) -> None:
        """Show also who has moved the bolt last."""
        await super()._async_attach()
        self.async_on_remove(self.device.listen(CHANGED_BY, self._on_changed_by))

    @callback
    def _on_changed_by(self, _: str | None) -> None:
        """Show who has moved the bolt."""
        self._on_value(self.device.values.get(self.entity_description.key))

    @override
    def _show(self, value: BoltState | None) -> None:
        self._attr_changed_by = self.device.values.get(CHANGED_BY)
        self._attr_is_locking = value is BoltState.LOCKING
        self._attr_is_unlocking = value is BoltState.UNLOCKING
        # Moving bolts are neither; a bolt that may be anywhere is not called unlocked.
        self._attr_is_locked = None if value is None else value is BoltState.LOCKED

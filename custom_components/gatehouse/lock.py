"""Locks."""

from typing import Any, override

from homeassistant.components.lock import LockEntity, LockEntityFeature
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import ChannelEntity, LockDescription, async_add_platform
from .hub import Device, GatehouseConfigEntry, Hub
from .model import BoltState

# The vendor's client keeps order where a device bears one request at a time.
PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: GatehouseConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the locks of an entry."""
    await async_add_platform(entry, async_add_entities, LockDescription, GatehouseLock)


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
        await self.entity_description.lock(self.hub, self.device)

    @override
    async def async_unlock(self, **kwargs: Any) -> None:
        """Unlock the door."""
        await self.entity_description.unlock(self.hub, self.device)

    @override
    async def async_open(self, **kwargs: Any) -> None:
        """Release the latch."""
        assert self.entity_description.open is not None
        await self.entity_description.open(self.hub, self.device)

    @override
    def _show(self, value: BoltState | None) -> None:
        self._attr_is_locking = value is BoltState.LOCKING
        self._attr_is_unlocking = value is BoltState.UNLOCKING
        # Moving bolts are neither; a bolt that may be anywhere is not called unlocked.
        self._attr_is_locked = None if value is None else value is BoltState.LOCKED

"""What innovaphone's Devices service and its devices offer."""

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.components.button import ButtonDeviceClass
from homeassistant.components.sensor import SensorStateClass
from homeassistant.const import EntityCategory

from ...entity import (
    CONNECTION_ENTITY,
    BinarySensorDescription,
    ButtonDescription,
    EventDescription,
    SensorDescription,
)
from ...hub import Offers
from ...model import InventoryEvent
from .hub import InnovaphoneHub
from .roster import DEVICE, SERVICE

ENTITIES: Offers = {
    SERVICE: (
        CONNECTION_ENTITY,
        SensorDescription(
            key="devices_online", state_class=SensorStateClass.MEASUREMENT
        ),
        SensorDescription(
            key="devices_total",
            entity_category=EntityCategory.DIAGNOSTIC,
            state_class=SensorStateClass.MEASUREMENT,
        ),
        EventDescription(
            key="inventory", event_types=[str(event) for event in InventoryEvent]
        ),
    ),
    DEVICE: (
        BinarySensorDescription(
            key="online", device_class=BinarySensorDeviceClass.CONNECTIVITY
        ),
        SensorDescription(
            key="ip_address",
            entity_category=EntityCategory.DIAGNOSTIC,
            entity_registry_enabled_default=False,
        ),
        ButtonDescription(
            key="restart",
            device_class=ButtonDeviceClass.RESTART,
            entity_category=EntityCategory.CONFIG,
            entity_registry_enabled_default=False,
            press=InnovaphoneHub.async_restart,
        ),
    ),
}

"""What SenseLink's devices offer."""

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import EntityCategory, UnitOfTemperature
from homeassistant.helpers.entity import EntityDescription

from ...entity import (
    CONNECTION_ENTITY,
    LAST_CONTACT_ENTITY,
    BinarySensorDescription,
    EventDescription,
    ImageDescription,
    SensorDescription,
)
from ...model import AccessEvent, AlertEvent
from .hub import SERVER, TERMINAL, TERMINAL_WITH_PHOTOS

_TERMINAL: tuple[EntityDescription, ...] = (
    EventDescription(key="access", event_types=list(AccessEvent)),
    EventDescription(key="alert", event_types=list(AlertEvent)),
    SensorDescription(key="last_person", remembered=True),
    SensorDescription(
        key="body_temperature",
        device_class=SensorDeviceClass.TEMPERATURE,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=UnitOfTemperature.CELSIUS,
        remembered=True,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
    ),
    BinarySensorDescription(key="tamper", device_class=BinarySensorDeviceClass.TAMPER),
    BinarySensorDescription(
        key="door_forced", device_class=BinarySensorDeviceClass.SAFETY
    ),
    BinarySensorDescription(
        key="door_held_open", device_class=BinarySensorDeviceClass.PROBLEM
    ),
    BinarySensorDescription(key="fire", device_class=BinarySensorDeviceClass.SAFETY),
    BinarySensorDescription(
        key="camera_dirty",
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
    ),
    BinarySensorDescription(
        key="thermal_camera_fault",
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
    ),
    BinarySensorDescription(
        key="online",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
    ),
)

ENTITIES: dict[str, tuple[EntityDescription, ...]] = {
    SERVER: (
        CONNECTION_ENTITY,
        LAST_CONTACT_ENTITY,
    ),
    TERMINAL: _TERMINAL,
    TERMINAL_WITH_PHOTOS: (*_TERMINAL, ImageDescription(key="last_photo")),
}

"""What The Keys' devices offer."""

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import (
    PERCENTAGE,
    SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
    EntityCategory,
    UnitOfElectricPotential,
)
from homeassistant.helpers.entity import EntityDescription

from ...entity import (
    CONNECTION_ENTITY,
    BinarySensorDescription,
    ButtonDescription,
    LockDescription,
    SensorDescription,
)
from .hub import (
    GATEWAY,
    LOCK,
    STATUS_SCANNING,
    STATUS_SYNCHRONIZING_GATEWAY,
    STATUS_SYNCHRONIZING_LOCK,
    TheKeysHub,
)

_BUTTONS: tuple[EntityDescription, ...] = (
    ButtonDescription(
        key="synchronize",
        entity_category=EntityCategory.CONFIG,
        press=TheKeysHub.async_synchronize,
    ),
    ButtonDescription(
        key="update_firmware",
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        press=TheKeysHub.async_update_firmware,
    ),
)

ENTITIES: dict[str, tuple[EntityDescription, ...]] = {
    GATEWAY: (
        *_BUTTONS,
        CONNECTION_ENTITY,
        SensorDescription(
            key="status",
            device_class=SensorDeviceClass.ENUM,
            entity_category=EntityCategory.DIAGNOSTIC,
            options=[
                STATUS_SCANNING,
                STATUS_SYNCHRONIZING_GATEWAY,
                STATUS_SYNCHRONIZING_LOCK,
            ],
        ),
    ),
    LOCK: (
        *_BUTTONS,
        ButtonDescription(
            key="calibrate",
            entity_category=EntityCategory.CONFIG,
            entity_registry_enabled_default=False,
            press=TheKeysHub.async_calibrate,
        ),
        LockDescription(
            key="door", lock=TheKeysHub.async_lock, unlock=TheKeysHub.async_unlock
        ),
        BinarySensorDescription(
            key="battery_low",
            device_class=BinarySensorDeviceClass.BATTERY,
            entity_category=EntityCategory.DIAGNOSTIC,
        ),
        SensorDescription(
            key="battery",
            device_class=SensorDeviceClass.BATTERY,
            native_unit_of_measurement=PERCENTAGE,
            state_class=SensorStateClass.MEASUREMENT,
        ),
        SensorDescription(
            key="battery_voltage",
            device_class=SensorDeviceClass.VOLTAGE,
            entity_category=EntityCategory.DIAGNOSTIC,
            native_unit_of_measurement=UnitOfElectricPotential.VOLT,
            state_class=SensorStateClass.MEASUREMENT,
            suggested_display_precision=2,
        ),
        SensorDescription(
            key="signal_strength",
            device_class=SensorDeviceClass.SIGNAL_STRENGTH,
            entity_category=EntityCategory.DIAGNOSTIC,
            entity_registry_enabled_default=False,
            native_unit_of_measurement=SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
            state_class=SensorStateClass.MEASUREMENT,
        ),
    ),
}

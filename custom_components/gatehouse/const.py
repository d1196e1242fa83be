"""Constants of the Gatehouse integration."""

from homeassistant.const import Platform

DOMAIN = "gatehouse"

CONF_VENDOR = "vendor"

EVENT_GATEHOUSE = f"{DOMAIN}_event"

PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.IMAGE,
    Platform.LOCK,
    Platform.MEDIA_PLAYER,
    Platform.NOTIFY,
    Platform.SENSOR,
]

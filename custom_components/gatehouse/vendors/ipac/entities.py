"""What an IPAC station and its doors offer."""

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.components.event import EventDeviceClass
from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import EntityCategory, UnitOfTime
from homeassistant.helpers.entity import EntityDescription

from ...entity import (
    CONNECTION_ENTITY,
    LAST_CONTACT_ENTITY,
    BinarySensorDescription,
    ButtonDescription,
    EventDescription,
    LockDescription,
    MediaPlayerDescription,
    NotifyDescription,
    SensorDescription,
)
from ...model import AccessEvent, CallEvent, KeypadEvent, StationEvent
from ...sound import SoundFormat
from .hub import DOOR, STATION, IpacHub
from .protocol import DISPLAY_SIZE, MAX_WAV

ENTITIES: dict[str, tuple[EntityDescription, ...]] = {
    STATION: (
        BinarySensorDescription(
            key="call", device_class=BinarySensorDeviceClass.RUNNING
        ),
        CONNECTION_ENTITY,
        ButtonDescription(key="answer", press=IpacHub.async_answer),
        ButtonDescription(key="clear_display", press=IpacHub.async_clear_display),
        ButtonDescription(key="hang_up", press=IpacHub.async_hang_up),
        NotifyDescription(key="display", size=DISPLAY_SIZE, show=IpacHub.async_show),
        EventDescription(
            key="doorbell",
            device_class=EventDeviceClass.DOORBELL,
            event_types=[
                CallEvent.RING,
                CallEvent.INCOMING,
                CallEvent.ANSWERED,
                CallEvent.ENDED,
            ],
        ),
        EventDescription(key="keypad", event_types=list(KeypadEvent)),
        EventDescription(key="station", event_types=list(StationEvent)),
        SensorDescription(
            key="clock_offset",
            device_class=SensorDeviceClass.DURATION,
            entity_category=EntityCategory.DIAGNOSTIC,
            entity_registry_enabled_default=False,
            native_unit_of_measurement=UnitOfTime.SECONDS,
        ),
        LAST_CONTACT_ENTITY,
        MediaPlayerDescription(
            key="speaker",
            # What telephones use; the release note's sample fits it, too.
            format=SoundFormat(sample_rate=8000, sample_width=2, max_bytes=MAX_WAV),
            play=IpacHub.async_play,
            stop=IpacHub.async_stop_sound,
        ),
    ),
    DOOR: (
        ButtonDescription(key="open", press=IpacHub.async_open),
        EventDescription(key="access", event_types=list(AccessEvent)),
        LockDescription(
            key="door",
            lock=IpacHub.async_lock,
            unlock=IpacHub.async_open,
            open=IpacHub.async_open,
        ),
    ),
}

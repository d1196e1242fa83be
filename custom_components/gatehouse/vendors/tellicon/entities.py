"""What Tellicon's devices offer."""

from homeassistant.components.event import EventDeviceClass
from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import UnitOfTime
from homeassistant.helpers.entity import EntityDescription

from ...entity import LAST_CONTACT_ENTITY, EventDescription, SensorDescription
from ...model import CallEvent, DtmfEvent
from .hub import ACCOUNT, UNIT

_EVENTS: tuple[EntityDescription, ...] = (
    EventDescription(
        key="doorbell",
        device_class=EventDeviceClass.DOORBELL,
        event_types=[CallEvent.RING, CallEvent.ANSWERED, CallEvent.ENDED],
    ),
    EventDescription(key="dtmf", event_types=list(DtmfEvent)),
)

ENTITIES = {
    ACCOUNT: (
        *_EVENTS,
        LAST_CONTACT_ENTITY,
    ),
    UNIT: (
        *_EVENTS,
        SensorDescription(
            key="last_call_duration",
            device_class=SensorDeviceClass.DURATION,
            native_unit_of_measurement=UnitOfTime.SECONDS,
            suggested_display_precision=0,
            remembered=True,
        ),
    ),
}

"""What a vendor brings to Gatehouse; each vendor's folder fills in one of these."""

from dataclasses import dataclass
from itertools import chain
from typing import Any

from homeassistant.const import Platform

from .action import Action
from .entity import PLATFORM_OF, EventDescription
from .flow import VendorFlow
from .hub import Hub, Offers
from .inbound import InboundView
from .people import CHANNELS


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """A vendor, as the registry in `vendors/__init__.py` lists it."""

    key: str
    """The word in `entry.data["vendor"]`, the menu and the translations."""

    hub: type[Hub]
    flow: VendorFlow

    entities: Offers
    """What each kind of device offers."""

    view: type[InboundView[Any]] | None = None
    """The address that a vendor which calls us finds its hubs behind."""

    actions: tuple[Action, ...] = ()
    """What can be asked for beyond what entities offer."""

    secrets: frozenset[str] = frozenset()
    """Keys of entry and sub-entry data that diagnostics must not show."""

    personal: frozenset[str] = frozenset()
    """Channels that diagnostics must not show, for they tell of people."""

    @property
    def platforms(self) -> set[Platform]:
        """Return the platforms that its entities need; no other is loaded for it."""
        descriptions = tuple(chain.from_iterable(self.entities.values()))
        return {
            platform
            for kind, platform in PLATFORM_OF.items()
            if any(isinstance(description, kind) for description in descriptions)
        }

    @property
    def names_people(self) -> bool:
        """Tell whether it names people, of whom the user can say who they are."""
        return any(
            isinstance(description, EventDescription) and description.key in CHANNELS
            for offered in self.entities.values()
            for description in offered
        )

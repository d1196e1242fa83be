"""What innovaphone's Devices service and its devices can be asked."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import voluptuous as vol

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.core import Context, ServiceResponse, SupportsResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType, JsonValueType

from ...action import Action
from ...const import DOMAIN
from ...hub import Device
from ...wire import Breather
from .hub import InnovaphoneHub
from .protocol import Category, DeviceConfig, DeviceObject, DeviceType, Domain
from .roster import DEVICE

MAX_PATH = 4_096
MAX_BODY = 65_536
"""Characters of a request to a device at most."""

_NUMBER = vol.All(vol.Coerce(int), vol.Range(0, 2**64 - 1))

_TYPE = vol.All(cv.string, vol.Upper, vol.In([str(one) for one in DeviceType]))

_TEXT = vol.All(cv.string, str.strip, vol.Length(1, 255))

# The service takes lists as texts with commas, so that none can stand in a name.
_LISTED = vol.All(_TEXT, vol.Match(r"[^,]+\Z", "must be without a comma"))


def _list_of(item: Any) -> Any:
    return vol.All(cv.ensure_list, [item])


async def _get_devices(
    hub: InnovaphoneHub,
    device: Device | None,
    fields: Mapping[str, Any],
    context: Context,
) -> ServiceResponse:
    """List devices; all filters must let a device through."""
    types = tuple(fields["types"])
    hw_ids = tuple(fields["hardware_ids"])
    domain_ids = tuple(fields["domain_ids"])
    categories = tuple(fields["categories"])
    listed: list[DeviceObject] | None = None
    if not fields["only_fxs"] or categories or fields["unassigned"]:
        listed = await hub.async_devices(domain_ids, categories, fields["unassigned"])
    if fields["only_fxs"]:
        with_fxs = await hub.async_fxs_devices(domain_ids, types, hw_ids)
        wanted = None if listed is None else {one.hw_id for one in listed}
        listed = [one for one in with_fxs if wanted is None or one.hw_id in wanted]
    assert listed is not None
    return {
        "devices": await _written(
            (
                one
                for one in listed
                if (not types or one.type in types)
                and (not hw_ids or one.hw_id in hw_ids)
            ),
            _device,
        )
    }


async def _get_domains(
    hub: InnovaphoneHub,
    device: Device | None,
    fields: Mapping[str, Any],
    context: Context,
) -> ServiceResponse:
    """List the domains that the login may see."""
    domains = await hub.async_ask(lambda connection: connection.domains())
    return {"domains": await _written(domains, _domain)}


async def _get_provisioning_categories(
    hub: InnovaphoneHub,
    device: Device | None,
    fields: Mapping[str, Any],
    context: Context,
) -> ServiceResponse:
    """List the categories that a provisioning code can be made for."""
    categories = await hub.async_ask(
        lambda connection: connection.provisioning_categories(
            fields.get("type"), domain_id=fields.get("domain_id")
        )
    )
    return {"categories": await _written(categories, _category)}


async def _get_provisioning_code(
    hub: InnovaphoneHub,
    device: Device | None,
    fields: Mapping[str, Any],
    context: Context,
) -> ServiceResponse:
    """Have a provisioning code made."""
    made = await hub.async_provisioning_code(
        fields["category"],
        domain_id=fields.get("domain_id"),
        sip=fields.get("sip"),
        rollout=fields["rollout"],
        administrative=fields["administrative"],
    )
    until = made.valid_until
    return {
        "code": made.code,
        "valid_until": None if until is None else until.isoformat(),
    }


async def _get_provisioned_device(
    hub: InnovaphoneHub,
    device: Device | None,
    fields: Mapping[str, Any],
    context: Context,
) -> ServiceResponse:
    """Tell at which device a code was typed."""
    found = await hub.async_provisioned_device(fields["code"], fields.get("domain_id"))
    return {
        "provisioned": found is not None,
        "device": None if found is None else _device(found),
    }


async def _get_device_configs(
    hub: InnovaphoneHub,
    device: Device | None,
    fields: Mapping[str, Any],
    context: Context,
) -> ServiceResponse:
    """List a domain's configurations, or return one of them whole."""
    domain_id = fields.get("domain_id")
    config_id = fields.get("config_id")
    if config_id is None:
        configs = await hub.async_ask(
            lambda connection: connection.device_configs(domain_id=domain_id)
        )
    else:
        config = await hub.async_ask(
            lambda connection: connection.device_config(config_id, domain_id=domain_id)
        )
        configs = [config]
    return {"configs": await _written(configs, _config)}


async def _device_request(
    hub: InnovaphoneHub,
    device: Device | None,
    fields: Mapping[str, Any],
    context: Context,
) -> ServiceResponse:
    """Have a device's own web server answer a request."""
    assert device is not None
    body = fields.get("body")
    if body is not None and fields["method"] != "POST":
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="body_without_post"
        )
    reply = await hub.async_pass_through(device, fields["method"], fields["path"], body)
    return {
        "status": reply.status,
        "content_type": reply.content_type,
        "body": reply.body,
    }


async def _written[ObjectT](
    objects: Iterable[ObjectT], write: Callable[[ObjectT], JsonObjectType]
) -> list[JsonValueType]:
    """Return objects as an answer has them; there may be thousands."""
    breather = Breather()
    written: list[JsonValueType] = []
    for one in objects:
        written.append(write(one))
        await breather.breathe()
    return written


def _device(device: DeviceObject) -> dict[str, Any]:
    return {
        "hardware_id": device.hw_id,
        "id": device.id,
        "name": device.name,
        "domain_id": device.domain_id,
        "product": device.product,
        "version": device.version,
        "device_type": device.type,
        "online": device.online,
        "pbx_active": device.pbx_active,
        "rental_licenses": device.rental_licenses,
        "third_party": device.third_party,
        "interfaces": [one._asdict() for one in device.interfaces],
    }


def _category(category: Category) -> dict[str, Any]:
    return category._asdict()


def _domain(domain: Domain) -> dict[str, Any]:
    return {
        **domain._asdict(),
        "categories": [_category(one) for one in domain.categories],
    }


def _config(config: DeviceConfig) -> dict[str, Any]:
    return {
        "id": config.id,
        "domain_id": config.domain_id,
        "description": config.description,
        "type": config.type,
        "categories": [_category(one) for one in config.categories],
        "settings": dict(config.settings),
    }


ACTIONS = (
    Action(
        name="get_devices",
        target="entry",
        fields={
            vol.Optional("types", default=[]): _list_of(_TYPE),
            vol.Optional("hardware_ids", default=[]): _list_of(_LISTED),
            vol.Optional("categories", default=[]): _list_of(_LISTED),
            vol.Optional("domain_ids", default=[]): _list_of(_NUMBER),
            vol.Optional("unassigned", default=False): cv.boolean,
            vol.Optional("only_fxs", default=False): cv.boolean,
        },
        run=_get_devices,
        response=SupportsResponse.ONLY,
        policy=POLICY_READ,
    ),
    Action(
        name="get_domains",
        target="entry",
        fields={},
        run=_get_domains,
        response=SupportsResponse.ONLY,
        policy=POLICY_READ,
    ),
    Action(
        name="get_provisioning_categories",
        target="entry",
        fields={
            vol.Optional("type"): _TYPE,
            vol.Optional("domain_id"): _NUMBER,
        },
        run=_get_provisioning_categories,
        response=SupportsResponse.ONLY,
        policy=POLICY_READ,
    ),
    Action(
        name="get_provisioning_code",
        target="entry",
        fields={
            vol.Required("category"): _TEXT,
            vol.Optional("sip"): _TEXT,
            vol.Optional("rollout", default=False): cv.boolean,
            vol.Optional("administrative", default=False): cv.boolean,
            vol.Optional("domain_id"): _NUMBER,
        },
        run=_get_provisioning_code,
        response=SupportsResponse.ONLY,
    ),
    Action(
        name="get_provisioned_device",
        target="entry",
        fields={
            vol.Required("code"): _TEXT,
            vol.Optional("domain_id"): _NUMBER,
        },
        run=_get_provisioned_device,
        response=SupportsResponse.ONLY,
        policy=POLICY_READ,
    ),
    Action(
        name="get_device_configs",
        target="entry",
        fields={
            vol.Optional("domain_id"): _NUMBER,
            vol.Optional("config_id"): _NUMBER,
        },
        run=_get_device_configs,
        response=SupportsResponse.ONLY,
        policy=POLICY_READ,
    ),
    Action(
        name="device_request",
        target="device",
        kind=DEVICE,
        fields={
            vol.Optional("method", default="GET"): vol.All(
                cv.string, vol.Upper, vol.In(["GET", "POST"])
            ),
            vol.Required("path"): vol.All(cv.string, vol.Length(1, MAX_PATH)),
            vol.Optional("body"): vol.All(cv.string, vol.Length(0, MAX_BODY)),
        },
        run=_device_request,
        response=SupportsResponse.ONLY,
        admin=True,
    ),
)

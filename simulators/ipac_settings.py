"""The settings of an IPAC 500, as it sends them to ASM.

The release note shows only that they are two INI texts in Base64, which begin with
`[Firmware…` and `[audio`, and that a request with both is about 8 KB long. The names in
here are invented; what matters is that codes and passwords are among the values.
"""

from collections.abc import Mapping, Sequence

PRODUCT = "IPAC50021"
FIRMWARE = "1.72"
CONTACTS = 40
TIME_SLOTS = 5
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ACCOUNTS = 4
SIP_PASSWORD = "demo-sip-password"

type Section = Mapping[str, str]


def write_conf_user(
    object_id: str, codes: Mapping[int, Sequence[str]], contacts: Mapping[str, str]
) -> str:
    """Return the settings of users.

    Args:
        object_id: The station's serial number.
        codes: Common codes by relay.
        contacts: Numbers by index.
    """
    sections: dict[str, Section] = {
        "Firmware": {"version": FIRMWARE, "product": PRODUCT, "serial": object_id},
        "Station": {"language": "fr", "volume": "6", "search_timer": "30"},
    }
    for number, some in codes.items():
        sections[f"Relay{number}"] = {
            "type": "NO",
            "hold": "5",
            "activation": "distant",
            **{f"code{place}": code for place, code in enumerate(some, 1)},
        }
    for index in range(1, CONTACTS + 1):
        sections[f"Contact{index:03}"] = {
            "last_name": f"Resident {index}",
            "first_name": "Invented",
            "number1": contacts.get(str(index), f"sip:192.0.2.{100 + index}"),
            "time_slot": "0",
            "priority": "0",
        }
    for slot in range(1, TIME_SLOTS + 1):
        sections[f"TimeSlot{slot}"] = {"name": "", **dict.fromkeys(DAYS, "F" * 24)}
    return _write(sections)


def write_conf_sip(object_id: str) -> str:
    """Return the settings of telephony.

    Args:
        object_id: The station's serial number.
    """
    sections: dict[str, Section] = {
        "audio": {"speaker": "70", "microphone": "60", "echo_cancel": "1"},
        "codecs": {"audio": "PCMA,PCMU,G722", "video": "H264"},
    }
    for account in range(1, ACCOUNTS + 1):
        sections[f"account{account}"] = {
            "enabled": "1" if account == 1 else "0",
            "user": f"{object_id}-{account}",
            "password": SIP_PASSWORD,
            "proxy": "192.0.2.10",
            "port": "5060",
            "expires": "3600",
        }
    sections["rtp"] = {"first_port": "7078", "last_port": "8000"}
    return _write(sections)


def _write(sections: Mapping[str, Section]) -> str:
    """Return sections as an INI text."""
    return "\n".join(
        f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in section.items())
        for name, section in sections.items()
    )

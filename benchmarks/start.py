"""The start: import and set-up of an entry ÷ those of core's UniFi Access."""

from simulators.innovaphone import Innovaphone

from .console import console
from .innovaphone import entry_of
from .rounds import Row, compare
from .stopwatch import Entry, measure

# Nine entities each.
DEVICES = 5
DOORS = 1


async def run(*, rounds: int, stretches: int) -> list[Row]:
    """Measure both in processes of their own, over TLS to servers on loopback.

    What counts is the CPU time of the process from the moment at which the entry is
    added to a Home Assistant that has started, until it is set up.
    """
    async with (
        Innovaphone(devices=DEVICES, tls=True) as service,
        console(DOORS) as port,
    ):
        ours = entry_of(service)
        theirs = Entry(
            "unifi_access",
            "UniFi Access",
            {
                "host": f"127.0.0.1:{port}",
                "api_token": "invented",
                "verify_ssl": False,
            },
        )

        async def gatehouse() -> float:
            return (await measure(ours)).cpu

        async def unifi_access() -> float:
            return (await measure(theirs)).cpu

        row = await compare(
            "Start: import and set-up ÷ core's unifi_access",
            gatehouse,
            unifi_access,
            mark=1.0,
            rounds=rounds,
            higher_is_better=False,
            # Single starts lie up to a third apart.
            stretches=stretches,
        )
    return [row]

"""SenseLink servers that push records as fast as they can be written.

Run as a process of its own: `python -m benchmarks.terminals COUNT` starts two
servers with so many terminals, and prints their ports. Each line that it is given,
`0 300`, has the server of that number push so many records, of its terminals in turn.
"""

import asyncio
import itertools
import json
import sys
import time

from simulators import senselink_frames as frames
from simulators.senselink import SenseLink
from simulators.senselink_frames import DEFAULT_GROUP, RECORD, Frame, Person, Terminal

SERVERS = 2


def make_terminals(count: int) -> list[Terminal]:
    """Return so many terminals, which look like real ones."""
    return [
        Terminal(f"SPSP-{number:032x}", f"Terminal {number}", "", 1, number)
        for number in range(count)
    ]


def record(server: SenseLink, terminal: int, number: int) -> Frame:
    """Return a record of somebody who has not been there before."""
    person = Person(number, f"Person {number}", groups=(DEFAULT_GROUP,))
    data = frames.record(
        record_id=number,
        terminal=server.terminals[terminal],
        person=person,
        at=time.time(),
        zone=server.zone,
        score=0.963,
    )
    return frames.push(RECORD, data | frames.extras(person))


async def main(count: int) -> None:
    """Serve until there are no more orders."""
    # No heartbeats, which would come in between.
    servers = [
        SenseLink(terminals=make_terminals(count), heartbeat=None)
        for _ in range(SERVERS)
    ]
    for server in servers:
        await server.start()
    print(*(server.host.rpartition(":")[2] for server in servers), flush=True)
    numbers = itertools.count(1)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        which, records = (int(word) for word in line.split())
        server = servers[which]
        # They are ready before the first one goes.
        ready = [
            json.dumps(record(server, number % count, next(numbers)))
            for number in range(records)
        ]
        for message in ready:
            await server.push_raw(message)
    for server in servers:
        await server.stop()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))

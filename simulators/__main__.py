"""Run one stand-in, or without a name the whole neighbourhood.

python -m simulators the_keys --port 8301
python -m simulators tellicon --url http://127.0.0.1:8123/eventTellicon --token …
python -m simulators --control-port 8300 --the-keys-port 8301
"""

import argparse
import asyncio
from collections.abc import Sequence
import signal
import sys

from .innovaphone_neighbour import InnovaphoneNeighbour
from .ipac_neighbour import IpacNeighbour
from .neighbour import Neighbour
from .senselink_neighbour import SenseLinkNeighbour
from .street import Street
from .tellicon_neighbour import TelliconNeighbour
from .the_keys_neighbour import TheKeysNeighbour

NEIGHBOURS: tuple[type[Neighbour], ...] = (
    TheKeysNeighbour,
    TelliconNeighbour,
    IpacNeighbour,
    SenseLinkNeighbour,
    InnovaphoneNeighbour,
)


def add_options(
    parser: argparse.ArgumentParser, kind: type[Neighbour], prefix: str = ""
) -> None:
    """Add a stand-in's options to a parser; with a prefix, none is required."""
    for option in kind.options:
        parser.add_argument(
            f"--{prefix}{option.name.replace('_', '-')}",
            dest=f"{kind.name}.{option.name}",
            metavar=option.name.upper(),
            type=option.kind,
            default=option.default,
            required=option.required and not prefix,
            choices=option.choices or None,
            help=option.help,
        )


def make_neighbour(kind: type[Neighbour], arguments: argparse.Namespace) -> Neighbour:
    """Return a stand-in as the command line wants it."""
    return kind(
        **{
            option.name: getattr(arguments, f"{kind.name}.{option.name}")
            for option in kind.options
        }
    )


def parse(arguments: Sequence[str]) -> Neighbour | Street:
    """Return what the command line asks for, not yet started."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators",
        description="Run stand-ins for the devices that Gatehouse talks to.",
    )
    parser.add_argument(
        "--control-port", type=int, default=8300, help="port of the control page"
    )
    alone = parser.add_subparsers(dest="alone", title="one stand-in alone")
    for kind in NEIGHBOURS:
        add_options(parser, kind, f"{kind.name.replace('_', '-')}-")
        add_options(alone.add_parser(kind.name, help=kind.__doc__), kind)
    parsed = parser.parse_args(arguments)
    neighbours = [
        make_neighbour(kind, parsed)
        for kind in NEIGHBOURS
        if parsed.alone in {None, kind.name}
    ]
    if parsed.alone is not None:
        return neighbours[0]
    return Street(neighbours, parsed.control_port)


async def run(runnable: Neighbour | Street) -> None:
    """Run until asked to end by SIGTERM or SIGINT."""
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    async with runnable:
        print(runnable.describe(), flush=True)
        await end.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for, and return the exit code."""
    runnable = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        asyncio.run(run(runnable))
    except OSError as error:
        print(error.strerror or error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Sends prepared requests to two addresses in turn, as fast as they are answered.

Run as a process of its own, so that it does not take the server's time:
`python -m benchmarks.load PORT ROUNDS COUNT CONNECTIONS NAME:VALUE PATH PATH` prints the
requests per second at either path, a line for each round. Every request holds another
event, or repetitions would be recognised. Bare sockets, for what takes longer than the
server would be all that is measured.

A round changes from one address to the other every hundred requests, many times a
second, and takes the median of these stretches: what else the machine does meets both
alike, and a stretch that it has interrupted does not count.
"""

from collections.abc import Iterator
import itertools
import selectors
import socket
from statistics import median
import sys
import time

STRETCH = 100


class Connection:
    """Sends one request after the other, each when the one before is answered."""

    def __init__(self, port: int) -> None:
        """Connect; nothing is sent."""
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self._received = b""

    def receive(self) -> bool:
        """Take what has come; return whether the answer is complete.

        Raises:
            RuntimeError: it is not 200, or the other side has hung up.

        """
        chunk = self.socket.recv(65536)
        self._received += chunk
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not chunk or (found and not head.startswith(b"HTTP/1.1 200")):
            raise RuntimeError(self._received.decode())
        if not found:
            return False
        _, _, rest = head.lower().partition(b"content-length:")
        if len(body) < int(rest.partition(b"\r\n")[0]):
            return False
        self._received = b""
        return True


def requests(path: str, header: str) -> Iterator[bytes]:
    """Return requests without end, each with another ring, of a hundred units."""
    start = int(time.time())
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{header.replace(':', ': ', 1)}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
    for number in itertools.count():
        body = (
            b'{"eventTellicon":{"type":"pushCall","src":"%d","client":505,"building":1,'
            b'"apt":%d,"eventDateTime":%d}}' % (number, number % 100, start)
        )
        yield b"%s%d\r\n\r\n%s" % (head, len(body), body)


class Load:
    """Some connections, all of which wait for answers all the time."""

    def __init__(self, port: int, connections: int) -> None:
        """Connect."""
        self._selector = selectors.DefaultSelector()
        self._connections = [Connection(port) for _ in range(connections)]
        for one in self._connections:
            self._selector.register(one.socket, selectors.EVENT_READ, one)

    def send(self, some: list[bytes]) -> float:
        """Send requests, and return the seconds until all are dealt with.

        The last one goes when all others are answered: what the server does after it has
        answered them comes before it, and not in somebody else's time.
        """
        start = time.perf_counter()
        self._send(some[:-1])
        self._send(some[-1:])
        return time.perf_counter() - start

    def _send(self, some: list[bytes]) -> None:
        """Send requests, and wait until all are answered."""
        waiting = iter(some)
        unanswered = len(some)
        for one, first in zip(self._connections, waiting, strict=False):
            one.socket.sendall(first)
        while unanswered:
            for key, _ in self._selector.select():
                one = key.data
                if one.receive():
                    unanswered -= 1
                    if (request := next(waiting, None)) is not None:
                        one.socket.sendall(request)


def main(
    port: int, rounds: int, count: int, connections: int, header: str, paths: list[str]
) -> None:
    """Print how many a second were answered in each round, at either path."""
    load = Load(port, connections)
    ready = {path: requests(path, header) for path in paths}
    # The first round only warms the server up.
    for number in range(rounds + 1):
        taken: dict[str, list[float]] = {path: [] for path in paths}
        for _ in range(count // STRETCH):
            for path, source in ready.items():
                taken[path].append(load.send(list(itertools.islice(source, STRETCH))))
        if number:
            print(*(STRETCH / median(taken[path]) for path in paths))


if __name__ == "__main__":
    main(
        int(sys.argv[1]),
        int(sys.argv[2]),
        int(sys.argv[3]),
        int(sys.argv[4]),
        sys.argv[5],
        sys.argv[6:],
    )

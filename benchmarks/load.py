"""Sends prepared requests over keep-alive connections, as fast as they are answered.

Run as a process of its own, so that it does not take the server's time:
`python -m benchmarks.load PORT PATH COUNT CONNECTIONS NAME:VALUE …` prints the requests
per second. Every request holds another event, or repetitions would be recognised. Bare
sockets, for what takes longer than the server would be all that is measured.
"""

from collections.abc import Iterator
import selectors
import socket
import sys
import time


def bodies(count: int) -> list[bytes]:
    """Return that many different rings, of a hundred units."""
    start = int(time.time())
    return [
        b'{"eventTellicon":{"type":"pushCall","src":"%d","client":505,"building":1,'
        b'"apt":%d,"eventDateTime":%d}}' % (number, number % 100, start)
        for number in range(count)
    ]


class Connection:
    """Sends one request after the other, each when the one before is answered."""

    def __init__(self, port: int, requests: Iterator[bytes]) -> None:
        """Connect; nothing is sent."""
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self._requests = requests
        self._received = b""

    def send(self) -> bool:
        """Send the next request; return whether there was one."""
        request = next(self._requests, None)
        if request is None:
            return False
        self.socket.sendall(request)
        return True

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


def main(
    port: int, path: str, count: int, connections: int, headers: list[str]
) -> None:
    """Send all, and print how many a second were answered."""
    lines = "".join(f"{header.replace(':', ': ', 1)}\r\n" for header in headers)
    requests = iter(
        [
            (
                f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            ).encode()
            + body
            for body in bodies(count)
        ]
    )
    with selectors.DefaultSelector() as selector:
        start = time.perf_counter()
        for _ in range(connections):
            connection = Connection(port, requests)
            connection.send()
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        while selector.get_map():
            for key, _ in selector.select():
                one: Connection = key.data
                if one.receive() and not one.send():
                    selector.unregister(one.socket)
                    one.socket.close()
        print(count / (time.perf_counter() - start))


if __name__ == "__main__":
    main(
        int(sys.argv[1]),
        sys.argv[2],
        int(sys.argv[3]),
        int(sys.argv[4]),
        sys.argv[5:],
    )

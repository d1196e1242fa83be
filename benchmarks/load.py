"""Sends prepared requests over keep-alive connections, as fast as they are answered.

Run as a process of its own, so that it does not take the server's time:
`python -m benchmarks.load PORT PATH COUNT CONNECTIONS NAME:VALUE …` prints the requests
per second. Every request holds another event, or repetitions would be recognised.
"""

import asyncio
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


async def send(port: int, requests: list[bytes]) -> None:
    """Send requests one after the other over one connection.

    Raises:
        RuntimeError: one was not answered with 200.

    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        lower = head.lower()
        start = lower.index(b"content-length:") + 15
        await reader.readexactly(int(lower[start : lower.index(b"\r\n", start)]))
    writer.close()


async def main(
    port: int, path: str, count: int, connections: int, headers: list[str]
) -> None:
    """Send all, and print how many a second were answered."""
    lines = "".join(f"{header.replace(':', ': ', 1)}\r\n" for header in headers)
    requests = [
        (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        + body
        for body in bodies(count)
    ]
    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(connections):
            group.create_task(send(port, requests[number::connections]))
    print(count / (time.perf_counter() - start))


if __name__ == "__main__":
    asyncio.run(
        main(
            int(sys.argv[1]),
            sys.argv[2],
            int(sys.argv[3]),
            int(sys.argv[4]),
            sys.argv[5:],
        )
    )

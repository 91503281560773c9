"""A lean HTTP/1.1 client: it must cost less than what it measures."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Measured:
    """What came of a run: how many answers of each status, how long each took (seconds), and all together."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Return the latency (seconds) that `share` of the requests stayed below."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def request(port: int, path: str, body: bytes, headers: dict[str, str], method: str = "POST") -> bytes:
    """Return the bytes of one request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def run(port: int, requests: Sequence[bytes], connections: int) -> Measured:
    """Send every request once over `connections` kept-alive connections."""
    measured = Measured()
    queue = iter(requests)
    begun = time.perf_counter()
    await asyncio.gather(*(_connection(port, lambda: next(queue, None), measured) for _ in range(connections)))
    measured.seconds = time.perf_counter() - begun
    return measured


async def answer_of(port: int, message: bytes) -> bytes:
    """Send one request, and return the body of its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(message)
    _, body = await _read(reader)
    writer.close()
    return body


async def _connection(port: int, take: Callable[[], bytes | None], measured: Measured) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (message := take()) is not None:
        begun = time.perf_counter()
        writer.write(message)
        status, _ = await _read(reader)
        measured.latencies.append(time.perf_counter() - begun)
        measured.statuses[status] = measured.statuses.get(status, 0) + 1
    writer.close()


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return int(head[9:12]), await reader.readexactly(length)

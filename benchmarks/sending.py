"""`python -m benchmarks.sending`: ten thousand due mails through one worker, beside a bare aiosmtplib loop.

Both send to the same server over as many connections; the loop has its mails ready and writes nothing down.
"""

import argparse
import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

import aiosmtplib

from benchmarks.faults import dying
from benchmarks.faults.sink import Sink
from benchmarks.faults.stage import Crew, Stage, crowd, stage
from benchmarks.report import Figure, table

MAILS: Final = 10_000
CONNECTIONS: Final = 10
TENANTS: Final = 1
WARM: Final = 0.1
"""The share of the mails that go before the clock starts: a worker first has to start."""
MAIL: Final = (
    "From: talent@example.co.jp\r\nTo: {to}\r\nSubject: hello\r\nMessage-ID: <{n}@example.co.jp>\r\n"
    'Content-Type: text/html; charset="utf-8"\r\n\r\n' + "<p>The next meeting of engineers.</p>\r\n" * 60
)


async def bare(sink: Sink, mails: int, connections: int) -> float:
    """Return how many mails a second a bare loop sends."""
    waiting = deque((f"p{n}@example.com", MAIL.format(to=f"p{n}@example.com", n=n)) for n in range(mails))

    async def lane() -> None:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=sink.port, start_tls=False)
        await client.connect()
        while waiting:
            to, mail = waiting.popleft()
            await client.sendmail("talent@example.co.jp", [to], mail)
        await client.quit()

    begun = time.perf_counter()
    await asyncio.gather(*(lane() for _ in range(connections)))
    return mails / (time.perf_counter() - begun)


async def ours(place: Stage, sink: Sink, mails: int, lanes: Sequence[int]) -> float:
    """Return how many due mails a second workers with so many lanes send."""
    await crowd(place, mails)
    rest = mails - mails // 20
    crew = Crew(dying.work, {**place.environment, "SMTP_URL": sink.url})
    before = sink.count()
    try:
        for each in lanes:
            crew.hire("", "", 0, each)
        while sink.count() - before < WARM * mails:
            await asyncio.sleep(0.01)
        begun, warm = time.perf_counter(), sink.count() - before
        while sink.count() - before < rest:
            await asyncio.sleep(0.05)
        return (rest - warm) / (time.perf_counter() - begun)
    finally:
        crew.dismiss()


async def sending(place: Stage, mails: int = MAILS, connections: int = CONNECTIONS) -> list[Figure]:
    """Measure one worker, and two that share the connections, beside the bare loop."""
    sink = Sink(place.folder)
    try:
        await asyncio.sleep(1)
        yardstick = await bare(sink, mails, connections)
        one = await ours(place, sink, mails, [connections])
        two = await ours(place, sink, mails, [connections // 2] * 2)
    finally:
        sink.close()
    title = f"sending {mails:,} due mails over {connections} connections"
    return [
        Figure(f"{title}, 1 worker", one, "mails/s", yardstick, "≥ 0.6"),
        Figure(f"{title}, 2 workers", two, "mails/s", yardstick, "≥ 0.6"),
    ]


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mails", type=int, default=MAILS)
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    asked = parser.parse_args()
    with stage(is_durable=True) as place:
        table(asyncio.run(sending(place, asked.mails, asked.connections)))


if __name__ == "__main__":
    main()

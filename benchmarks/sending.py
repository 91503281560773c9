"""`python -m benchmarks.sending`: ten thousand due mails through one worker, beside a bare aiosmtplib loop.

Both send to the same server over as many connections. The loop does what any mail needs: it makes each its own MIME
message, of a text and an HTML part, and sends it by `send_message`; it asks nobody and writes nothing down. A loop
whose bytes were ready before the clock started is shown too: the ceiling of the library and the server.
"""

import argparse
import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import partial
from typing import Final

import aiosmtplib

from app.kit.clock import now
from benchmarks.faults import dying
from benchmarks.faults.sink import Sink
from benchmarks.faults.stage import Crew, Stage, crowd, stage
from benchmarks.report import Figure, table

MAILS: Final = 10_000
CONNECTIONS: Final = 40
WARM: Final = 0.1
"""The share of the mails that go before the clock starts: a worker first has to start."""
LINES: Final = 10
SENDER: Final = "talent@example.co.jp"
Made = Callable[[], tuple[str, EmailMessage | bytes]]
"""Makes one mail when it is its turn; answers to whom it goes."""


def mime(n: int) -> tuple[str, EmailMessage]:
    """Make the `n`-th mail, as a loop that knows its reader would."""
    mail, to = EmailMessage(), f"p{n}@example.com"
    mail["From"], mail["To"], mail["Subject"] = SENDER, to, f"hello {n}"
    mail["Message-ID"], mail["Date"] = f"<{n}@example.co.jp>", format_datetime(now())
    mail.set_content(f"The next meeting of engineers, {n}.\n" * LINES)
    mail.add_alternative(f"<p>The next meeting of engineers, {n}.</p>\n" * LINES, subtype="html")
    return to, mail


def ready(n: int) -> Made:
    """Make the `n`-th mail now, so that nothing is left to do later."""
    to, mail = mime(n)
    made = to, mail.as_bytes(policy=SMTP)
    return lambda: made


async def bare(sink: Sink, mails: Iterable[Made], connections: int) -> float:
    """Return how many mails a second a bare loop sends."""
    waiting = deque(mails)
    count = len(waiting)

    async def lane() -> None:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=sink.port, start_tls=False)
        await client.connect()
        while waiting:
            to, mail = waiting.popleft()()
            if isinstance(mail, bytes):
                await client.sendmail(SENDER, [to], mail)
            else:
                await client.send_message(mail)
        await client.quit()

    begun = time.perf_counter()
    await asyncio.gather(*(lane() for _ in range(connections)))
    return count / (time.perf_counter() - begun)


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


async def sending(place: Stage, mails: int, connections: int) -> list[Figure]:
    """Measure one worker, and two that share the connections, beside the bare loop."""
    sink = Sink(place.folder)
    try:
        await asyncio.sleep(1)
        ceiling = await bare(sink, [ready(n) for n in range(mails)], connections)
        yardstick = await bare(sink, [partial(mime, n) for n in range(mails)], connections)
        one = await ours(place, sink, mails, [connections])
        two = await ours(place, sink, mails, [connections // 2] * 2)
    finally:
        sink.close()
    title = f"sending {mails:,} due mails over {connections} connections"
    return [
        Figure(f"{title}, 1 worker", one, "mails/s", yardstick, "≥ 0.6"),
        Figure(f"{title}, 2 workers", two, "mails/s", yardstick, "≥ 0.6"),
        Figure(f"{title}, 1 worker beside ready bytes", one, "mails/s", ceiling),
    ]


def measure(mails: int = MAILS, connections: int = CONNECTIONS) -> list[Figure]:
    """Measure on a database of its own, which keeps what it is told."""
    with stage(is_durable=True) as place:
        return asyncio.run(sending(place, mails, connections))


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mails", type=int, default=MAILS)
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    asked = parser.parse_args()
    table(measure(asked.mails, asked.connections))


if __name__ == "__main__":
    main()

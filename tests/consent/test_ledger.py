"""The law of the ledger."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.consent.ledger import Statement, lifted_at, standings, state

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(hours: int) -> datetime:
    return START + timedelta(hours=hours)


@st.composite
def statements(draw: st.DrawFn) -> list[Statement]:
    numbers = draw(st.lists(st.integers(0, 6), max_size=8))
    return [
        Statement(
            UUID(int=place),
            draw(st.sampled_from(["talent_pool", "events"])),
            draw(st.sampled_from(["email", "sms"])),
            "withdrawn" if draw(st.booleans()) else "granted",
            draw(st.sampled_from(["consent", "existing_dealings"])),
            at(hours),
            draw(st.none() | st.integers(0, 12).map(at)),
            lift_suppression=draw(st.booleans()),
        )
        for place, hours in enumerate(numbers)
    ]


@given(statements(), st.integers(0, 12).map(at), st.randoms())
def test_the_order_of_arrival_does_not_matter(known: list[Statement], moment: datetime, random: Random) -> None:
    shuffled = list(known)
    random.shuffle(shuffled)
    assert standings(shuffled, moment) == standings(known, moment)
    assert lifted_at(shuffled, "email") == lifted_at(known, "email")


@given(statements(), st.integers(0, 12).map(at))
def test_the_newest_wins_and_a_withdrawal_wins_a_tie(known: list[Statement], moment: datetime) -> None:
    own = [each for each in known if (each.purpose, each.channel) == ("events", "email")]
    found = state(known, "events", "email", moment)
    if not own:
        assert found.standing == "missing"
        return
    newest = max(each.obtained_at for each in own)
    decisive = [each for each in own if each.obtained_at == newest]
    assert found.statement in decisive
    if any(each.status == "withdrawn" for each in decisive):
        assert found.standing == "withdrawn"
    else:
        assert found.statement == decisive[-1], "of equal grants the one recorded last"
        expiry = decisive[-1].expires_at
        assert found.standing == ("expired" if expiry is not None and expiry <= moment else "granted")


@given(statements(), st.integers(0, 12).map(at))
def test_a_withdrawal_as_of_now_always_ends_the_permission(known: list[Statement], moment: datetime) -> None:
    last = Statement(UUID(int=99), "events", "email", "withdrawn", None, at(12))
    assert state([*known, last], "events", "email", moment).standing == "withdrawn"
    assert state([*known, last], "talent_pool", "email", moment) == state(known, "talent_pool", "email", moment)


def test_expiry_is_the_first_moment_that_is_not_permitted() -> None:
    grant = Statement(UUID(int=1), "events", "email", "granted", "consent", at(0), at(2))
    assert state([grant], "events", "email", at(2) - timedelta(microseconds=1)).standing == "granted"
    assert state([grant], "events", "email", at(2)).standing == "expired"


@given(statements())
def test_only_the_persons_own_consent_lifts(known: list[Statement]) -> None:
    lifting = [
        each.obtained_at
        for each in known
        if each.channel == "sms" and each.lift_suppression and each.status == "granted" and each.basis == "consent"
    ]
    assert lifted_at(known, "sms") == max(lifting, default=None)

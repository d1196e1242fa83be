"""How a soak is judged: what is flat, what was told once, and what moved twice."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from demo.home_assistant import Change
from soak.judgement import Limit, judge
from soak.ledger import Ledger, Order, Outcome
from soak.plot import Line, Panel, draw, ticks

LIMIT = Limit(at_least=3)

TIMES = [10.0 * number for number in range(100)]

DOORBELL = "event.doorbell"
RING = Change(
    DOORBELL,
    "2026-11-21T09:15:25.095+00:00",
    {"event_type": "ring", "caller": "100001"},
)


def test_what_wavers_is_flat() -> None:
    values = [200 + number % 7 for number in range(100)]
    assert judge(TIMES, values, LIMIT, warm_up=0).flat


def test_what_grows_slowly_is_not_flat() -> None:
    # One more every 200 seconds, beneath twice as much noise.
    values = [200 + number // 20 + number % 3 for number in range(100)]
    verdict = judge(TIMES, values, LIMIT, warm_up=0)
    assert verdict.rise == pytest.approx(5, abs=1)
    assert not verdict.flat


def test_single_outages_do_not_turn_the_line() -> None:
    values = [200.0] * 100
    values[-15:-5] = [260.0] * 10
    assert judge(TIMES, values, LIMIT, warm_up=0).rise == 0


def test_the_warm_up_does_not_count() -> None:
    values = [min(number, 60) * 10.0 for number in range(100)]
    assert not judge(TIMES, values, LIMIT, warm_up=0).flat
    verdict = judge(TIMES, values, LIMIT, warm_up=600)
    assert (verdict.flat, verdict.first, verdict.last) == (True, 600, 600)


def test_what_falls_is_flat() -> None:
    assert judge(TIMES, [-at for at in TIMES], LIMIT, warm_up=0).flat


def test_a_share_of_much_is_more() -> None:
    assert Limit(share=0.05, at_least=3).of(1000) == 50
    assert Limit(share=0.05, at_least=3).of(10) == 3


def test_nothing_is_left_to_judge() -> None:
    with pytest.raises(ValueError, match="nothing to judge"):
        judge(TIMES, TIMES, LIMIT, warm_up=980)


@pytest.mark.parametrize(
    ("changes", "lost", "doubled"),
    [
        ([RING], 0, 0),
        ([], 1, 0),
        ([replace(RING, entity_id="event.other")], 1, 0),
        ([replace(RING, attributes={"event_type": "ended", "caller": "100001"})], 1, 0),
        ([RING, replace(RING, state="2026-11-21T09:15:26.000+00:00")], 0, 1),
        # It was unavailable meanwhile, and shows its last event again.
        ([RING, replace(RING, state="unavailable", attributes={}), RING], 0, 0),
    ],
)
def test_events_are_told_once(changes: list[Change], lost: int, doubled: int) -> None:
    ledger = Ledger()
    ledger.accept("Tellicon", DOORBELL, "100001", event_type="ring")
    account = ledger.accounts(changes)["Tellicon"]
    assert account.accepted == 1
    assert (len(account.lost), len(account.doubled)) == (lost, doubled)
    assert account.balanced is (lost + doubled == 0)


@pytest.mark.parametrize(
    ("outcome", "moved", "wrong"),
    [
        (Outcome.DONE, 1, False),
        (Outcome.DONE, 0, True),
        (Outcome.DONE, 2, True),
        (Outcome.FAILED, 0, False),
        # Nobody knew, and it has moved.
        (Outcome.FAILED, 1, False),
        (Outcome.FAILED, 2, True),
    ],
)
def test_orders_move_a_door_once(outcome: Outcome, moved: int, wrong: bool) -> None:
    assert Order("Front door", outcome, moved).wrong is wrong


@pytest.mark.parametrize(
    ("lowest", "highest", "expected"),
    [
        (0, 60, [0, 20, 40, 60]),
        (0, 41, [0, 20, 40, 60]),
        (0, 1, [0, 0.5, 1]),
        (251, 262, [250, 255, 260, 265]),
        (5, 5, [5, 5.5]),
    ],
)
def test_marks_are_round(lowest: float, highest: float, expected: list[float]) -> None:
    assert ticks(lowest, highest) == pytest.approx(expected)


def test_a_plot_is_whole() -> None:
    values = [250.0 + number % 3 for number in range(100)]
    panels = [
        Panel("Memory <MiB>", [Line("resident", values)]),
        Panel("Open files", [Line("all", values), Line("sockets", values)]),
    ]
    root = ElementTree.fromstring(draw(panels, TIMES, 250, "A soak & its warm-up"))
    space = "{http://www.w3.org/2000/svg}"
    lines = root.findall(f"{space}polyline")
    assert [len(line.attrib["points"].split()) for line in lines] == [100] * 3
    texts = {text.text for text in root.findall(f"{space}text")}
    assert {"Memory <MiB>", "Open files", "sockets", "300", "20 min"} <= texts
    assert root.findtext(f"{space}title") == "A soak & its warm-up"

"""What people say about experiments, held against what the data say."""

import pytest

from experiment_tracker_tools.analysis.claims import Claim, Judged, judge_claim, read_claim
from experiment_tracker_tools.domain.decision import Estimate
from experiment_tracker_tools.domain.metric import Metric

TIME = Metric(name="time", role="primary", kind="duration", direction="decrease", unit="s")
SALES = Metric(name="sales", role="primary", kind="continuous", direction="increase", unit="usd")


def estimate(lift: float | None, low: float | None, high: float | None) -> Estimate:
    return Estimate(
        metric="time",
        treatment="treatment",
        test="Welch's t",
        n_control=20,
        n_treatment=20,
        lift=lift,
        lift_low=low,
        lift_high=high,
        confidence=0.95,
    )


@pytest.mark.parametrize(
    ("claim", "metric", "read"),
    [
        ("the new prompt is 20% faster", TIME, Claim(-1, 0.2, "about")),
        ("at least 12.5 percent slower", TIME, Claim(1, 0.125, "least")),
        ("it cuts time by more than 10%", TIME, Claim(-1, 0.1, "least")),
        ("up to 30% cheaper", TIME, Claim(-1, 0.3, "most")),
        ("twice as fast: 2x faster", TIME, Claim(-1, 0.5, "about")),
        ("3 times faster", TIME, Claim(-1, 1 - 1 / 3, "about")),
        ("halves the time", TIME, Claim(-1, 0.5, "about")),
        ("doubles sales", SALES, Claim(1, 1.0, "about")),
        ("the treatment is better", SALES, Claim(1, None, "about")),
        ("the treatment is better", TIME, Claim(-1, None, "about")),
        ("the treatment hurts", SALES, Claim(-1, None, "about")),
        ("makes no difference", TIME, Claim(0, None, "about")),
        ("it is not faster", TIME, Claim(-1, None, "about", denied=True)),
        ("it is nice", TIME, Claim(None, None, "about")),
        ("raises and lowers: higher and lower", TIME, Claim(None, None, "about")),
    ],
)
def test_a_sentence_is_read_for_direction_size_and_bound(claim: str, metric: Metric, read: Claim | None) -> None:
    found = read_claim(claim, metric)
    if read is None:
        assert found.sign is None
    else:
        assert (found.sign, found.bound, found.denied) == (read.sign, read.bound, read.denied)
        assert found.size == pytest.approx(read.size) if read.size is not None else found.size is None


@pytest.mark.parametrize(
    ("claim", "lifts", "confirmed", "judged"),
    [
        ("20% faster", (-0.25, -0.35, -0.15), True, "supported"),
        ("10% faster", (-0.25, -0.35, -0.15), True, "supported"),
        ("50% faster", (-0.25, -0.35, -0.15), True, "contradicted"),
        ("at least 20% faster", (-0.25, -0.35, -0.15), True, "not supported"),
        ("at least 10% faster", (-0.25, -0.35, -0.15), True, "supported"),
        ("at least 40% faster", (-0.25, -0.35, -0.15), True, "contradicted"),
        ("up to 40% faster", (-0.25, -0.35, -0.15), True, "supported"),
        ("up to 10% faster", (-0.25, -0.35, -0.15), True, "contradicted"),
        ("faster", (-0.25, -0.35, -0.15), True, "supported"),
        ("slower", (-0.25, -0.35, -0.15), True, "contradicted"),
        ("faster", (-0.25, -0.35, 0.01), False, "not supported"),
        ("faster", (-0.25, -0.35, -0.15), False, "not supported"),
        ("faster", (None, None, None), True, "not supported"),
        ("no difference", (-0.25, -0.35, -0.15), True, "contradicted"),
        ("no difference", (0.0, -0.01, 0.01), False, "not supported"),
        ("it is nice", (-0.25, -0.35, -0.15), True, "not supported"),
    ],
)
def test_a_claim_is_judged_by_the_interval_and_only_what_is_confirmed_supports(
    claim: str, lifts: tuple[float | None, float | None, float | None], confirmed: bool, judged: Judged
) -> None:
    found = judge_claim(read_claim(claim, TIME), estimate(*lifts), confirmed=confirmed)
    assert found.judged == judged
    assert found.why


SHOWN = (-0.34, -0.40, -0.27)


@pytest.mark.parametrize(
    ("claim", "judged", "why"),
    [
        ("control is faster", "contradicted", "other way"),
        ("control is slower than the treatment", "supported", "this direction"),
        ("the treatment is faster than control", "supported", "this direction"),
        ("control is 40% slower", "not supported", "of the treatment"),
        ("it is not slower", "supported", "other direction"),
        ("it was not faster", "contradicted", "just that"),
        ("not 34% faster", "not supported", "two ways"),
        ("20-40% faster", "supported", "within 20.0% to 40.0%"),
        ("between 30% and 35% faster", "not supported", "not all within"),
        ("50 to 60 percent faster", "contradicted", "outside"),
        ("twice as fast", "contradicted", "below 50.0%"),
        ("a third faster", "supported", "33.3%"),
        ("quicker by more than a quarter", "supported", "begins at 27.0%"),
        ("two thirds faster", "contradicted", "below 66.7%"),
        ("it speeds up the parse by 30 percent", "supported", "30.0%"),
        ("it slows down by 30%", "contradicted", "other way"),
        ("-34%", "supported", "34.0%"),
        ("+34%", "contradicted", "other way"),
        ("a 34% reduction", "supported", "34.0%"),
        ("time down 34%", "supported", "34.0%"),
        ("time is down by 34%", "supported", "34.0%"),
        ("latency is 34% up", "contradicted", "other way"),
        ("up to 50% faster", "supported", "50.0%"),
        ("it increases speed by 34%", "not supported", "about speed"),
        ("throughput fell by 34%", "not supported", "about speed"),
        ("performance improved by 34%", "supported", "34.0%"),
        ("saves 0.3 s per run", "not supported", "no percentage"),
        ("30 percentage points faster", "not supported", "no percentage"),
        ("faster for everyone", "not supported", "average"),
    ],
)
def test_what_people_write_is_judged_by_what_it_says(claim: str, judged: Judged, why: str) -> None:
    found = judge_claim(read_claim(claim, TIME), estimate(*SHOWN), confirmed=True)
    assert (found.judged, why in found.why) == (judged, True), found
    # The control: nothing of it is supported where the plan's test shows nothing.
    assert judge_claim(read_claim(claim, TIME), estimate(*SHOWN), confirmed=False).judged != "supported"


def test_a_control_of_another_name_is_known_by_it() -> None:
    found = judge_claim(
        read_claim("the old prompt is faster", TIME, control="old prompt"), estimate(*SHOWN), confirmed=True
    )
    assert found.judged == "contradicted"

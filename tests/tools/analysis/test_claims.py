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
        ("twice as fast: 2x faster", TIME, None),
        ("3 times faster", TIME, Claim(-1, 1 - 1 / 3, "about")),
        ("halves the time", TIME, Claim(-1, 0.5, "about")),
        ("doubles sales", SALES, Claim(1, 1.0, "about")),
        ("the treatment is better", SALES, Claim(1, None, "about")),
        ("the treatment is better", TIME, Claim(-1, None, "about")),
        ("the treatment hurts", SALES, Claim(-1, None, "about")),
        ("makes no difference", TIME, Claim(0, None, "about")),
        ("it is not faster", TIME, Claim(0, None, "about")),
        ("it is nice", TIME, Claim(None, None, "about")),
        ("raises and lowers: higher and lower", TIME, Claim(None, None, "about")),
    ],
)
def test_a_sentence_is_read_for_direction_size_and_bound(claim: str, metric: Metric, read: Claim | None) -> None:
    found = read_claim(claim, metric)
    if read is None:
        assert found.sign is None
    else:
        assert (found.sign, found.bound) == (read.sign, read.bound)
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

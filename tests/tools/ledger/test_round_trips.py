"""Every model of the domain, and any JSON, comes back from the disk as it went in."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.support.schemas import any_of

from experiment_tracker_tools.domain.base import Model
from experiment_tracker_tools.domain.decision import Decision, Estimate, Look, Promotion, RollBack
from experiment_tracker_tools.domain.experiment import Experiment, Hypothesis, Step
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.trial import Aggregate, Exposure, Ratio, Trial
from experiment_tracker_tools.domain.variant import Capture, CapturedVariant, Subject, Variant
from experiment_tracker_tools.ledger import Batch, Ledger
from experiment_tracker_tools.ledger.contribution import Part, Sums
from experiment_tracker_tools.ledger.frames import (
    Order,
    chain_after,
    digest_holds,
    encoded,
    line_crc,
    next_line,
    read_parts,
    read_records,
    to_line,
)
from experiment_tracker_tools.ledger.journal import JournalFile
from experiment_tracker_tools.ledger.tables import TABLES

ROUGH = [HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much, HealthCheck.too_slow]
QUICK = settings(deadline=None, max_examples=25, suppress_health_check=ROUGH)
AT = datetime(2026, 11, 20, tzinfo=UTC)

finite = st.floats(allow_nan=False, allow_infinity=False)
slugs = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True)
kept_characters = st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"])
texts = st.text(kept_characters, min_size=1, max_size=30).filter(lambda text: bool(text.strip()))
commits = st.from_regex(r"[0-9a-f]{40}", fullmatch=True)
ratios = st.builds(Ratio, numerator=finite, denominator=st.floats(0, 1e9))
values = st.one_of(st.booleans(), finite, ratios)


def possible(build: Callable[..., Model], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Models of a kind; combinations that the model itself refuses are left out."""

    def make(given_fields: dict[str, Any]) -> Model | None:
        try:
            return build(**given_fields)
        except ValidationError:
            return None

    return st.fixed_dictionaries(fields).map(make).filter(lambda model: model is not None)


trials = possible(
    Trial,
    variant=st.sampled_from(["control", "short"]),
    metrics=st.dictionaries(slugs, values, min_size=1, max_size=4),
    unit=st.none(),
    key=st.none(),
    note=st.text(max_size=200),
)
estimates = possible(
    Estimate,
    metric=slugs,
    treatment=slugs,
    test=texts,
    n_control=st.integers(0, 10**9),
    n_treatment=st.integers(0, 10**9),
    effect=st.none() | finite,
    p_value=st.none() | st.floats(0, 1),
    confidence=st.just(0.95),
    safe=st.none() | st.booleans(),
    reason=st.none() | st.text(max_size=50),
)
looks = possible(
    Look,
    units=st.dictionaries(slugs, st.integers(0, 10**9), max_size=3),
    planned=st.integers(2, 10**9),
    standing=st.sampled_from(["interim", "final", "exploratory"]),
    through_seq=st.integers(0, 10**9),
    srm_p=st.none() | st.floats(0, 1),
    estimates=st.lists(estimates, max_size=2).map(tuple),
    notes=st.lists(st.text(max_size=50), max_size=2).map(tuple),
)
decisions = possible(
    Decision,
    verdict=st.sampled_from(["SHIP", "KEEP_CONTROL", "INCONCLUSIVE"]),
    winner=st.none() | slugs,
    reasons=st.lists(st.text(max_size=50), min_size=1, max_size=2).map(tuple),
    look=looks,
    rationale=st.text(max_size=300),
)
promotions = possible(
    Promotion,
    variant=slugs,
    commit=commits,
    parent=commits,
    branch=texts,
    paths=st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"])), max_size=3).map(tuple),
)
roll_backs = possible(RollBack, commit=st.none() | commits, reverts=st.none() | commits, reason=st.text(max_size=200))
experiments = possible(
    Experiment,
    id=st.just("exp-2026-11-20-001"),
    name=texts,
    type=st.sampled_from(["prompt", "agent", "pricing"]),
    hypothesis=possible(Hypothesis, change=texts, impact=texts, reasoning=texts),
    owner=texts,
    tags=st.lists(slugs, max_size=3).map(tuple),
    variants=st.floats(0.01, 0.99).map(
        lambda share: (Variant(name="control", control=True, share=share), Variant(name="short", share=1 - share))
    ),
    metrics=possible(
        Metric,
        name=slugs,
        role=st.just("primary"),
        kind=st.just("continuous"),
        direction=st.just("increase"),
        sd=finite,
    ).map(lambda metric: (metric,)),
    subject=possible(Subject, files=st.lists(st.text(min_size=1, max_size=30), max_size=2).map(tuple)),
    plan=possible(Plan, sample_size=st.integers(2, 10**9), salt=slugs, alpha=st.floats(0.001, 0.5)),
    capture=st.none()
    | possible(
        Capture,
        baseline=commits,
        variants=st.dictionaries(slugs, possible(CapturedVariant, commit=commits, identical=st.booleans()), max_size=2),
    ),
    archived=st.booleans(),
    history=possible(
        Step, state=st.just("running"), at=st.datetimes(timezones=st.just(UTC)), by=texts, reason=st.text(max_size=80)
    ).map(lambda step: (step,)),
)


def fresh(folder: str, experiment: Experiment) -> Ledger:
    ledger = Ledger(Path(folder), clock=lambda: AT, writer="tests")
    ledger.plan(lambda _id: experiment)
    return ledger


def reopened(folder: str) -> Ledger:
    return Ledger(Path(folder), clock=lambda: AT, writer="tests")


@QUICK
@given(experiment=experiments)
def test_an_experiment_comes_back(experiment: Experiment) -> None:
    with TemporaryDirectory() as folder:
        fresh(folder, experiment)
        assert reopened(folder).experiment(experiment.id) == experiment


@QUICK
@given(batch=st.lists(trials, min_size=1, max_size=4))
def test_trials_come_back(batch: list[Trial], new_experiment: Callable[[str], Experiment]) -> None:
    with TemporaryDirectory() as folder:
        experiment = new_experiment("exp-2026-11-20-001")
        for state in ("implemented", "running"):
            experiment = experiment.advanced(state, at=AT, by="tests")
        fresh(folder, experiment).record(experiment.id, Batch(trials=batch))
        ledger = reopened(folder)
        assert [entry.content for entry in ledger.journal(experiment.id).trials] == batch
        assert ledger.statistics(experiment.id).trials.get("control", 0) == sum(t.variant == "control" for t in batch)


@QUICK
@given(content=st.one_of(looks, decisions, promotions, roll_backs))
def test_looks_decisions_promotions_and_roll_backs_come_back(
    content: Model, new_experiment: Callable[[str], Experiment]
) -> None:
    with TemporaryDirectory() as folder:
        experiment = new_experiment("exp-2026-11-20-001")
        fresh(folder, experiment).append(experiment.id, content)
        entry = reopened(folder).latest(experiment.id, type(content))
        assert entry is not None
        assert entry.content == content


@QUICK
@given(
    exposure=possible(
        Exposure, unit=texts, variant=st.sampled_from(["control", "short"]), propensity=st.none() | st.floats(0.01, 1)
    ),
    aggregate=possible(
        Aggregate,
        variant=st.sampled_from(["control", "short"]),
        period=slugs,
        metric=slugs,
        n=st.integers(1, 10**9),
        sum=finite,
        sum_of_squares=st.floats(0, 1e300),
    ),
)
def test_exposures_and_aggregates_come_back(
    exposure: Exposure, aggregate: Aggregate, new_experiment: Callable[[str], Experiment]
) -> None:
    with TemporaryDirectory() as folder:
        experiment = new_experiment("exp-2026-11-20-001")
        for state in ("implemented", "running"):
            experiment = experiment.advanced(state, at=AT, by="tests")
        fresh(folder, experiment).record(experiment.id, Batch(exposures=[exposure], aggregates=[aggregate]))
        journal = reopened(folder).journal(experiment.id)
        assert [entry.content for entry in journal.exposures] == [exposure]
        assert [entry.content for entry in journal.aggregates] == [aggregate]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@QUICK
@given(documents=st.lists(st.dictionaries(st.text(), json_values, max_size=4), min_size=1, max_size=4), table=st.text())
def test_any_json_comes_back_and_its_hash_holds(documents: list[dict[str, Any]], table: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "j"
        journal = JournalFile(path, about="any", now=lambda: "now", writer="ü\ud800")
        with journal.writing(new=True) as draft:
            for id_, document in enumerate(documents, 1):
                draft.put("i", table, id_, document)
        line = path.read_bytes().splitlines()[1]
        assert line_crc(line) is not None
        assert [record.document for record in read_records(line)] == documents
        assert all(digest_holds(part) for part in read_parts(line))
        again = JournalFile(path, about="any", now=lambda: "now", writer="other")
        again.refresh()
        assert [record.document for record in again.documents(table)] == documents


def test_a_note_of_a_megabyte_comes_back(tmp_path: Path) -> None:
    note = {"note": "ü✓\n" * 350_000, "n": 1}
    assert len(encoded(note)) > 1_000_000
    journal = JournalFile(tmp_path / "j", about="any", now=lambda: "now", writer="tests")
    with journal.writing(new=True) as draft:
        draft.put("i", "notes", 1, note)
        draft.put("i", "notes", 2, {"n": 2})
    with journal.writing() as draft:
        draft.put("i", "notes", 3, {"n": 3})
    again = JournalFile(tmp_path / "j", about="any", now=lambda: "now", writer="tests")
    again.refresh()
    assert [record.document for record in again.documents("notes")] == [note, {"n": 2}, {"n": 3}]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused(tmp_path: Path, value: float) -> None:
    journal = JournalFile(tmp_path / "j", about="any", now=lambda: "now", writer="tests")
    with pytest.raises(ValueError, match="JSON"), journal.writing(new=True) as draft:
        draft.put("i", "numbers", 1, {"x": value})
    journal.refresh()
    assert journal.place == 0


@QUICK
@given(
    document=st.dictionaries(st.text(), json_values, max_size=4),
    table=st.text(),
    by=st.text(),
    place=st.integers(1, 99),
)
def test_the_short_way_to_a_line_gives_the_line_of_the_long_one(
    document: dict[str, Any], table: str, by: str, place: int
) -> None:
    order = Order("i", table, 7, encoded(document), "now", by)
    line, crc, chain = next_line([order], place, "a" * 64, "0" * 8)
    (part,) = read_parts(line[:-1])
    assert (line, crc) == to_line([part], "0" * 8)
    assert digest_holds(part)
    assert chain_after(part, "a" * 64) == part.chain == chain
    assert (part.op, part.table, part.id, part.payload, part.at, part.by) == order
    assert part.place == place + 1


@pytest.mark.parametrize("kind", TABLES, ids=lambda kind: kind.__name__)
def test_every_kind_of_entry_comes_back(kind: type[Model], new_experiment: Callable[[str], Experiment]) -> None:
    @QUICK
    @given(content=any_of(kind))
    def comes_back(content: Model) -> None:
        with TemporaryDirectory() as folder:
            experiment = new_experiment("exp-2026-11-20-001")
            fresh(folder, experiment).append(experiment.id, content)
            ledger = reopened(folder)
            assert [entry.content for entry in ledger.entries(experiment.id, kind)] == [content]
            assert all(verified.fault is None for verified in ledger.verify())

    comes_back()


@QUICK
@given(sums=any_of(Sums), part=any_of(Part))
def test_what_stores_share_comes_back(sums: Sums, part: Part) -> None:
    assert Sums.model_validate_json(sums.model_dump_json()) == sums
    assert Sums.of(sums.variant, sums.metric, sums.running()).model_copy(update={"bins": sums.bins}) == sums
    assert Part.model_validate_json(part.model_dump_json(exclude_defaults=True)) == part

"""The short forms of benchmarks/flags_accuracy.py and flags_edits.py: the sample, and edits that add a flag."""

import pytest
from benchmarks.flags_accuracy import accuracy, labelled
from benchmarks.flags_edits import outcome


def test_the_labels_of_the_sample_are_read_with_their_lines() -> None:
    files = {(file.project, file.path): file for file in labelled("seen")}
    assert len(files) >= 60
    arena = files["events", "web/pages/Arena.tsx"]
    assert (3, "arena_ribbon") in arena.reads
    assert "«" not in arena.text


@pytest.mark.parametrize("half", ["seen", "held", "fourth", "fifth", "matrix"])
def test_precision_and_recall_at_points_of_use_hold_on_the_sample(half: str) -> None:
    score = accuracy(half, told=False)
    assert score.right >= 45
    assert score.right / (score.right + score.wrong) >= 0.98
    assert score.right / (score.right + score.missed) >= 0.95


@pytest.mark.parametrize("way", ["hook", "range"])
def test_new_flags_in_edits_are_told_and_no_edit_without_one_gives_an_alarm(way: str) -> None:
    result = outcome(way)
    assert (result.of, result.none) == (51, 60)
    assert result.found >= 49
    assert result.false == 0, result.wrong

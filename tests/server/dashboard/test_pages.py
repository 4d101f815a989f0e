"""Every page shows what the ledger holds, shows no effect before a recorded look, and renders hostile text inert."""

from html.parser import HTMLParser

import pytest
from tests.server.dashboard.conftest import EVIL, Shown
from tests.support.agent import agent
from tests.support.board import board
from tests.support.live import SKILL, add_assets, at_machine_time
from tests.support.live import started as live_started
from tests.support.plans import started, times
from tests.support.project import Project, remembered
from tests.tools.conduct.test_surroundings import decided, ran

PAGES = ("", "?group=running", "backlog", "health", "decisions", "retests", "search?q=alert", "search")
OURS = {"/static/live.js", "/static/vega.js"}


class Elements(HTMLParser):
    """What a browser would make of a page: its scripts, its elements, its handlers."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[dict[str, str | None]] = []
        self.handlers: list[str] = []
        self.images = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.scripts.append(dict(attrs))
        self.images += tag == "img"
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name == "style"]


@pytest.mark.parametrize("path", [*PAGES, "experiments/{running}", "experiments/{decided}", "experiments/%3Cscript%3E"])
def test_hostile_text_stays_text(shown: Shown, path: str) -> None:
    text = shown.board.page(path.format(running=shown.running, decided=shown.decided)).text
    found = Elements(text)
    assert found.images == 0
    assert found.handlers == []
    for script in found.scripts:
        assert script.get("type") == "application/json" or script.get("src") in OURS
    assert EVIL not in text


def test_hostile_text_is_shown_as_it_was_written(shown: Shown) -> None:
    text = shown.board.page(f"experiments/{shown.running}").text
    assert "&lt;img src=x onerror=alert(2)&gt;" in text
    assert "{{ 7 * 7 }}" in text


@pytest.mark.parametrize("query", ["%00", "%F0%9F%98%80", "a" * 3000, "%22%3E%3Cscript%3E", "%E2%80%AE", "'", "%5B%5D"])
def test_a_search_for_anything_is_answered(shown: Shown, query: str) -> None:
    reply = shown.board.page(f"search?q={query}")
    assert reply.status in {200, 400}
    assert Elements(reply.text).images == 0


@pytest.mark.parametrize("page", ["0", "-1", "2", "999999999999", "x", "%00", "1.5", "%C2%B2"])
def test_a_page_that_is_none_is_the_nearest_one(shown: Shown, page: str) -> None:
    assert shown.decided in shown.board.page(f"?page={page}").text


@pytest.mark.parametrize("path", ["experiments/exp-2026-01-01-001", "experiments/no", "nothing"])
def test_what_is_not_there_is_told_with_a_way_back(shown: Shown, path: str) -> None:
    reply = shown.board.page(path)
    assert reply.status == 404
    assert "To the portfolio" in reply.text


def test_the_decided_experiment_is_told_with_its_verdict_everywhere(shown: Shown) -> None:
    assert "SHIP" in shown.board.page().text
    log = shown.board.page("decisions").text
    assert shown.decided in log
    assert "1 decision," in log
    whole = shown.board.page(f"experiments/{shown.decided}").text
    assert "% faster (" in whole
    assert 'data-spec="spec-1"' in whole
    assert shown.decided in shown.board.page("search?q=ship").text


def test_the_portfolio_tells_each_figure_beside_its_target_or_why_there_is_none(shown: Shown) -> None:
    told = shown.board.page().text.partition('id="aims"')[2].partition("</section>")[0]
    assert "target at least 12" in told
    assert "✓ target at most 14 days" in told
    assert "of 1 that ended, 1 with SHIP; a rate takes 5" in told
    assert EVIL not in told


def test_no_page_looks(shown: Shown) -> None:
    before = remembered(shown.project.workspace())
    for path in (*PAGES, f"experiments/{shown.running}", f"experiments/{shown.decided}"):
        shown.board.page(path)
    assert remembered(shown.project.workspace()) == before


def test_an_effect_is_shown_only_once_a_look_was_recorded(plain: Project) -> None:
    with agent(plain.workspace()) as connected:
        experiment = started(connected, plan={"method": "sequential"})
        connected.call("record_trial", experiment=experiment, trials=times(12))
        with board(plain) as dashboard:
            before = dashboard.page(f"experiments/{experiment}").text
            connected.call("analyze", experiment=experiment)
            after = dashboard.page(f"experiments/{experiment}").text
            connected.call("record_trial", experiment=experiment, trials=times(20)[24:])
            later = dashboard.page(f"experiments/{experiment}").text
    assert "No look has been recorded" in before
    assert "% faster" not in before
    assert "% faster" in after
    assert _result(later) == _result(after)
    assert "20<span" in later


def test_planned_experiments_stand_by_their_priority(plain: Project) -> None:
    with agent(plain.workspace()) as connected:
        for name, points in (("Low", 2.0), ("High", 9.0), ("Middle", 5.0)):
            priority = {"impact": points, "confidence": points, "ease": points}
            fields = {"hypothesis": {"change": f"{name} change", "impact": "15% less time", "reasoning": "less"}}
            metric = {"name": "time", "role": "primary", "kind": "duration", "direction": "decrease", "unit": "s"}
            plan = {"method": "fixed", "priority": priority}
            connected.call("design_experiment", name=name, metrics=[metric], sample_size=20, plan=plan, **fields)
    with board(plain) as dashboard:
        text = dashboard.page("backlog").text
    assert text.index(">High<") < text.index(">Middle<") < text.index(">Low<")


def test_a_verdict_that_was_reached_under_another_model_is_queued(repo: Project) -> None:
    made = at_machine_time(add_assets(repo))
    old = decided(made)
    ran(made, live_started(made.workspace(), SKILL), 1, model="claude-opus-5")
    with board(made) as dashboard:
        text = dashboard.page("retests").text
    assert old.id in text
    assert "now claude-opus-5" in text


def _result(text: str) -> str:
    return text.partition('id="result"')[2].partition("</section>")[0]


def test_who_is_outside_is_told_on_the_experiments_page(repo: Project) -> None:
    with agent(repo.workspace()) as caller:
        experiment = started(caller, plan={"method": "fixed", "eligibility": {"branch": "release/*"}})
        with board(repo) as shown:
            told = "Outside, with control and not analysed"
            assert told not in shown.page(f"experiments/{experiment}").text
            caller.call("assign_unit", experiment=experiment, unit="u1")
            assert f"{told}: branch 1." in shown.page(f"experiments/{experiment}").text


def test_the_phase_of_exposure_and_its_start_are_told_on_the_experiments_page(repo: Project) -> None:
    with agent(repo.workspace()) as caller:
        phases = [{"share": 0.25, "days": 1}, {"share": 1}]
        experiment = started(caller, plan={"method": "fixed", "phases": phases, "scheme": "hash"})
        with board(repo) as shown:
            assert "phase 1 of 2, 25% of the units" in shown.page(f"experiments/{experiment}").text
            caller.call("transition_experiment", experiment=experiment, action="advance", reason="nobody came")
            text = shown.page(f"experiments/{experiment}").text
    assert "phase 2 of 2, 100% of the units" in text
    assert "100% of the units take part. nobody came" in text

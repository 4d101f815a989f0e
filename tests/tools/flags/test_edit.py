"""One edit: at most one line, on a flag that nothing tracks or one of a running experiment; silence otherwise."""

import json
from collections.abc import Mapping, Sequence

import pytest
from tests.support.agent import Agent
from tests.support.plans import HYPOTHESIS
from tests.support.project import Project

from experiment_tracker_tools.flags.edit import Edit, Note, note_on
from experiment_tracker_tools.flags.elsewhere import elsewhere
from experiment_tracker_tools.flags.remembered import Remembered, Tracked, tracked
from experiment_tracker_tools.flags.vocabulary import Vocabulary

CALL = "if (posthog.isFeatureEnabled('new-onboarding')) {\n  posthog.capture('Onboarding Finished');\n}\n"
RUNNING = {"new-onboarding": Tracked("exp-2026-11-20-001", "running")}


def note(
    before: str,
    after: str,
    *,
    path: str = "web/app.ts",
    project: Remembered | None = None,
    experiments: Mapping[str, Tracked] | None = None,
    told: Sequence[str] = (),
) -> Note | None:
    return note_on(Edit(path, before, after), project or Remembered(), lambda keys: experiments or {}, told=told)


def test_a_new_flag_gives_one_line_with_key_place_and_a_draft() -> None:
    found = note("start();\n", f"start();\n{CALL}")
    assert found is not None
    assert (found.what, found.keys) == ("new", ("new-onboarding",))
    assert "'new-onboarding' at 'web/app.ts':2 is new and no experiment tracks it" in found.text
    assert "\n" not in found.text


def test_the_draft_is_accepted_by_design_experiment(at_repo: Agent) -> None:
    found = note("", CALL)
    assert found is not None
    draft = json.loads(found.text[found.text.index("{") :])
    assert draft["metrics"][0]["name"] == "onboarding_finished"
    told = at_repo.call("design_experiment", **{**draft, "hypothesis": HYPOTHESIS})
    assert told["experiment"].startswith("exp-")


def test_the_drafts_experiment_is_found_as_the_flags_own(repo: Project, at_repo: Agent) -> None:
    found = note("", CALL)
    assert found is not None
    draft = json.loads(found.text[found.text.index("{") :])
    store = str(repo.root / ".experiments")
    assert tracked(store, ["new-onboarding"]) == {}
    experiment = at_repo.call("design_experiment", **draft)["experiment"]
    assert tracked(store, ["new-onboarding", "other"]) == {"new-onboarding": Tracked(experiment, "planned")}
    at_repo.call("transition_experiment", experiment=experiment, action="start")
    assert tracked(store, ["new-onboarding"])["new-onboarding"].state == "running"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CALL, CALL),
        (CALL, "    " + CALL.replace("\n", "\n    ")),
        (CALL, "// a comment\n" + CALL),
        (CALL + "start();\n", "start();\n" + CALL),
        ("start();\n", "// if (posthog.isFeatureEnabled('new-onboarding')) {}\n"),
        ("start();\n", "finish();\n"),
        ("if (a) { x('y') }", CALL.replace("posthog.isFeatureEnabled", "button.isEnabled")),
        ("", ""),
    ],
    ids=["same", "indented", "comment", "moved", "in a comment", "no flag", "look-alike", "empty"],
)
def test_silent_where_no_flag_is_new(before: str, after: str) -> None:
    assert note(before, after) is None


def test_silent_about_a_flag_that_is_known_tracked_muted_or_told() -> None:
    assert note("", CALL, experiments=RUNNING) is None
    assert note("", CALL, project=Remembered(keys=frozenset({"new-onboarding"}))) is None
    assert note("", CALL, project=Remembered(muted=("new-*",))) is None
    assert note("", CALL, told=["new-onboarding"]) is None
    assert note_on(Edit("a.ts", "", CALL), Remembered(), lambda keys: {}, is_elsewhere=lambda key: True) is None
    assert note("", CALL) is not None


def test_silent_about_files_that_are_no_code() -> None:
    assert note("", CALL, path="README.md") is None


def test_a_removed_flag_of_a_running_experiment_is_told_and_of_another_is_not() -> None:
    found = note(CALL, "start();\n", experiments=RUNNING)
    assert found is not None
    assert found.what == "removed"
    assert "exp-2026-11-20-001 on it is running" in found.text
    assert note(CALL, "start();\n", experiments={"new-onboarding": Tracked("exp-2026-11-20-001", "completed")}) is None
    assert note(CALL, "start();\n") is None


@pytest.mark.parametrize(
    ("path", "before", "after", "told"),
    [
        ("flags.yaml", "new-onboarding:\n  rollout: 10\n", "new-onboarding:\n  rollout: 50\n", "from 10 to 50"),
        (
            "demo.flagd.json",
            '{"flags": {"new-onboarding": {"targeting": {"fractional": [["on", 50], ["off", 50]]}}}}',
            '{"flags": {"new-onboarding": {"targeting": {"fractional": [["on", 90], ["off", 10]]}}}}',
            "from 50/50 to 90/10",
        ),
        (
            "setup.rb",
            "Flipper.enable_percentage_of_actors(:new_onboarding, 25)\n",
            "Flipper.enable_percentage_of_actors(:new_onboarding, 75)\n",
            "from 25 to 75",
        ),
    ],
)
def test_a_changed_share_of_a_running_experiment_is_told(path: str, before: str, after: str, told: str) -> None:
    running = {key: Tracked("exp-2026-11-20-001", "running") for key in ("new-onboarding", "new_onboarding")}
    found = note(before, after, path=path, experiments=running)
    assert found is not None
    assert found.what == "rollout"
    assert told in found.text
    assert note(before, after, path=path) is None
    assert note(before, before + "\n", path=path, experiments=running) is None


def test_the_projects_own_wrappers_and_constants_count() -> None:
    project = Remembered(Vocabulary(wrappers={"allowed": 0}, keys={"Keys.NEW": "brand-new"}))
    found = note("", "if (allowed('new-onboarding')) {}", project=project)
    assert found is not None
    assert found.keys == ("new-onboarding",)
    found = note("", "if (isFeatureEnabled(Keys.NEW)) {}", project=project)
    assert found is not None
    assert found.keys == ("brand-new",)


def test_hostile_names_stay_on_one_line() -> None:
    found = note("", CALL, path="a\nb\x1b[2J.ts")
    assert found is not None
    assert "\n" not in found.text
    assert "\x1b" not in found.text


def test_a_huge_file_is_not_read() -> None:
    assert note("", "x();\n" * 300_000 + CALL) is None


def test_a_key_that_stands_in_another_file_is_not_new(repo: Project) -> None:
    stands = elsewhere(str(repo.root), "web/app.ts")
    assert not stands("new-onboarding")
    repo.write("web/app.ts", CALL)
    assert not stands("new-onboarding")
    repo.write("web/other.ts", CALL)
    assert stands("new-onboarding")
    assert not stands("new-onboard")
    assert not elsewhere(str(repo.root / "missing"), "a.ts")("new-onboarding")

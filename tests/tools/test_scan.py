"""scan_flags through the agent: flags with their experiments, findings with mends, ranges, and what it never does."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.support.agent import Agent
from tests.support.plans import HYPOTHESIS
from tests.support.project import COMMAND, Project

from experiment_tracker_tools.flags.remembered import remembered

CODE = (
    "import posthog from 'posthog-js';\nif (posthog.isFeatureEnabled('new-onboarding')) {\n"
    "  posthog.capture('Onboarding Finished');\n}\n"
)
METRIC = {
    "name": "onboarding_finished",
    "role": "primary",
    "kind": "binary",
    "direction": "increase",
    "baseline": 0.1,
    "mde": 0.1,
}


def designed(agent: Agent, flag: str = "new-onboarding") -> str:
    plan = {"name": "Onboarding", "hypothesis": HYPOTHESIS, "metrics": [METRIC], "subject": {"flag": flag}}
    return str(agent.call("design_experiment", **plan)["experiment"])


def test_a_flag_is_told_with_place_vendor_events_age_and_no_experiment(repo: Project, at_repo: Agent) -> None:
    repo.write("web/app.ts", CODE)
    repo.commit()
    told = at_repo.call("scan_flags")
    assert told["summary"].startswith("1 flag in 1 place of ")
    flag = told["flags"][0]
    assert flag["key"] == "new-onboarding"
    assert (flag["where"], flag["vendor"], flag["kind"]) == (["web/app.ts:2"], "posthog", "boolean")
    assert flag["events"] == ["Onboarding Finished"]
    assert "experiment" not in flag
    assert flag["state"] == "untracked"
    assert "age_days" in flag
    assert "design_experiment" in told["next_action"]


def test_the_flags_experiment_is_told_and_its_state(repo: Project, at_repo: Agent) -> None:
    repo.write("web/app.ts", CODE)
    experiment = designed(at_repo)
    flag = at_repo.call("scan_flags")["flags"][0]
    assert flag["experiment"] == f"{experiment} planned"
    assert flag["state"] == "tested"
    at_repo.call("transition_experiment", experiment=experiment, action="start")
    assert at_repo.call("scan_flags")["flags"][0]["experiment"] == f"{experiment} running"


def test_an_archived_experiments_flag_is_stale_and_key_gives_the_checklist(repo: Project, at_repo: Agent) -> None:
    repo.write("web/app.ts", CODE)
    experiment = designed(at_repo)
    assert at_repo.call("scan_flags", key="new-onboarding")["removal"][0].startswith("[ ] Not yet")
    at_repo.call("transition_experiment", experiment=experiment, action="archive", reason="enough")
    told = at_repo.call("scan_flags", key="new-onboarding")
    assert told["flags"][0]["state"] == "stale"
    assert any("web/app.ts:2" in step for step in told["removal"])
    assert "stale-after-experiment" in [each["check"] for each in told["findings"]]


def test_a_range_tells_what_was_added_removed_and_changed(repo: Project, at_repo: Agent) -> None:
    repo.write(
        "a.ts",
        "isFeatureEnabled('old-flag');\nisFeatureEnabled('kept-flag');\nclient.boolVariation('moved', u, false);\n",
    )
    first = repo.commit()
    repo.write("a.ts", "  isFeatureEnabled('kept-flag');\nclient.boolVariation('moved', u, true);\n" + CODE)
    repo.commit()
    told = at_repo.call("scan_flags", commits=f"{first}..HEAD")
    assert told["summary"] == "1 flag added, 1 removed, 1 changed"
    assert {flag["key"]: flag["state"] for flag in told["flags"]} == {
        "new-onboarding": "added",
        "old-flag": "removed",
        "moved": "changed",
    }
    assert at_repo.call("scan_flags", commits="HEAD")["summary"] == told["summary"]
    assert "names no commit" in at_repo.refusal("scan_flags", commits="nowhere..HEAD")
    assert "names no commit" in at_repo.refusal("scan_flags", commits="--output=x..HEAD")


def test_a_diff_tells_the_same_of_edits_that_are_not_committed(repo: Project, at_repo: Agent) -> None:
    repo.write("gone.ts", "isFeatureEnabled('old-flag');\n")
    repo.write("a.ts", "import posthog from 'posthog-js';\n" + "start();\n" * 20)
    repo.commit()
    (repo.root / "gone.ts").unlink()
    repo.write(
        "a.ts", "import posthog from 'posthog-js';\n" + "start();\n" * 20 + "posthog.getFeatureFlag('new-flag');\n"
    )
    repo.write("-- odd name.ts", "isFeatureEnabled('odd-flag');\n")
    repo.git("add", "-N", ".")
    diff = repo.git("diff", "HEAD")
    told = at_repo.call("scan_flags", diff=diff)
    assert {(flag["key"], flag["state"], flag["where"][0]) for flag in told["flags"]} == {
        ("new-flag", "added", "a.ts:22"),
        ("odd-flag", "added", "-- odd name.ts:1"),
        ("old-flag", "removed", "gone.ts:1"),
    }
    assert next(flag["vendor"] for flag in told["flags"] if flag["key"] == "new-flag") == "posthog"
    command = subprocess.run(
        [*COMMAND, "scan", "--diff", "-"], cwd=repo.root, input=diff, capture_output=True, text=True, check=True
    )
    assert "2 flags added, 1 removed, 0 changed" in command.stdout
    assert "no unified diff" in at_repo.refusal("scan_flags", diff="isFeatureEnabled('x')")
    assert "goes with neither" in at_repo.refusal("scan_flags", diff=diff, commits="HEAD")


def test_a_diff_never_reads_outside_of_the_project(repo: Project, at_repo: Agent, tmp_path: Path) -> None:
    (tmp_path / "outside.ts").write_text("import { flags } from '@launchdarkly/x';\n", "utf-8")
    hunk = "@@ -0,0 +1 @@\n+client.variation('new-flag', u, false);\n"
    inside = f"--- /dev/null\n+++ b/x.ts\n{hunk}"
    outside = f"--- /dev/null\n+++ b/../outside.ts\n{hunk}"
    assert at_repo.call("scan_flags", diff=inside)["summary"].startswith("0 flags added")
    assert at_repo.call("scan_flags", diff=outside)["summary"].startswith("0 flags added")
    repo.write("x.ts", "import { flags } from '@launchdarkly/x';\n")
    assert at_repo.call("scan_flags", diff=inside)["summary"].startswith("1 flag added")


def test_only_changed_files_are_told_when_asked(repo: Project, at_repo: Agent) -> None:
    repo.write("a.ts", "isFeatureEnabled('first-flag');\n")
    repo.commit()
    repo.write("b.ts", "isFeatureEnabled('second-flag');\n")
    assert [flag["key"] for flag in at_repo.call("scan_flags", scope="changed")["flags"]] == ["second-flag"]
    assert len(at_repo.call("scan_flags")["flags"]) == 2


def test_ignored_vendored_generated_huge_and_linked_files_are_not_read(
    repo: Project, at_repo: Agent, tmp_path: Path
) -> None:
    call = "isFeatureEnabled('{}');\n"
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.ts").write_text(call.format("outside-flag"), "utf-8")
    repo.write(".gitignore", "ignored/\n")
    repo.write("ignored/a.ts", call.format("ignored-flag"))
    repo.write("node_modules/a/a.ts", call.format("vendored-flag"))
    repo.write("gen.ts", "// @generated\n" + call.format("generated-flag"))
    repo.write("huge.ts", call.format("huge-flag") + "x();\n" * 150_000)
    repo.write("binary.ts", call.format("binary-flag") + "\0\0")
    repo.write("app.ts", call.format("real-flag"))
    (repo.root / "linked").symlink_to(outside)
    (repo.root / "linked.ts").symlink_to(outside / "x.ts")
    os.mkfifo(repo.root / "pipe.ts")
    assert [flag["key"] for flag in at_repo.call("scan_flags", limit=50)["flags"]] == ["real-flag"]


def test_gitignore_is_honoured_without_a_repository_too(plain: Project, at_plain: Agent) -> None:
    plain.write(".gitignore", "ignored/\n")
    plain.write("ignored/a.ts", "isFeatureEnabled('ignored-flag');\n")
    plain.write("app.ts", "isFeatureEnabled('real-flag');\n")
    assert [flag["key"] for flag in at_plain.call("scan_flags")["flags"]] == ["real-flag"]
    assert "no git repository" in at_plain.refusal("scan_flags", scope="changed")


def test_a_scan_writes_nothing_without_a_store_and_only_there_with_one(repo: Project, at_repo: Agent) -> None:
    repo.write("app.ts", CODE)
    before = repo.picture()
    at_repo.call("scan_flags")
    assert not (repo.root / ".experiments").exists()
    assert repo.picture()["files"] == before["files"]
    designed(at_repo)
    at_repo.call("scan_flags")
    left = remembered(str(repo.root / ".experiments"))
    assert left.keys == {"new-onboarding"}
    assert repo.picture()["files"] == before["files"]
    again = at_repo.call("scan_flags")
    assert again["flags"][0]["key"] == "new-onboarding"


def test_a_damaged_index_is_made_anew(repo: Project, at_repo: Agent) -> None:
    repo.write("app.ts", CODE)
    designed(at_repo)
    at_repo.call("scan_flags")
    for path in (repo.root / ".experiments" / "flags").iterdir():
        path.write_text("{", "utf-8")
    assert remembered(str(repo.root / ".experiments")).keys == frozenset()
    assert at_repo.call("scan_flags")["flags"][0]["key"] == "new-onboarding"
    assert remembered(str(repo.root / ".experiments")).keys == {"new-onboarding"}


def test_wrappers_and_muted_keys_come_from_the_projects_settings(repo: Project, at_repo: Agent) -> None:
    repo.write("app.ts", "shows(user, 'new-onboarding'); shows(user, 'ops-switch');\n")
    assert "flags" not in at_repo.call("scan_flags")
    repo.write(".experiments/config.toml", '[feature_flags]\nwrappers = ["shows:1"]\nmuted = ["ops-*"]\n')
    assert [flag["key"] for flag in at_repo.call("scan_flags")["flags"]] == ["new-onboarding"]
    repo.write(".experiments/config.toml", '[feature_flags]\nwrappers = ["shows(1)"]\n')
    assert "wrappers" in at_repo.refusal("scan_flags")


def test_a_key_that_is_not_there_is_refused_with_those_that_are(repo: Project, at_repo: Agent) -> None:
    repo.write("app.ts", CODE)
    assert "Known: new-onboarding" in at_repo.refusal("scan_flags", key="other")
    assert "goes with neither" in at_repo.refusal("scan_flags", key="other", commits="HEAD")


def test_a_flag_at_100_percent_is_stale_after_a_month(repo: Project, at_repo: Agent) -> None:
    repo.write("app.ts", CODE)
    repo.write("flags.yaml", "new-onboarding:\n  rollout: 100\n")
    repo.commit()
    assert "findings" not in at_repo.call("scan_flags")
    repo.clock.move(days=3_650)
    told = at_repo.call("scan_flags")
    assert told["flags"][0]["state"] == "stale"
    assert told["findings"][0]["check"] == "stale-at-100-percent"


def test_hostile_names_and_texts_stay_data(repo: Project, at_repo: Agent) -> None:
    repo.write("a\u202eb.ts", CODE)
    repo.write("deep.ts", "isFeatureEnabled(" * 3_000)
    repo.write("quotes.ts", "isFeatureEnabled('" + "\\" * 5_000)
    told = json.dumps(at_repo.call("scan_flags"), ensure_ascii=False)
    assert "\u202e" not in told


def cli(repo: Project, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*COMMAND, "scan", *arguments], cwd=repo.root, capture_output=True, text=True, check=False)


def test_the_command_line_gives_json_sarif_and_exit_codes(repo: Project) -> None:
    repo.write("app.ts", "posthog.capture('Signed Up', { email: user.email });\n" + CODE)
    done = cli(repo, "--json", "--limit", "1000")
    assert done.returncode == 0
    assert json.loads(done.stdout)["findings"][0]["check"] == "personal-data"
    done = cli(repo, "--sarif")
    assert done.returncode == 0
    result = json.loads(done.stdout)["runs"][0]["results"][0]
    assert result["ruleId"] == "personal-data"
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 1}
    assert cli(repo, "--fail-on", "error").returncode == 3
    repo.write("app.ts", CODE)
    assert cli(repo, "--fail-on", "error").returncode == 0
    assert "mend" not in cli(repo).stdout
    assert cli(repo, "--key", "nothing").returncode == 1


@pytest.mark.parametrize("arguments", [{"limit": 0}, {"scope": "world"}, {"key": ""}, {"commits": 7}])
def test_arguments_out_of_range_are_refused(at_repo: Agent, arguments: dict[str, object]) -> None:
    assert at_repo.refusal("scan_flags", **arguments)

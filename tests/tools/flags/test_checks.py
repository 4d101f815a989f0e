"""Each check finds what it is for, and stays silent beside it."""

import pytest

from experiment_tracker_tools.flags.checks import checked
from experiment_tracker_tools.flags.checks.finding import Finding, Reading, Trial
from experiment_tracker_tools.flags.checks.lifetime import removal_plan
from experiment_tracker_tools.flags.project import scanned

RUNNING = Trial("exp-2026-11-20-001", "running", metrics=("order_completed",))


def read(
    files: dict[str, str], trials: dict[str, Trial] | None = None, full: dict[str, float] | None = None
) -> Reading:
    return Reading(scanned(files.items()), trials or {}, lambda path: files.get(path, ""), full or {})


def findings(check: str, files: dict[str, str], trials: dict[str, Trial] | None = None) -> list[Finding]:
    return [each for each in checked(read(files, trials)) if each.check == check]


CASES: list[tuple[str, str, str, str]] = [
    (
        "near-duplicate-key",
        "ts",
        "isFeatureEnabled('enabled_new_cart'); isFeatureEnabled('enable_new_cart');",
        "isFeatureEnabled('enable_new_cart'); isFeatureEnabled('enable_new_card_form'); "
        "isFeatureEnabled('enable_new_cart');",
    ),
    (
        "near-duplicate-key",
        "py",
        "flag_enabled('new_onboarding')\nflag_enabled('new_onbording')\n",
        "flag_enabled('checkout_v1')\nflag_enabled('checkout_v2')\nflag_enabled('checkout_v12')\n",
    ),
    (
        "different-defaults",
        "ts",
        "client.boolVariation('a-flag', user, true);\nclient.boolVariation('a-flag', user, false);",
        "client.boolVariation('a-flag', user, false);\nclient.boolVariation('a-flag', other, false);",
    ),
    (
        "variants-read-as-boolean",
        "ts",
        "posthog.getFeatureFlag('a-flag') === 'test';\nposthog.isFeatureEnabled('a-flag');",
        "posthog.getFeatureFlag('a-flag') === 'test';\nposthog.isFeatureEnabled('b-flag');",
    ),
    (
        "unstable-unit",
        "ts",
        "client.boolVariation('a-flag', Math.random(), false);",
        "client.boolVariation('a-flag', user.id, false);\nMath.random();",
    ),
    (
        "read-in-loop",
        "ts",
        "for (const x of all) { if (isFeatureEnabled('a-flag')) { x.go(); } }",
        "const on = isFeatureEnabled('a-flag');\nfor (const x of all) { if (on) { x.go(); } }",
    ),
    (
        "read-in-loop",
        "py",
        "for x in all:\n    if flag_enabled('a-flag'):\n        x()\n",
        "for x in those(flag_enabled('a-flag')):\n    x()\n",
    ),
    (
        "exposure-in-one-branch",
        "ts",
        "if (isFeatureEnabled('a-flag')) { track('exposure'); a(); } else { b(); }",
        "track('exposure');\nif (isFeatureEnabled('a-flag')) { a(); } else { b(); }",
    ),
    (
        "exposure-in-one-branch",
        "ts",
        "const on = isFeatureEnabled('a-flag');\nif (on) { logEvent('experiment_viewed'); a(); }",
        "const on = isFeatureEnabled('a-flag');\nif (on) { logEvent('experiment_viewed'); } else { "
        "logEvent('experiment_viewed'); }",
    ),
    (
        "branch-never-runs",
        "py",
        "if flag_enabled('a-flag') and False:\n    a()\nelse:\n    b()\n",
        "if flag_enabled('a-flag') and ready:\n    a()\nelse:\n    b()\n",
    ),
    (
        "branch-never-runs",
        "go",
        'func f() { if featureFlags.IsEnabled("a-flag") || true { a() } else { b() } }',
        'func f() { if featureFlags.IsEnabled("a-flag") == true { a() } else { b() } }',
    ),
    (
        "branches-are-equal",
        "ts",
        "const x = isFeatureEnabled('a-flag') ? a() : a();",
        "const x = isFeatureEnabled('a-flag') ? a() : b();",
    ),
    (
        "nested-flags",
        "kt",
        'fun f() { if (featureFlags.isEnabled("a-flag")) { if (featureFlags.isEnabled("b-flag")) { b() } } }',
        'fun f() { if (featureFlags.isEnabled("a-flag")) { a() }\nif (featureFlags.isEnabled("b-flag")) { b() } }',
    ),
    (
        "read-again",
        "ts",
        "function f() {\n  if (isFeatureEnabled('a-flag')) a();\n  if (isFeatureEnabled('a-flag')) b();\n}",
        "function f() {\n  if (isFeatureEnabled('a-flag')) a();\n}\nfunction g() {\n  if "
        "(isFeatureEnabled('a-flag')) b();\n}",
    ),
    (
        "personal-data",
        "ts",
        "posthog.capture('Signed Up', { email: user.email });",
        "posthog.capture('Signed Up', { plan: user.plan, emailVerified: true });",
    ),
    (
        "duplicate-event",
        "ts",
        "track('Order Completed');\ntrack('order_completed');",
        "track('Order Completed');\ntrack('Order Completed');",
    ),
    (
        "event-style",
        "ts",
        "\n".join(f"track('{name}_done');" for name in "abcdefg") + "\ntrack('Order Completed');",
        "\n".join(f"track('{name}_done');" for name in "abcdefg"),
    ),
    (
        "never-read",
        "ts",
        "const FLAGS = { a: 'a-flag', b: 'b-flag' };\nenum FeatureFlags { A = 'x-flag', B = 'y-flag' "
        "}\nisFeatureEnabled(FeatureFlags.A);",
        "enum FeatureFlags { A = 'x-flag', B = 'y-flag' }\nisFeatureEnabled(FeatureFlags.A); "
        "isFeatureEnabled(FeatureFlags.B);",
    ),
]


@pytest.mark.parametrize(
    ("check", "language", "wrong", "right"), CASES, ids=[f"{c[0]}-{c[1]}-{i}" for i, c in enumerate(CASES)]
)
def test_a_check_finds_what_is_wrong_and_leaves_what_is_right(
    check: str, language: str, wrong: str, right: str
) -> None:
    told = findings(check, {f"src/app.{language}": wrong})
    assert told, checked(read({f"src/app.{language}": wrong}))
    assert all(each.read and each.mend for each in told)
    assert findings(check, {f"src/app.{language}": right}) == []


def test_the_default_must_be_control_of_the_flags_experiment() -> None:
    wrong = {"a.ts": "client.boolVariation('a-flag', user, true); track('order_completed');"}
    assert findings("default-is-not-control", wrong, {"a-flag": RUNNING})
    assert findings("default-is-not-control", wrong) == []
    right = {"a.ts": "client.boolVariation('a-flag', user, false);"}
    assert findings("default-is-not-control", right, {"a-flag": RUNNING}) == []
    named = {"a.ts": "client.stringVariation('a-flag', user, 'treatment');"}
    assert findings("default-is-not-control", named, {"a-flag": RUNNING})


def test_planned_metrics_must_be_sent() -> None:
    sent = {"a.ts": "if (isFeatureEnabled('a-flag')) track('Order Completed');"}
    assert findings("metric-without-event", sent, {"a-flag": RUNNING}) == []
    other = {"a.ts": "if (isFeatureEnabled('a-flag')) track('Page Seen');"}
    assert [each.key for each in findings("metric-without-event", other, {"a-flag": RUNNING})] == ["a-flag"]


def test_several_variants_are_not_read_as_on_or_off() -> None:
    code = {"a.ts": "if (isFeatureEnabled('a-flag')) go();"}
    three = RUNNING._replace(variants=("control", "b", "c"))
    assert findings("variants-read-as-boolean", code, {"a-flag": three})
    assert findings("variants-read-as-boolean", code, {"a-flag": RUNNING}) == []


def test_a_running_experiment_needs_its_flag_in_the_code() -> None:
    assert findings("not-in-code", {"a.ts": "x()"}, {"a-flag": RUNNING})
    assert findings("not-in-code", {"a.ts": "isFeatureEnabled('a-flag')"}, {"a-flag": RUNNING}) == []


def test_a_flag_outlives_its_experiment_and_the_plan_says_what_stays() -> None:
    code = {"a.ts": "isFeatureEnabled('a-flag');\nisFeatureEnabled('a-flag');"}
    ended = RUNNING._replace(state="completed", ended_days=40.0, keeps="treatment")
    told = findings("stale-after-experiment", code, {"a-flag": ended})
    assert len(told) == 1
    assert "'treatment' stays" in told[0].mend
    plan = removal_plan(read(code, {"a-flag": ended}), "a-flag")
    assert "the branch of 'treatment' stays" in plan[0]
    assert [step for step in plan if "a.ts:1 " in step or "a.ts:2 " in step] == list(plan[1:3])
    assert findings("stale-after-experiment", code, {"a-flag": RUNNING}) == []
    assert "Not yet" in removal_plan(read(code, {"a-flag": RUNNING}), "a-flag")[0]


def test_a_flag_that_serves_everybody_for_a_month_is_stale() -> None:
    code = {"a.ts": "isFeatureEnabled('a-flag');"}
    checks = [each.check for each in checked(read(code, full={"a-flag": 31.0}))]
    assert "stale-at-100-percent" in checks
    assert "stale-at-100-percent" not in [each.check for each in checked(read(code, full={"a-flag": 29.0}))]

"""`scan` on the command line: the verb, and for CI a SARIF report and an exit code."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import click

from experiment_tracker_server.commands import command_of, fail
from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.flags.checks.finding import Finding
from experiment_tracker_tools.scan import scan_flags
from experiment_tracker_tools.workspace import Workspace

FOUND = 3
_LEVELS = ("error", "warning", "note")


def scan_command() -> click.Command:
    """The verb's own command with --sarif and --fail-on."""
    plain = command_of(scan_flags)
    answer = plain.callback
    assert answer is not None
    plain.params += [
        click.Option(["--sarif"], is_flag=True, help="Print all findings as SARIF 2.1.0."),
        click.Option(
            ["--fail-on"],
            type=click.Choice([*_LEVELS, "never"]),
            default="never",
            help=f"Leave with {FOUND} where a finding is at least that bad.",
        ),
    ]
    plain.help = (
        f"{plain.help}\n\n--diff - reads it from standard input: git diff | experiment-tracker scan --diff -\n\n"
        f"Exit codes: 0 done, 1 refused, {FOUND} findings at or above --fail-on."
    )

    def call(*, sarif: bool, fail_on: str, json_output: bool, **given: object) -> None:
        if given.get("diff") == "-":
            given["diff"] = sys.stdin.buffer.read().decode("utf-8", "replace")
        findings = _findings(json_output=json_output) if sarif or fail_on != "never" else []
        if sarif:
            click.echo(json.dumps(report(findings), ensure_ascii=False, indent=1))
        else:
            answer(json_output=json_output, **given)
        if fail_on != "never" and any(_LEVELS.index(each.level) <= _LEVELS.index(fail_on) for each in findings):
            raise SystemExit(FOUND)

    plain.callback = call
    return plain


def _findings(*, json_output: bool) -> list[Finding]:
    from experiment_tracker_tools.conduct.scanning import scan_tree
    from experiment_tracker_tools.flags.checks import checked

    try:
        return checked(scan_tree(Workspace(Path.cwd(), door="cli")))
    except ExperimentError as error:
        fail(error, json_output=json_output)


def report(findings: list[Finding]) -> dict[str, object]:
    """Findings as a SARIF 2.1.0 log."""
    rules = sorted({each.check for each in findings})
    driver = {
        "name": "experiment-tracker",
        "version": version("experiment-tracker-mcp"),
        "rules": [{"id": rule, "name": rule} for rule in rules],
    }
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": [_result(each) for each in findings]}],
    }


def _result(finding: Finding) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": finding.check,
        "level": finding.level,
        "message": {"text": f"{finding.key}: {finding.read}. {finding.mend}"},
    }
    if finding.path:
        place = {"artifactLocation": {"uri": finding.path}, "region": {"startLine": max(1, finding.line)}}
        result["locations"] = [{"physicalLocation": place}]
    return result

"""A test a scenario, from the report of one run on a board."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from xtask_command import Report


def test_scenario(scenario: str, report: Report, record_property: Callable[[str, object], None]) -> None:
    """The board comes to the scenario's verdict, and it is `pass`."""
    found = report.scenarios.get(scenario)
    if found is None:
        pytest.fail(f"the board never came to {scenario}; it ran {', '.join(report.names)}", pytrace=False)
    for name in ("verdict", "owner", "reason", "next"):
        if found.get(name):
            record_property(name, found[name])
    timing = report.whole["timing"]
    for step, latency in found.get("latency", {}).items():
        record_property(f"{step}.p50_{latency['unit']}_{timing}", latency["p50"])
        record_property(f"{step}.p99_{latency['unit']}_{timing}", latency["p99"])
    if found["verdict"] == "skip":
        pytest.skip(found.get("reason", "no reason given"))
    if found["verdict"] != "pass":
        lines = [f"{scenario}: {found['verdict']}, owner {found.get('owner', 'unknown')}"]
        lines += [f"{name}: {found[name]}" for name in ("reason", "next") if found.get(name)]
        pytest.fail("\n".join(lines), pytrace=False)


def test_nothing_else(request: pytest.FixtureRequest, report: Report) -> None:
    """The report has no verdict of something nobody asked for: a reset, a plan that could not be read, another card."""
    asked = {
        item.callspec.params["scenario"]
        for item in request.session.items
        if hasattr(item, "callspec") and "scenario" in item.callspec.params
    }
    others = [
        f"{name}: {found['verdict']}, {found.get('reason', '')}"
        for name, found in report.scenarios.items()
        if name not in asked
    ]
    if others:
        pytest.fail("also in the report:\n" + "\n".join(others), pytrace=False)

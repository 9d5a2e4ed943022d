"""`cargo xtask` from Python: makes the card, tells what a group of scenarios has in it, and decodes a serial line."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WORKSPACE = Path(__file__).resolve().parent.parent
# The first call may build the tool and the image.
LIMIT_S = 1800
CANNOT = 2


class XtaskError(Exception):
    """The tool could not do its work; the message is its own."""


@dataclass(frozen=True)
class Report:
    """A run's report (docs/report.md), by scenario."""

    whole: dict[str, Any]
    scenarios: dict[str, dict[str, Any]]

    @property
    def names(self) -> list[str]:
        """Scenarios in the order they ran."""
        return list(self.scenarios)


def xtask(*arguments: str) -> str:
    """Run `cargo xtask` (or what the variable XTASK names) and return its standard output.

    Raises:
        XtaskError: if it could not do its work. A verdict that is not `pass` is no error.

    """
    command = [*shlex.split(os.environ.get("XTASK", "cargo xtask")), *arguments]
    try:
        ended = subprocess.run(command, cwd=WORKSPACE, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise XtaskError(f"{shlex.join(command)}: {error}") from error
    if ended.returncode not in (0, 1):
        raise XtaskError(f"{shlex.join(command)} ended with {ended.returncode}:\n{ended.stderr.strip()}")
    return ended.stdout


def expand(words: str) -> list[str]:
    """Names of the scenarios that a list of scenarios and groups means, in order, each once.

    Raises:
        XtaskError: if a word is neither

    """
    catalogue = json.loads(xtask("scenarios", "--json"))["scenarios"]
    names: list[str] = []
    for word in words.split(","):
        meant = [scenario["name"] for scenario in catalogue if word in (scenario["name"], scenario["group"], "all")]
        if not meant:
            raise XtaskError(f"{word} is no scenario and no group: `cargo xtask scenarios` lists them")
        names += [name for name in meant if name not in names]
    return names


def decode(line: Path, report: Path, *, emulated: bool) -> Report:
    """Turn the bytes of a serial line into a report, with JUnit XML and HTML beside it.

    Raises:
        XtaskError: if they are not those of an image of this tree

    """
    options = ["--emulated"] if emulated else []
    xtask("monitor", "--file", str(line), "--report", str(report), "--json", *options)
    whole = json.loads(report.read_text(encoding="utf-8"))
    return Report(whole, {scenario["name"]: scenario for scenario in whole["scenarios"]})

"""`cargo xtask` from Python: makes the card, tells what a group of scenarios has in it, and decodes a serial line."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

WORKSPACE = Path(__file__).resolve().parent.parent
# The first call may build the tool and the image.
LIMIT_S = 1800.0
# From the request to end until the end that is not asked for.
GRACE_S = 5.0
# Exit codes (docs/commands.md): all is well, and the work was done but something is not `pass`.
PASSED = 0
NOT_PASSED = 1


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


def xtask(*arguments: str, accept: Collection[int] = (PASSED,)) -> str:
    """Run `cargo xtask` (or what the variable XTASK names) and return its standard output.

    Args:
        arguments: the verb and its options
        accept: exit codes that are no error. For most verbs 1 is one: so ends what never came to the tool, such as
            rustup without a compiler

    Raises:
        XtaskError: if it could not do its work, or not in time

    """
    command = [*shlex.split(os.environ.get("XTASK", "cargo xtask")), *arguments]
    words = shlex.join(command)
    try:
        # A session of its own: what it starts can be ended with it.
        process = subprocess.Popen(
            command,
            cwd=WORKSPACE,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise XtaskError(f"{words}: {error}") from error
    try:
        stdout, stderr = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired as error:
        end(process)
        raise XtaskError(f"{words} was ended, not done within {LIMIT_S:g} s") from error
    except BaseException:
        # Ctrl-C does not reach another session by itself.
        end(process)
        raise
    if process.returncode not in accept:
        raise XtaskError(f"{words} ended with {process.returncode}:\n{stderr.strip()}")
    return stdout


def end(process: subprocess.Popen[str]) -> None:
    """End a program with all it has started: on request, and what is left after a while without being asked."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        # All may have ended meanwhile.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            # To the end of the pipes: whoever still holds them has not ended.
            process.communicate(timeout=GRACE_S)


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
    # Of an earlier run, and no answer to this one.
    report.unlink(missing_ok=True)
    xtask(
        "monitor",
        "--file",
        str(line),
        "--report",
        str(report),
        "--json",
        *options,
        accept=(PASSED, NOT_PASSED),
    )
    try:
        whole = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise XtaskError(f"`cargo xtask monitor` left no report at {report}: {error}") from error
    return Report(whole, {scenario["name"]: scenario for scenario in whole["scenarios"]})

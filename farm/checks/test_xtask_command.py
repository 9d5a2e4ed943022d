"""The tool's exit codes, and its end, with small programs in its place."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

import pytest

import xtask_command
from xtask_command import XtaskError, decode, xtask

GONE_S = 5


def stand_in(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let this Python be what is called."""
    monkeypatch.setenv("XTASK", shlex.join([sys.executable, "-c", code]))


@pytest.mark.parametrize("verb", ["sdcard", "scenarios", "power"])
def test_a_verb_that_cannot_fail_halfway_has_failed_with_1(monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    """It never came to the tool: rustup ends with 1 if it has no compiler."""
    stand_in(monkeypatch, "import sys; sys.exit('no compiler')")
    with pytest.raises(XtaskError, match="ended with 1:\nno compiler"):
        xtask(verb)


@pytest.mark.parametrize("code", [1, 2])
def test_a_line_that_left_no_report_is_an_error_and_no_older_report_is_taken_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: int
) -> None:
    """The exit code 1 is a result if there is one."""
    report = tmp_path / "report.json"
    report.write_text('{"scenarios": []}', encoding="utf-8")
    stand_in(monkeypatch, f"import sys; sys.exit({code})")
    with pytest.raises(XtaskError):
        decode(tmp_path / "serial.raw", report, emulated=True)


def test_a_verdict_that_is_not_pass_is_a_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The exit code 1 beside a report says that something did not pass."""
    report = tmp_path / "report.json"
    text = '{"scenarios": [{"name": "echo", "verdict": "fail"}]}'
    stand_in(monkeypatch, f"import pathlib, sys; pathlib.Path({str(report)!r}).write_text({text!r}); sys.exit(1)")
    assert decode(tmp_path / "serial.raw", report, emulated=True).names == ["echo"]


@pytest.mark.parametrize("deaf", [False, True])
def test_after_its_time_it_is_ended_with_all_it_has_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, deaf: bool
) -> None:
    """Neither the tool nor a compiler below it is left behind, whether or not they do what they are asked."""
    pid = tmp_path / "pid"
    ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " if deaf else ""
    note = f"pathlib.Path({str(pid)!r}).write_text(str(os.getpid()))"
    child = f"{ignore}import os, pathlib, time; {note}; time.sleep(600)"
    stand_in(monkeypatch, f"{ignore}import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])")
    monkeypatch.setattr(xtask_command, "LIMIT_S", 2)
    monkeypatch.setattr(xtask_command, "GRACE_S", 1.0, raising=False)
    begun = time.monotonic()
    with pytest.raises(XtaskError):
        xtask("sdcard")
    assert time.monotonic() - begun < 2 + 2 * GONE_S
    started = pid.read_text(encoding="utf-8")
    deadline = time.monotonic() + GONE_S
    while is_running(started):
        assert time.monotonic() < deadline, "it has been left behind"
        time.sleep(0.1)


def is_running(pid: str) -> bool:
    """Tell whether there is such a process, other than one that nobody has waited for."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(") ")[2][0] != "Z"

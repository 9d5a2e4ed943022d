"""The checks' own emulated board, with small programs in the place of the tool."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

import emulated
from emulated import EmulatedBoard
from test_xtask_command import is_running

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("says", ["", "no object", "{}"])
def test_a_program_that_becomes_no_board_is_not_waited_for_and_not_left_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str
) -> None:
    """A check that cannot begin fails, and ends."""
    pid = tmp_path / "pid"
    note = f"pathlib.Path({str(pid)!r}).write_text(str(os.getpid()))"
    say = f"print({says!r}, flush=True)" if says else "pass"
    code = f"import os, pathlib, time; {note}; {say}; time.sleep(20)"
    monkeypatch.setattr(emulated, "XTASK", [sys.executable, "-c", code])
    monkeypatch.setattr(emulated, "START_LIMIT_S", 3.0, raising=False)
    begun = time.monotonic()
    with pytest.raises((AssertionError, KeyError, ValueError)):
        EmulatedBoard(tmp_path)
    assert time.monotonic() - begun < 15
    assert not is_running(pid.read_text(encoding="utf-8")), "it has been left behind"

"""labgrid drives an emulated board over its serial line: power cycles, changed cards, boards that fail."""

from __future__ import annotations

import shlex
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from emulated import FARM, RUN_LIMIT_S, XTASK, EmulatedBoard, FarmRun, farm_command, run_farm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ITERATIONS = ("--card-options", "--iterations 20")
# From `cargo xtask run --peer model --fault list`: RELEASED never comes, and the scenario that meets it.
FAULT, MET_IN = "released-never", "handshake"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedBoard]:
    """Give a board that stays on the desk for several runs."""
    with EmulatedBoard(tmp_path_factory.mktemp("board")) as board:
        yield board


def agrees(run: FarmRun) -> None:
    """Check that the JUnit file says of each scenario what the report says."""
    assert run.report, run.output
    for scenario in run.report["scenarios"]:
        expected = {"pass": "passed", "skip": "skipped"}.get(scenario["verdict"], "failure")
        assert run.outcome(f"test_scenario[{scenario['name']}]") == expected, run.output


def test_the_card_is_swapped_between_two_power_cycles(board: EmulatedBoard) -> None:
    """Each run finds its own card, and leaves the power off."""
    for scenarios in (["bring-up", "echo", "handshake"], ["bring-up", "gencmd"]):
        run = run_farm(board.environment(), "--scenario", ",".join(scenarios), *ITERATIONS)
        assert run.code == 0, run.output
        assert [scenario["name"] for scenario in run.report["scenarios"]] == scenarios
        assert set(run.junit) == {f"test_scenario[{name}]" for name in scenarios} | {"test_nothing_else"}
        assert (run.report["rung"], run.report["timing"]) == ("emulated", "modelled")
        agrees(run)
        assert board.power("status") == "off"


def test_a_card_that_does_not_boot_is_a_clear_failure_and_the_power_is_off(board: EmulatedBoard) -> None:
    """A silent board is found by its silence."""
    (board.folder / "card.img").write_bytes(bytes(1 << 20))
    run = run_farm(board.environment(boot_s=2), "--card-as-it-is")
    assert run.code == 1, run.output
    assert "sent nothing within 2 s" in run.message("test_scenario[bring-up]"), run.output
    assert board.power("status") == "off"


def test_a_power_switch_that_does_not_answer_is_told_in_its_words(board: EmulatedBoard) -> None:
    """Nobody has to read a traceback to find that the emulated board was not started."""
    environment = board.environment()
    text = environment.read_text(encoding="utf-8")
    environment.write_text(text.replace(f"power {board.control}", "power 127.0.0.1:1"), encoding="utf-8")
    run = run_farm(environment, "--card-as-it-is", "--scenario", "bring-up")
    assert run.code == 1, run.output
    assert "no answer from a power switch at 127.0.0.1:1" in run.message("test_scenario[bring-up]"), run.output
    assert "may still be on" in run.output, run.output
    assert "Traceback" not in run.output, run.output
    assert "subprocess.py" not in run.output, run.output


def test_a_scenario_the_card_does_not_have_is_no_pass(board: EmulatedBoard) -> None:
    """The wrong card is not taken for the right one."""
    run = run_farm(board.environment(), "--scenario", "bring-up", *ITERATIONS)
    assert run.code == 0, run.output
    run = run_farm(board.environment(), "--scenario", "echo", "--card-as-it-is")
    assert run.code == 1, run.output
    assert "never came to echo" in run.message("test_scenario[echo]"), run.output
    assert "bring-up: pass" in run.message("test_nothing_else"), run.output


def test_a_board_that_fails_is_named_with_owner_and_reason(tmp_path: Path) -> None:
    """The failure in the JUnit file is the one of the report."""
    with EmulatedBoard(tmp_path, "--peer", "model", "--fault", FAULT) as board:
        run = run_farm(board.environment(), *ITERATIONS)
        assert run.code == 1, run.output
        agrees(run)
        (broken,) = (scenario for scenario in run.report["scenarios"] if scenario["name"] == MET_IN)
        assert broken["verdict"] in ("fail", "hung")
        message = run.message(f"test_scenario[{MET_IN}]")
        assert f"owner {broken['owner']}" in message, message
        assert broken["reason"] in message, message
        assert board.power("status") == "off"


def test_a_run_that_is_ended_from_outside_leaves_the_power_off(board: EmulatedBoard) -> None:
    """A CI ends a job by SIGTERM."""
    endless = ["--scenario", "echo", "--card-options", "--iterations 1000000", "--results", str(board.folder)]
    process = subprocess.Popen([*farm_command(board.environment()), *endless], cwd=FARM, stdout=subprocess.DEVNULL)
    wait_for_power(board, process)
    process.terminate()
    assert process.wait(RUN_LIMIT_S) == pytest.ExitCode.INTERRUPTED
    assert board.power("status") == "off"


def test_a_run_that_is_ended_and_cannot_switch_off_says_so(board: EmulatedBoard) -> None:
    """A power switch may fail at the end, too."""
    (board.folder / "card.img").write_bytes(bytes(1 << 20))
    broken, switch = board.folder / "broken", board.folder / "off.sh"
    off = f"{shlex.join(XTASK)} power {board.control} off"
    switch.write_text(f"test ! -e {shlex.quote(str(broken))} && exec {off}\n", encoding="utf-8")
    environment = board.environment()
    text = environment.read_text(encoding="utf-8")
    assert f"cmd_off: {off}" in text
    environment.write_text(text.replace(f"cmd_off: {off}", f"cmd_off: sh {switch}"), encoding="utf-8")
    command = [*farm_command(environment), "--card-as-it-is", "--results", str(board.folder)]
    process = subprocess.Popen(command, cwd=FARM, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_for_power(board, process)
    broken.touch()
    process.terminate()
    said, _ = process.communicate(timeout=RUN_LIMIT_S)
    assert process.returncode != 0, said
    assert "may still be on" in said, said
    assert board.power("off") == "off"


def wait_for_power(board: EmulatedBoard, run: subprocess.Popen[Any]) -> None:
    """Wait until the run has switched the board on."""
    deadline = time.monotonic() + RUN_LIMIT_S
    while board.power("status") != "on":
        assert run.poll() is None, "it ended before the board had power"
        assert time.monotonic() < deadline
        time.sleep(0.2)

"""Fixtures of a run on a board: the card is made, the board goes through its states, the serial line is decoded.

All are of one session: the board is booted once, and every test looks at the same report.
"""

from __future__ import annotations

import shlex
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from xtask_command import Report, XtaskError, decode, expand, xtask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from labgrid import Environment

    from vpuharness_strategy import VpuHarnessStrategy

# Of what a program said before it failed.
MOST_LINES = 20


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what a run can be told."""
    group = parser.getgroup("vpu-harness")
    group.addoption(
        "--scenario",
        default="basics",
        metavar="NAME[,NAME]",
        help="scenarios and groups to run, as for `cargo xtask sdcard` (default: basics)",
    )
    group.addoption(
        "--card-options",
        default="",
        metavar="OPTIONS",
        help="more options for `cargo xtask sdcard`, such as '--iterations 10 --firmware NAME'",
    )
    group.addoption(
        "--card-as-it-is", action="store_true", help="provide the environment's card without making it anew"
    )
    group.addoption(
        "--results",
        default="target/farm/report",
        metavar="DIR",
        help="folder for the serial line's bytes and the report (default: target/farm/report)",
    )


def pytest_configure() -> None:
    """Let a run that a CI ends (SIGTERM) end as by Ctrl-C: with the board's power off."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each scenario that was asked for, whether or not the board will come to it."""
    if "scenario" in metafunc.fixturenames:
        try:
            names = expand(metafunc.config.getoption("--scenario"))
        except XtaskError as error:
            raise pytest.UsageError(str(error)) from error
        metafunc.parametrize("scenario", names)


@pytest.fixture(scope="session")
def results(pytestconfig: pytest.Config) -> Path:
    """Folder for what the run leaves."""
    folder = Path(pytestconfig.getoption("--results")).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def card(pytestconfig: pytest.Config, env: Environment) -> None:
    """Make the card, or the files of the TFTP server, where the environment wants them."""
    if pytestconfig.getoption("--card-as-it-is"):
        return
    options = ["--scenario", pytestconfig.getoption("--scenario")]
    options += shlex.split(pytestconfig.getoption("--card-options"))
    images, folders = env.config.get_images(), env.config.get_paths()
    try:
        if "card" in images:
            xtask("sdcard", *options, "--out", images["card"])
        if "tftp" in folders:
            # The tool makes no folder: behind a mistyped mount point it would be on the wrong disk. This is none.
            Path(folders["tftp"]).mkdir(parents=True, exist_ok=True)
            xtask("sdcard", *options, "--folder", folders["tftp"])
    except XtaskError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def board(card: None, strategy: VpuHarnessStrategy) -> Iterator[VpuHarnessStrategy]:  # noqa: ARG001
    """Give the board; at the end its power is switched off, or the session fails and says that it may still be on."""
    try:
        yield strategy
    finally:
        try:
            strategy.power_off()
        except Exception as error:  # noqa: BLE001 (whatever a driver raises)
            pytest.fail(f"the board's power may still be on: {in_words(error)}", pytrace=False)


@pytest.fixture(scope="session")
def report(
    board: VpuHarnessStrategy,
    env: Environment,
    results: Path,
    record_testsuite_property: Callable[[str, object], None],
) -> Report:
    """Boot the board, listen to the end of its run, decode what came."""
    line = results / "serial.raw"
    # Nothing of an earlier run may be taken for this one's.
    for old in [*results.glob("report.*"), line]:
        old.unlink(missing_ok=True)
    try:
        board.transition("done")
    except Exception as error:  # noqa: BLE001 (whatever a driver raises)
        pytest.fail(f"the board did not run: {in_words(error)}", pytrace=False)
    finally:
        line.write_bytes(board.heard)
    try:
        report = decode(
            line, results / "report.json", emulated=bool(env.config.data.get("options", {}).get("emulated"))
        )
    except XtaskError as error:
        pytest.fail(f"{board.ending}, but the serial line cannot be read: {error}", pytrace=False)
    for name, value in properties(report, board):
        record_testsuite_property(name, value)
    return report


def in_words(error: Exception) -> str:
    """Tell what a driver raised, with what its program said."""
    said = error.output if isinstance(error, subprocess.CalledProcessError) else None
    if not said:
        return str(error)
    said = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    return "\n".join([str(error), *said.split("\n")[-MOST_LINES:]]).replace("\r", "\n").strip()


def properties(report: Report, board: VpuHarnessStrategy) -> list[tuple[str, Any]]:
    """Tell what the JUnit file says of the whole run."""
    whole = report.whole
    return [
        ("image", whole["image"]["git"]),
        ("board", whole["board"]["model"]),
        ("rung", whole["rung"]),
        ("timing", whole["timing"]),
        ("firmware", whole["peer"].get("date", "")),
        ("ending", board.ending),
        ("serial_bytes", len(board.heard)),
    ]

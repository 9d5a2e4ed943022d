"""The strategy's order of events, with drivers that write down what they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attr
import pexpect
import pytest
from labgrid import Target
from labgrid.driver import Driver, TFTPProviderDriver, USBSDMuxDriver, USBStorageDriver
from labgrid.factory import target_factory
from labgrid.protocol import ConsoleProtocol, PowerProtocol
from labgrid.strategy import StrategyError

from emulated import FARM, environment_of

if TYPE_CHECKING:
    from pathlib import Path

LAST_LINE = b"\x00harness: end, verdict pass\r\n\x00"

# What happened, in order; the fixture empties it.
events: list[str] = []


class Noting(Driver):
    """A driver that notes what happens to it."""

    def on_activate(self) -> None:
        """Note it."""
        events.append(f"{self.name} +")

    def on_deactivate(self) -> None:
        """Note it."""
        events.append(f"{self.name} -")


@attr.s(eq=False)
class NotingPower(Noting, PowerProtocol):
    """A power switch."""

    def on(self) -> None:
        """Note it."""
        events.append("on")

    def off(self) -> None:
        """Note it."""
        events.append("off")

    def cycle(self) -> None:
        """Nobody should use it: the console is connected in between."""
        raise AssertionError


@attr.s(eq=False)
class NotingConsole(Noting, ConsoleProtocol):
    """A board that says this, in these pieces, after power on; then it is silent."""

    pieces: list[bytes] = attr.ib(factory=list)

    def read(self, size: int = 1, timeout: float = 0.0, max_size: int | None = None) -> bytes:  # noqa: ARG002
        """Read the next piece."""
        switched = [event for event in events if event in ("on", "off")]
        if switched[-1:] != ["on"] or not self.pieces:
            raise pexpect.TIMEOUT("silent")
        return self.pieces.pop(0)

    def write(self, data: bytes) -> None:
        """Nobody should: the board reads nothing."""
        raise AssertionError(data)


@attr.s(eq=False)
class StuckConsole(NotingConsole):
    """A serial line that cannot be closed, as long as that matters."""

    is_stuck = True

    def on_deactivate(self) -> None:
        """Fail, as an adapter that was pulled out."""
        if self.is_stuck:
            raise OSError("gone")


@attr.s(eq=False)
class NotingMux(Noting, USBSDMuxDriver):
    """An SD mux without hardware."""

    bindings: ClassVar[dict[str, Any]] = {}

    def set_mode(self, mode: str) -> None:
        """Note it."""
        events.append(f"mux {mode}")


@attr.s(eq=False)
class NotingStorage(Noting, USBStorageDriver):
    """A card writer without hardware."""

    bindings: ClassVar[dict[str, Any]] = {}

    def write_image(self, filename: str) -> None:
        """Note it."""
        events.append(f"write {filename.rpartition('/')[2]}")


@attr.s(eq=False)
class NotingTftp(Noting, TFTPProviderDriver):
    """A TFTP server without network."""

    bindings: ClassVar[dict[str, Any]] = {}

    def stage(self, filename: str) -> None:
        """Note it."""
        events.append(f"stage {filename.rpartition('/')[2]}")


def strategy_on(folder: Path, pieces: list[bytes], console: type[Any] = NotingConsole, **bound: type[Driver]) -> Any:  # noqa: ANN401
    """Make the strategy on a target with these drivers beside power and console."""
    events.clear()
    (folder / "card.img").write_bytes(b"card")
    environment = folder / "environment.yaml"
    imports = f"imports: [{FARM}/vpuharness_card.py, {FARM}/vpuharness_strategy.py]"
    places = "images: {card: card.img}\npaths: {tftp: tftp}"
    environment.write_text(f"targets: {{main: {{}}}}\n{places}\n{imports}\n", encoding="utf-8")
    target = Target("main", env=environment_of(environment))
    power: type[Any] = NotingPower
    power(target, "power")
    console(target, "console", pieces)
    for name, driver in bound.items():
        driver(target, name)
    kind = target_factory.drivers["VpuHarnessStrategy"]
    return kind(target, "strategy", boot_s=0.2, silence_s=0.2, limit_s=5, off_s=0)


def test_with_an_sd_mux_the_card_is_written_without_power_and_the_line_is_open_before_power(tmp_path: Path) -> None:
    """The order that nothing else would notice being wrong: a card written under power, a first byte lost."""
    board = strategy_on(tmp_path, [b"abc", LAST_LINE], mux=NotingMux, storage=NotingStorage)
    board.transition("done")
    order = [event for event in events if event in ("on", "off", "console +", "console -") or " " in event]
    written = order.index("write card.img")
    assert order.index("off") < order.index("mux host") < written < order.index("mux dut") < order.index("console +")
    assert order.index("console +") < order.index("on")
    assert order[-1] == "off"
    assert board.heard == b"abc" + LAST_LINE
    assert board.ending == "the image ended with verdict pass"


def test_with_a_tftp_server_every_file_is_staged(tmp_path: Path) -> None:
    """All files of the folder, and a folder without files is refused."""
    board = strategy_on(tmp_path, [LAST_LINE], tftp=NotingTftp)
    (tmp_path / "tftp").mkdir()
    for name in ("kernel8.img", "config.txt"):
        (tmp_path / "tftp" / name).write_bytes(b"")
    board.transition("done")
    assert [event for event in events if event.startswith("stage")] == ["stage config.txt", "stage kernel8.img"]
    bare = tmp_path / "bare"
    bare.mkdir()
    with pytest.raises(StrategyError, match="has no files"):
        strategy_on(bare, [], tftp=NotingTftp).transition("provided")


def test_the_last_line_is_found_at_the_seam_of_two_reads(tmp_path: Path) -> None:
    """And what comes after it is not waited for."""
    board = strategy_on(tmp_path, [b"abc" + LAST_LINE[:9], LAST_LINE[9:], b"next run"], storage=NotingStorage)
    board.transition("done")
    assert board.heard == b"abc" + LAST_LINE


@pytest.mark.parametrize(
    ("pieces", "expected"), [([], "sent nothing within 0.2 s"), ([b"abc"], "was silent for 0.2 s")]
)
def test_a_silent_board_ends_with_the_power_off(tmp_path: Path, pieces: list[bytes], expected: str) -> None:
    """From the beginning it is an error; later it is a result, which the report then explains."""
    board = strategy_on(tmp_path, pieces, storage=NotingStorage)
    if pieces:
        board.transition("done")
        assert expected in board.ending
    else:
        with pytest.raises(StrategyError, match=expected):
            board.transition("done")
        with pytest.raises(StrategyError, match="out of order"):
            board.transition("done")
    assert [event for event in events if event in ("on", "off")][-1] == "off"


def test_a_serial_line_that_cannot_be_closed_keeps_no_board_under_power(tmp_path: Path) -> None:
    """The power goes off all the same, and the error is told."""
    board = strategy_on(tmp_path, [b"abc", LAST_LINE], console=StuckConsole, storage=NotingStorage)
    with pytest.raises(OSError, match="gone"):
        board.transition("done")
    # labgrid closes everything at the end of the program.
    board.console.is_stuck = False
    assert [event for event in events if event in ("on", "off")][-1] == "off"


def test_a_missing_card_is_answered_with_the_command_that_makes_it(tmp_path: Path) -> None:
    """Before the board gets power."""
    board = strategy_on(tmp_path, [], storage=NotingStorage)
    (tmp_path / "card.img").unlink()
    with pytest.raises(StrategyError, match="cargo xtask sdcard --out"):
        board.transition("booted")
    assert "on" not in events


def test_every_transition_begins_with_a_board_without_power(tmp_path: Path) -> None:
    """The same state again means a new power cycle only if the board has to go back."""
    board = strategy_on(tmp_path, [b"abc", LAST_LINE, b"def", LAST_LINE], storage=NotingStorage)
    board.transition("done")
    board.transition("done")
    assert events.count("on") == 1
    board.transition("booted")
    assert (events.count("on"), board.heard) == (2, b"def")
    board.transition("off")
    assert events[-1] == "off"

"""The labgrid strategy of a board that runs the harness: off, card provided, booted, done.

The board is always in one of these states. Whatever goes wrong on the way ends with the power off, and with a
`StrategyError` that says what was expected. The bytes of the serial line are kept as they come; `cargo xtask monitor`
makes the report of them.
"""

from __future__ import annotations

import enum
import re
import time
from pathlib import Path
from typing import Any

import attr
import pexpect
from labgrid.factory import target_factory
from labgrid.step import step
from labgrid.strategy import Strategy, StrategyError

# The image's last line. It is plain text between zero bytes, in the midst of a log that is not (docs/farm.md).
LAST_LINE = re.compile(rb"\x00harness: end, verdict ([a-z]+)\r\n\x00")
# Enough for the last line to be found at the seam of two reads.
SEAM = 64
READ_SIZE = 4096


class Status(enum.Enum):
    """Where the board is."""

    unknown = 0
    off = 1
    provided = 2
    booted = 3
    done = 4


@target_factory.reg_driver
@attr.s(eq=False)
class VpuHarnessStrategy(Strategy):
    """Takes a board from power off to the end of a run.

    The card comes by one of three ways, whichever is bound: an SD mux with a card writer, a card writer alone (the
    emulated board's `CardFileDriver`), or a TFTP server. The environment says what: `images: card:` is the file of
    `cargo xtask sdcard --out FILE`, `paths: tftp:` the folder of `cargo xtask sdcard --folder DIR`.

    Args:
        boot_s (float): from power on to the first byte at the latest
        silence_s (float): a board that sends nothing for so long has stopped; the image's watchdog takes 15 s
        limit_s (float): from power on to the last line at the latest
        off_s (float): the least time without power: a board with a serial adapter discharges slowly

    """

    bindings = {  # noqa: RUF012 (labgrid's way)
        "power": "PowerProtocol",
        "console": "ConsoleProtocol",
        "mux": {"USBSDMuxDriver", None},
        "storage": {"USBStorageDriver", "CardFileDriver", None},
        "tftp": {"TFTPProviderDriver", None},
    }

    boot_s: float = attr.ib(default=60.0, converter=float)
    silence_s: float = attr.ib(default=60.0, converter=float)
    limit_s: float = attr.ib(default=900.0, converter=float)
    off_s: float = attr.ib(default=2.0, converter=float)
    status: Status = attr.ib(default=Status.unknown)

    def __attrs_post_init__(self) -> None:
        """Begin with nothing heard."""
        super().__attrs_post_init__()
        self.broken: Exception | None = None
        self.heard = bytearray()
        self.ending = ""
        self.powered_at = 0.0

    @step(args=["status"])
    def transition(self, status: Status | str, *, step: Any) -> None:  # noqa: ANN401 (labgrid's step)
        """Go to a state by way of all states before it; `off` from anywhere.

        Raises:
            StrategyError: with what was expected and did not come; the board is off then

        """
        wanted = status if isinstance(status, Status) else Status[status]
        if self.broken:
            raise StrategyError(f"the board is out of order: {self.broken}") from self.broken
        if wanted == self.status:
            step.skip("nothing to do")
            return
        try:
            self._go_to(wanted)
        except BaseException as error:
            # Ctrl-C is no fault of the board.
            if isinstance(error, Exception):
                self.broken = error
            self.power_off()
            raise

    def force(self, status: Status | str) -> None:
        """Take the user's word for the state (`--lg-initial-state`)."""
        self.status = status if isinstance(status, Status) else Status[status]

    def power_off(self) -> None:
        """Leave the board without power, whatever state it is in. For the end of a session: safe to call twice."""
        try:
            self.target.deactivate(self.console)
        finally:
            # A serial line that cannot be closed must not keep the board under power.
            self.target.activate(self.power)
            self.power.off()
            self.status = Status.off

    def _go_to(self, wanted: Status) -> None:
        if wanted == Status.unknown:
            raise StrategyError("nobody can be sent to the state 'unknown'")
        # A state that lies behind is reached by way of off.
        if self.status == Status.unknown or wanted.value <= self.status.value:
            self.power_off()
        ways = {Status.off: self._provide, Status.provided: self._boot, Status.booted: self._listen}
        while self.status != wanted:
            ways[self.status]()
            self.status = Status(self.status.value + 1)

    def _provide(self) -> None:
        if self.storage is not None:
            self._write_card()
        elif self.tftp is not None:
            self._stage_files()
        else:
            raise StrategyError("the environment binds neither a card writer nor a TFTP server")

    def _write_card(self) -> None:
        card = self.target.env.config.get_image_path("card")
        if not Path(card).is_file():
            raise StrategyError(f"there is no card {card}: `cargo xtask sdcard --out {card}` makes it")
        if self.mux is not None:
            self.target.activate(self.mux)
            self.mux.set_mode("host")
        self.target.activate(self.storage)
        self.storage.write_image(card)
        self.target.deactivate(self.storage)
        if self.mux is not None:
            self.mux.set_mode("dut")

    def _stage_files(self) -> None:
        folder = Path(self.target.env.config.get_path("tftp"))
        files = sorted(path for path in folder.glob("*") if path.is_file())
        if not files:
            raise StrategyError(f"{folder} has no files: `cargo xtask sdcard --folder {folder}` makes them")
        self.target.activate(self.tftp)
        for file in files:
            self.tftp.stage(str(file))

    def _boot(self) -> None:
        self.heard.clear()
        self.ending = ""
        self.target.activate(self.power)
        self.power.off()
        time.sleep(self.off_s)
        # Before the power comes on: a serial line keeps nothing for those who come late.
        self.target.activate(self.console)
        self._discard()
        self.power.on()
        self.powered_at = time.monotonic()
        while not self.heard:
            if time.monotonic() - self.powered_at > self.boot_s:
                raise StrategyError(
                    f"the board sent nothing within {self.boot_s:g} s of power on: wrong card, wrong serial port "
                    "or rate, or no power"
                )
            self._read(1.0)

    def _discard(self) -> None:
        """Throw away what the adapter or the exporter still had of an earlier run."""
        deadline = time.monotonic() + 2.0
        while time.monotonic() < deadline:
            try:
                self.console.read(size=1, timeout=0.2)
            except pexpect.TIMEOUT:
                return

    def _listen(self) -> None:
        """Listen until the last line, silence or the limit. The last two are results: the report says `hung`."""
        last_byte = time.monotonic()
        searched = 0
        while not self.ending:
            last_line = LAST_LINE.search(self.heard, searched)
            searched = max(0, len(self.heard) - SEAM)
            now = time.monotonic()
            if last_line:
                self.ending = f"the image ended with verdict {last_line[1].decode()}"
            elif now - last_byte > self.silence_s:
                self.ending = f"the board was silent for {self.silence_s:g} s"
            elif now - self.powered_at > self.limit_s:
                self.ending = f"the board was not done within {self.limit_s:g} s"
            elif self._read(1.0):
                last_byte = time.monotonic()
        self.power_off()
        # Off, but with a run behind it: not to be provided anew when asked for the same.
        self.status = Status.booted

    def _read(self, timeout: float) -> bool:
        try:
            self.heard += self.console.read(size=1, timeout=timeout, max_size=READ_SIZE)
        except pexpect.TIMEOUT:
            return False
        return True

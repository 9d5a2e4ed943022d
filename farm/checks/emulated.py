"""An emulated board for a check, and a farm's run on it."""

from __future__ import annotations

import json
import os
import select
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from labgrid import Environment, target_factory

from xtask_command import WORKSPACE, xtask

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

FARM = WORKSPACE / "farm"
XTASK = shlex.split(os.environ.get("XTASK", "cargo xtask"))
# It may have to be compiled before.
START_LIMIT_S = 180.0
RUN_LIMIT_S = 180
END_LIMIT_S = 20


def environment_of(path: Path) -> Environment:
    """Load an environment, as often as need be: labgrid expects that a process loads one."""
    for kinds in (target_factory.drivers, target_factory.resources, target_factory.all_classes):
        for name in ("VpuHarnessStrategy", "CardFileDriver", "CardFile"):
            kinds.pop(name, None)
    return Environment(str(path))


class EmulatedBoard:
    """`cargo xtask emulate` with ports of its own and a card slot in a folder; off at first."""

    def __init__(self, folder: Path, *options: str) -> None:
        """Start it and find out its ports."""
        self.folder = folder
        self.slot = folder / "slot.img"
        ports = ["--tcp", "127.0.0.1:0", "--control", "127.0.0.1:0"]
        command = [*XTASK, "emulate", "--json", "--power", "off", "--card", str(self.slot), *ports, *options]
        self.process = subprocess.Popen(command, cwd=WORKSPACE, stdout=subprocess.PIPE, text=True)
        try:
            places = self._places()
            self.serial: str = places["serial"]["tcp"]
            self.control: str = places["control"]
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def _places(self) -> dict[str, Any]:
        """Wait for it to say where it is."""
        assert self.process.stdout
        ready, _, _ = select.select([self.process.stdout], [], [], START_LIMIT_S)
        assert ready, f"emulate does not say within {START_LIMIT_S} s where it is"
        places: dict[str, Any] = json.loads(self.process.stdout.readline())
        return places

    def __enter__(self) -> EmulatedBoard:
        """Give it away until the block's end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it as Ctrl-C would."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(END_LIMIT_S)
        finally:
            # One that does not end fails the check, and is not left behind.
            self.process.kill()

    def power(self, command: str) -> str:
        """Use the power switch; returns `on` or `off`."""
        power: str = json.loads(xtask("power", self.control, command, "--json"))["power"]
        return power

    def environment(self, **strategy: float) -> Path:
        """Write `emulated.yaml` with this board's ports, and with these options of the strategy."""
        text = (FARM / "emulated.yaml").read_text(encoding="utf-8")
        changes = {
            "port: 7901": f"port: {self.serial.rpartition(':')[2]}",
            "cargo xtask power 127.0.0.1:7902": f"{shlex.join(XTASK)} power {self.control}",
            "../target/farm/slot.img": str(self.slot),
            "../target/farm/card.img": str(self.folder / "card.img"),
            "- vpuharness": f"- {FARM}/vpuharness",
        }
        for option, value in strategy.items():
            changes[f"{option}: "] = f"{option}: {value} # "
        for old, new in changes.items():
            assert old in text, f"emulated.yaml no longer has {old!r}"
            text = text.replace(old, new)
        path = self.folder / "environment.yaml"
        path.write_text(text, encoding="utf-8")
        return path


@dataclass(frozen=True)
class FarmRun:
    """What `pytest --lg-env … farm` came to."""

    code: int
    output: str
    junit: dict[str, ElementTree.Element]
    report: dict[str, Any]

    def outcome(self, test: str) -> str:
        """Tell `passed`, or the element that says otherwise: `failure`, `error`, `skipped`."""
        said = [child.tag for child in self.junit[test] if child.tag != "properties"]
        return said[0] if said else "passed"

    def message(self, test: str) -> str:
        """Why a test did not pass."""
        return " ".join(child.get("message", "") for child in self.junit[test])


def farm_command(environment: Path) -> list[str]:
    """Tell how the farm's tests are run in a process of their own."""
    return [sys.executable, "-m", "pytest", "--lg-env", str(environment), str(FARM)]


def run_farm(environment: Path, *options: str) -> FarmRun:
    """Run the farm's tests in a process of their own, as a person or a CI job does."""
    folder = environment.parent
    junit, results = folder / "junit.xml", folder / "results"
    command = [*farm_command(environment), "--junitxml", str(junit), "--results", str(results), *options]
    ended = subprocess.run(command, cwd=FARM, capture_output=True, text=True, timeout=RUN_LIMIT_S, check=False)
    cases = ElementTree.parse(junit).iter("testcase")  # our own file, just written
    report = results / "report.json"
    return FarmRun(
        code=ended.returncode,
        output=ended.stdout + ended.stderr,
        junit={case.get("name", ""): case for case in cases},
        report=json.loads(report.read_text(encoding="utf-8")) if report.is_file() else {},
    )

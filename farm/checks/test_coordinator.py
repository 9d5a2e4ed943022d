"""The way of a farm: the board's serial line comes from an exporter, and its place from a coordinator."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from emulated import END_LIMIT_S, EmulatedBoard, run_farm

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

PLACE = "emulated-1"
READY_S = 30
# labgrid's programs, of the same virtual environment.
PROGRAMS = Path(sys.executable).parent


@contextmanager
def running(folder: Path, program: str, *arguments: str) -> Iterator[None]:
    """Let one of labgrid's programs run, its output in a file."""
    with (folder / f"{program}.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen([PROGRAMS / program, *arguments], stdout=log, stderr=log, cwd=folder)
        try:
            yield
        finally:
            process.terminate()
            process.wait(END_LIMIT_S)


def client(*arguments: str) -> str:
    """Run labgrid-client."""
    command = [str(PROGRAMS / "labgrid-client"), *arguments]
    ended = subprocess.run(command, check=True, capture_output=True, text=True, timeout=READY_S)
    return str(ended.stdout)


def wait_for(expected: str, *arguments: str) -> None:
    """Ask the coordinator until it answers, and the answer has this in it."""
    deadline = time.monotonic() + READY_S
    said = ""
    while time.monotonic() < deadline:
        try:
            said = client(*arguments)
            if expected in said:
                return
        except subprocess.CalledProcessError as error:
            said = error.stderr
        time.sleep(0.2)
    raise AssertionError(f"no {expected} within {READY_S} s, but: {said}")


def free_port() -> int:
    """Find a port for the coordinator, which cannot pick one and say so."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_a_place_is_acquired_run_and_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names the place alone, and finds the serial line behind it."""
    coordinator = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("LG_COORDINATOR", coordinator)
    monkeypatch.setenv("LG_PLACE", PLACE)
    with EmulatedBoard(tmp_path) as board:
        host, _, port = board.serial.rpartition(":")
        exporter = tmp_path / "exporter.yaml"
        exporter.write_text(
            f"{PLACE}: {{NetworkSerialPort: {{host: {host}, port: {port}, protocol: raw}}}}\n", encoding="utf-8"
        )
        environment = board.environment()
        local = f"NetworkSerialPort:\n        host: 127.0.0.1\n        port: {port}\n        protocol: raw\n"
        text = environment.read_text(encoding="utf-8")
        assert local in text
        environment.write_text(
            text.replace(local, "RemotePlace:\n        name: !template $LG_PLACE\n"), encoding="utf-8"
        )
        with running(tmp_path, "labgrid-coordinator", "-l", coordinator):
            wait_for("", "places")
            client("-p", PLACE, "create")
            client("-p", PLACE, "add-match", f"*/{PLACE}/*")
            with running(tmp_path, "labgrid-exporter", "-n", "rack", "--hostname", host, str(exporter)):
                wait_for("NetworkSerialPort", "resources")
                client("-p", PLACE, "acquire")
                run = run_farm(environment, "--scenario", "bring-up", "--card-options", "--iterations 20")
                client("-p", PLACE, "release")
        assert run.code == 0, run.output
        assert [scenario["name"] for scenario in run.report["scenarios"]] == ["bring-up"]
        assert board.power("status") == "off"

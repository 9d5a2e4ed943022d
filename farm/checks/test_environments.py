"""The environments and the exporter's file are what labgrid expects, as far as that shows without their hardware."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from labgrid import target_factory
from labgrid.util.yaml import load

from emulated import FARM, environment_of

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENTS = sorted({*FARM.glob("board-*.yaml"), FARM / "emulated.yaml"})


def test_all_environments_are_here() -> None:
    """None was overlooked."""
    assert [path.name for path in ENVIRONMENTS] == ["board-sdmux.yaml", "board-tftp.yaml", "emulated.yaml"]


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.name)
def test_an_environment_names_what_labgrid_has(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drivers and resources exist, and take the options that they are given."""
    monkeypatch.setenv("LG_PLACE", "pi3-1")
    main = environment_of(path).config.get_targets()["main"]
    for name, options in main["drivers"].items():
        known = {attribute.name for attribute in target_factory.drivers[name].__attrs_attrs__ if attribute.init}
        assert set(options) <= known, name
    for name in main["resources"]:
        assert name in target_factory.resources


def test_the_emulated_board_is_bound_as_a_whole() -> None:
    """The strategy finds power, console and card; no hardware is needed for that."""
    strategy = environment_of(FARM / "emulated.yaml").get_target().get_driver("VpuHarnessStrategy")
    assert (strategy.mux, strategy.tftp) == (None, None)
    assert strategy.storage.slot.path.endswith("slot.img")


def test_the_exporter_offers_what_labgrid_has() -> None:
    """Names of resources and of power models are labgrid's."""
    with (FARM / "exporter.yaml").open(encoding="utf-8") as file:
        groups = load(file)
    for group in groups.values():
        for name, options in group.items():
            assert name in target_factory.resources
            if name == "NetworkPowerPort":
                __import__(f"labgrid.driver.power.{options['model']}")

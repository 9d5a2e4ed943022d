"""The card of an emulated board, for labgrid: a file in place of an SD mux and a card writer.

`cargo xtask emulate --card FILE` reads the file each time the board is powered on, so a new card is put in by replacing
the file while the power is off.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import attr
from labgrid.driver import Driver
from labgrid.factory import target_factory
from labgrid.resource import Resource
from labgrid.step import step


@target_factory.reg_resource
@attr.s(eq=False)
class CardFile(Resource):
    """The slot of an emulated board.

    Args:
        path (str): the file given to `emulate --card`; relative to the environment's file

    """

    path: str = attr.ib(validator=attr.validators.instance_of(str))


@target_factory.reg_driver
@attr.s(eq=False)
class CardFileDriver(Driver):
    """Puts a card into the slot of an emulated board: what USBStorageDriver is for a real card."""

    bindings = {"slot": "CardFile"}  # noqa: RUF012 (labgrid's way)

    @Driver.check_active
    @step(args=["filename"])
    def write_image(self, filename: str) -> None:
        """Replace the card by this image, as a whole or not at all."""
        slot = Path(self.target.env.config.resolve_path(self.slot.path))
        slot.parent.mkdir(parents=True, exist_ok=True)
        beside = slot.with_name(slot.name + ".new")
        shutil.copyfile(filename, beside)
        os.replace(beside, slot)  # noqa: PTH105 (what it is)

//! Which firmware files each family of boards reads: the one place that decides what a card serves.
//!
//! The Pi 4's files (`start4*.elf`, `fixup4*.dat`; its second stage is in an EEPROM) are left off as long as the image
//! answers `skip` there: nothing here can show that such a card works. They join as one more constant in [`ON_CARD`].

use crate::firmware::Variant;

/// Boards that boot from the same files.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Names of the boards, for people.
    pub boards: &'static str,
    /// What the boot ROM loads from the card, if the board has it there.
    pub second_stage: Option<&'static str>,
    /// The VPU's program for a variant.
    pub start_file: fn(Variant) -> &'static str,
    /// Its relocations.
    pub fixup_file: fn(Variant) -> &'static str,
    /// The section of `config.txt` that only these boards read; `[all]` for the family that is read first.
    pub section: &'static str,
}

/// BCM2837: all start from the same four files.
const PI_3: Family = Family {
    boards: "3B, 3B+, 3A+, CM3, Zero 2 W",
    second_stage: Some("bootcode.bin"),
    start_file: Variant::start_file,
    fixup_file: Variant::fixup_file,
    section: "[all]",
};

/// The families that a card serves.
pub const ON_CARD: &[Family] = &[PI_3];

/// Names of all boards that a card serves.
pub fn boards() -> String {
    ON_CARD.iter().map(|family| family.boards).collect::<Vec<_>>().join(", ")
}

/// Whether this is what a boot ROM loads itself.
pub fn is_second_stage(name: &str) -> bool {
    ON_CARD.iter().any(|family| family.second_stage == Some(name))
}

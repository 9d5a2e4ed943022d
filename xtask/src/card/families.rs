//! Which firmware files each family of boards reads: the one place that decides what a card serves.

use emulator::card::CardFile;

use crate::firmware::{Release, Variant};

/// Boards that boot from the same files.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Names of the boards, for people.
    pub boards: &'static str,
    /// What a person with such a board has to know.
    pub note: Option<&'static str>,
    /// What the boot ROM loads from the card, if the board has it there.
    pub second_stage: Option<&'static str>,
    /// The VPU's program for a variant.
    pub start_file: fn(Variant) -> &'static str,
    /// Its relocations.
    pub fixup_file: fn(Variant) -> &'static str,
    /// The sections of `config.txt` that only these boards read.
    pub sections: &'static [&'static str],
    /// A release without these files makes a card without them, instead of none.
    pub is_optional: bool,
}

/// BCM2837: all start from the same four files.
const PI_3: Family = Family {
    boards: "3B, 3B+, 3A+, CM3, Zero 2 W",
    note: None,
    second_stage: Some("bootcode.bin"),
    start_file: Variant::start_file,
    fixup_file: Variant::fixup_file,
    sections: &["[pi3]", "[pi02]"],
    is_optional: false,
};

/// BCM2711: its second stage is in an EEPROM. `[pi4]` is true of all three boards.
const PI_4: Family = Family {
    boards: "4B, 400, CM4",
    note: Some("the image recognises them and answers `skip`"),
    second_stage: None,
    start_file: start4_file,
    fixup_file: fixup4_file,
    sections: &["[pi4]"],
    is_optional: true,
};

/// The families that a card serves, the oldest first.
pub const ON_CARD: &[Family] = &[PI_3, PI_4];

fn start4_file(variant: Variant) -> &'static str {
    match variant {
        Variant::Start => "start4.elf",
        Variant::StartDb => "start4db.elf",
        Variant::StartX => "start4x.elf",
        Variant::StartCd => "start4cd.elf",
    }
}

fn fixup4_file(variant: Variant) -> &'static str {
    match variant {
        Variant::Start => "fixup4.dat",
        Variant::StartDb => "fixup4db.dat",
        Variant::StartX => "fixup4x.dat",
        Variant::StartCd => "fixup4cd.dat",
    }
}

impl Family {
    /// The files of this family, by name, in the order in which they are loaded.
    pub fn names(&self, variant: Variant) -> Vec<&'static str> {
        let names = [self.second_stage, Some((self.start_file)(variant)), Some((self.fixup_file)(variant))];
        names.into_iter().flatten().collect()
    }

    /// Whether a card of this release serves the family, or has to.
    pub fn joins(&self, release: &Release, variant: Variant) -> bool {
        !self.is_optional || self.names(variant).iter().all(|name| release.folder.join(name).is_file())
    }

    /// Whether a card with these files serves the family.
    fn is_served_by(&self, files: &[CardFile]) -> bool {
        let has = |name: &&str| files.iter().any(|file| file.name == **name);
        Variant::ALL.iter().any(|variant| self.names(*variant).iter().all(has))
    }
}

/// Names of all boards that a card with these files serves.
pub fn boards(files: &[CardFile]) -> String {
    let served = ON_CARD.iter().filter(|family| family.is_served_by(files));
    let words = served.map(|family| match family.note {
        Some(note) => format!("{} ({note})", family.boards),
        None => family.boards.to_owned(),
    });
    words.collect::<Vec<_>>().join("; ")
}

/// Whether this is what a boot ROM loads itself.
pub fn is_second_stage(name: &str) -> bool {
    ON_CARD.iter().any(|family| family.second_stage == Some(name))
}

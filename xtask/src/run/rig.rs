//! A board that is booted many times: image, firmware and log strings are read once.

use anyhow::Result;
use emulator::board::Board;
use emulator::machine::Peer;
use harness::Plan;
use serde::{Deserialize, Serialize};

use super::pace::Pace;
use super::session::Settings;
use super::{Done, boot, limits};
use crate::card;
use crate::cli::BoardOptions;
use crate::digest::hex_digest;
use crate::firmware::{self, Release, Variant};
use crate::image::Image;
use crate::interrupt::Notice;
use crate::line::Strings;

/// More than any run takes: its own limits end it.
const NO_WALL_LIMIT_S: u64 = 365 * 86_400;

/// Everything that does not change from boot to boot.
pub struct Rig {
    board: Board,
    variant: Variant,
    release: Release,
    image: Image,
    strings: Strings,
    wall_limit_s: u64,
    interrupts: Notice,
}

/// What is booted: two boots are of one subject if nothing of this differs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Subject {
    /// Commit of the image.
    pub git: String,
    /// SHA-256 of `kernel8.img`.
    pub image_sha256: String,
    /// Firmware release.
    pub firmware: String,
    /// Which build of it.
    pub variant: String,
    /// SHA-256 of that build's file.
    pub firmware_sha256: String,
    /// Which board is emulated.
    pub board: String,
}

impl Rig {
    /// Finds the firmware, then builds the image.
    ///
    /// # Errors
    /// As `run`.
    pub fn set_up(options: &BoardOptions) -> Result<Self> {
        let release = firmware::at_hand(options.firmware.as_deref())?;
        release.read(options.variant.start_file())?;
        let image = Image::build(&options.build)?;
        let strings = Strings::read(&image.elf)?;
        Ok(Self {
            board: options.board,
            variant: options.variant,
            release,
            image,
            strings,
            wall_limit_s: NO_WALL_LIMIT_S,
            interrupts: Notice::default(),
        })
    }

    /// Ends a boot after so many seconds on the PC: for firmware of which it is not known that it gets anywhere.
    pub fn limited(self, wall_limit_s: u64) -> Self {
        Self { wall_limit_s, ..self }
    }

    /// Ends a boot when this comes; the boot's [`Done`] tells it.
    pub fn interrupted_by(self, interrupts: &Notice) -> Self {
        Self { interrupts: interrupts.clone(), ..self }
    }

    /// What it boots.
    ///
    /// # Errors
    /// If the firmware's file cannot be read.
    pub fn subject(&self) -> Result<Subject> {
        Ok(Subject {
            git: self.image.git.clone(),
            image_sha256: self.image.sha256.clone(),
            firmware: self.release.name.clone(),
            variant: self.variant.name().to_owned(),
            firmware_sha256: hex_digest(&self.release.read(self.variant.start_file())?),
            board: self.board.name.to_owned(),
        })
    }

    /// Boots a card with this plan. With a pace the run shows its part of the longer work.
    ///
    /// # Errors
    /// If the card cannot be made, or would not start a board.
    pub fn boot(&self, plan: &Plan, pace: Option<Pace>) -> Result<Done> {
        let card = card::assemble(&self.release, self.variant, plan, &self.image.kernel)?;
        let settings = Settings {
            board: self.board,
            peer: Peer::Firmware,
            seed: plan.seed,
            limits: limits(plan.limit_s, self.wall_limit_s),
            show_log: false,
            log_to_stderr: true,
            show_progress: pace.is_some(),
            raw: None,
            halt_arm_in: None,
            interrupts: self.interrupts.clone(),
            pace,
        };
        boot(card, &self.image.kernel, &self.strings, &settings)
    }
}

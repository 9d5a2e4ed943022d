//! Mailboxes and doorbells between the Arm and the VPU (hardware fact sheet 2 and 3).
//!
//! The block appears four times, 0x100 apart, once an owner; the Arm uses the first view and the VPU the second.
//! Mailbox 0 and bells 0 and 1 call the Arm; mailbox 1 and bells 2 and 3 call the VPU. Which view an access comes
//! through says who asks: that is what makes a configuration register one owner's.

use std::collections::VecDeque;

use super::block::{Block, Register, register, registers};
use super::device::{Context, Device};
use super::lines::{arm_source, source};
use crate::machine::EventKind;

/// Words a mailbox holds.
const DEPTH: usize = 8;

const SEMAPHORE_END: u32 = 0x1c;
const BELL_0: u32 = 0x40;
const BELL_3: u32 = 0x4c;
const ALL_INTERRUPTS: u32 = 0xf8;
const MY_INTERRUPTS: u32 = 0xfc;

// Offsets within one mailbox, which are at 0x80 and 0xa0 of a view.
const DATA_END: u32 = 0x0c;
const PEEK: u32 = 0x10;
const SENDER: u32 = 0x14;
const STATUS: u32 = 0x18;
const CONFIG: u32 = 0x1c;

const STATUS_FULL: u32 = 1 << 31;
const STATUS_EMPTY: u32 = 1 << 30;
const CONFIG_DATA_ENABLE: u32 = 1 << 0;
const CONFIG_CLEAR: u32 = 1 << 3;
const CONFIG_DATA_PENDING: u32 = 1 << 4;
const CONFIG_ENABLES: u32 = 0x7;
const ERROR_OVERFLOW: u32 = 1 << 9;
const ERROR_UNDERFLOW: u32 = 1 << 10;
/// A bell that was rung since it was last read.
const BELL_RUNG: u32 = 1 << 2;

const REGISTERS: &[Register] = &[
    registers(0x00, 8, "SEM"),
    registers(BELL_0, 4, "BELL"),
    registers(0x80, 4, "MAIL0_RW"),
    register(0x90, "MAIL0_POL"),
    register(0x94, "MAIL0_SND"),
    register(0x98, "MAIL0_STA"),
    register(0x9c, "MAIL0_CNF"),
    registers(0xa0, 4, "MAIL1_RW"),
    register(0xb0, "MAIL1_POL"),
    register(0xb4, "MAIL1_SND"),
    register(0xb8, "MAIL1_STA"),
    register(0xbc, "MAIL1_CNF"),
    register(ALL_INTERRUPTS, "ALL_IRQS"),
    register(MY_INTERRUPTS, "MY_IRQS"),
];

/// Registers of the first owner's view; the others are equal.
static BLOCK: Block = Block { name: "ARM_SBM", base: 0x7e00_b800, size: 0x400, registers: REGISTERS };

#[derive(Default)]
struct Mailbox {
    words: VecDeque<(u32, u8)>,
    config: u32,
    errors: u32,
}

impl Mailbox {
    fn status(&self) -> u32 {
        let full = if self.words.len() >= DEPTH { STATUS_FULL } else { 0 };
        let empty = if self.words.is_empty() { STATUS_EMPTY } else { 0 };
        full | empty | self.words.len() as u32
    }

    fn wants_reader(&self) -> bool {
        self.config & CONFIG_DATA_ENABLE != 0 && !self.words.is_empty()
    }

    fn read(&mut self, register: u32) -> u32 {
        match register {
            0..=DATA_END => match self.words.pop_front() {
                Some((word, _)) => word,
                None => {
                    self.errors |= ERROR_UNDERFLOW;
                    0
                }
            },
            PEEK => self.words.front().map_or(0, |(word, _)| *word),
            SENDER => self.words.front().map_or(0, |(_, owner)| u32::from(*owner)),
            STATUS => self.status(),
            _ => {
                let pending = if self.words.is_empty() { 0 } else { CONFIG_DATA_PENDING };
                self.config | self.errors | pending
            }
        }
    }

    fn push(&mut self, word: u32, owner: u8) {
        if self.words.len() < DEPTH {
            self.words.push_back((word, owner));
        } else {
            self.errors |= ERROR_OVERFLOW;
        }
    }

    fn configure(&mut self, value: u32) {
        self.config = value & CONFIG_ENABLES;
        self.errors = 0;
        if value & CONFIG_CLEAR != 0 {
            self.words.clear();
        }
    }
}

/// The block with its four views.
#[derive(Default)]
pub struct Mailboxes {
    mailbox: [Mailbox; 2],
    bell: [bool; 4],
    semaphore: [bool; 8],
}

impl Mailboxes {
    /// Level of doorbell 0, the line VideoCore interrupts the Arm with.
    pub fn bell_0(&self) -> bool {
        self.bell[0]
    }

    fn drive_lines(&self, context: &mut Context<'_>) {
        context.lines.set_arm(arm_source::MAILBOX, self.mailbox[0].wants_reader());
        context.lines.set_arm(arm_source::BELL_0, self.bell[0]);
        context.lines.set_arm(arm_source::BELL_1, self.bell[1]);
        let vpu = self.mailbox[1].wants_reader() || self.bell[2] || self.bell[3];
        context.lines.set(source::ARM, vpu);
    }

    fn all_interrupts(&self) -> u32 {
        let bells = (0..4).filter(|n| self.bell[*n]).fold(0, |bits, n| bits | 1 << n);
        let mail =
            u32::from(self.mailbox[0].wants_reader()) << 4 | u32::from(self.mailbox[1].wants_reader()) << 7;
        bells | mail
    }

    fn my_interrupts(&self, owner: u8) -> u32 {
        let (mailbox, bells) = match owner {
            0 => (&self.mailbox[0], self.bell[0] || self.bell[1]),
            1 => (&self.mailbox[1], self.bell[2] || self.bell[3]),
            _ => return 0,
        };
        u32::from(bells) | u32::from(mailbox.wants_reader()) << 1
    }
}

/// Splits an offset from the first view into the owner and the offset within a view.
fn view(offset: u32) -> (u8, u32) {
    ((offset >> 8 & 3) as u8, offset & 0xff)
}

fn mailbox_of(register: u32) -> Option<(usize, u32)> {
    match register {
        0x80..=0x9c => Some((0, register - 0x80)),
        0xa0..=0xbc => Some((1, register - 0xa0)),
        _ => None,
    }
}

impl Device for Mailboxes {
    fn block(&self) -> &'static Block {
        &BLOCK
    }

    fn read(&mut self, offset: u32, context: &mut Context<'_>) -> Option<u32> {
        let (owner, register) = view(offset);
        let value = match register {
            0..=SEMAPHORE_END => {
                u32::from(std::mem::replace(&mut self.semaphore[(register / 4) as usize], true))
            }
            BELL_0..=BELL_3 => {
                let rung = std::mem::take(&mut self.bell[((register - BELL_0) / 4) as usize]);
                if rung { BELL_RUNG } else { 0 }
            }
            ALL_INTERRUPTS => self.all_interrupts(),
            MY_INTERRUPTS => self.my_interrupts(owner),
            _ => {
                let (number, register) = mailbox_of(register)?;
                self.mailbox[number].read(register)
            }
        };
        self.drive_lines(context);
        Some(value)
    }

    fn write(&mut self, offset: u32, value: u32, context: &mut Context<'_>) -> Option<()> {
        let (owner, register) = view(offset);
        match register {
            0..=SEMAPHORE_END => self.semaphore[(register / 4) as usize] = false,
            BELL_0..=BELL_3 => {
                let number = ((register - BELL_0) / 4) as u8;
                self.bell[usize::from(number)] = true;
                context.note(EventKind::Bell { number });
                context.effects.end_slice = true;
            }
            _ => {
                let (number, register) = mailbox_of(register)?;
                match register {
                    0..=DATA_END => {
                        self.mailbox[number].push(value, owner);
                        context.note(EventKind::Mailbox { number: number as u8, word: value });
                        context.effects.end_slice = true;
                    }
                    CONFIG => self.mailbox[number].configure(value),
                    _ => {}
                }
            }
        }
        self.drive_lines(context);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::bench::Bench;
    use super::*;

    const ARM_VIEW: u32 = 0x000;
    const VPU_VIEW: u32 = 0x100;

    #[test]
    fn a_word_from_the_arm_interrupts_the_vpu_only_if_it_asked() {
        let (mut mail, mut bench) = (Mailboxes::default(), Bench::default());
        bench.write(&mut mail, ARM_VIEW + 0xa0, 0xc010_0008);
        assert_eq!(bench.lines.shared(), 0);
        bench.write(&mut mail, VPU_VIEW + 0xbc, CONFIG_DATA_ENABLE);
        assert_eq!(bench.lines.shared(), 1 << source::ARM);
        assert_eq!(bench.read(&mut mail, VPU_VIEW + 0xa0), 0xc010_0008);
        assert_eq!(bench.lines.shared(), 0);
    }

    #[test]
    fn status_says_empty_and_full_and_a_ninth_word_is_lost() {
        let (mut mail, mut bench) = (Mailboxes::default(), Bench::default());
        assert_eq!(bench.read(&mut mail, ARM_VIEW + 0x98), STATUS_EMPTY);
        for word in 0..9 {
            bench.write(&mut mail, VPU_VIEW + 0x80, word);
        }
        assert_eq!(bench.read(&mut mail, ARM_VIEW + 0x98), STATUS_FULL | 8);
        assert_ne!(bench.read(&mut mail, ARM_VIEW + 0x9c) & ERROR_OVERFLOW, 0);
        for word in 0..8 {
            assert_eq!(bench.read(&mut mail, ARM_VIEW + 0x80), word);
        }
        assert_eq!(bench.read(&mut mail, ARM_VIEW + 0x98), STATUS_EMPTY);
    }

    #[test]
    fn reading_a_bell_tells_once_that_it_was_rung_and_lowers_the_line() {
        let (mut mail, mut bench) = (Mailboxes::default(), Bench::default());
        bench.write(&mut mail, VPU_VIEW + BELL_0, 0);
        assert_eq!(bench.lines.arm(), 1 << arm_source::BELL_0);
        assert_eq!(bench.read(&mut mail, ARM_VIEW + BELL_0), BELL_RUNG);
        assert_eq!(bench.read(&mut mail, ARM_VIEW + BELL_0), 0);
        assert_eq!(bench.lines.arm(), 0);
    }

    #[test]
    fn bell_2_calls_the_vpu_and_ends_the_slice() {
        let (mut mail, mut bench) = (Mailboxes::default(), Bench::default());
        bench.write(&mut mail, ARM_VIEW + BELL_0 + 8, 0);
        assert_eq!(bench.lines.shared(), 1 << source::ARM);
        assert!(bench.effects.end_slice);
        assert_eq!(bench.read(&mut mail, VPU_VIEW + BELL_0 + 8), BELL_RUNG);
        assert_eq!(bench.lines.shared(), 0);
    }
}

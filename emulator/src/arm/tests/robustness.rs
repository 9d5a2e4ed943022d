//! Whatever an image executes, the core goes on, takes an exception, sleeps or stops with a fault.

use super::machine::*;
use crate::arm::sysreg::ROWS;
use crate::arm::{Outcome, Register};

/// xorshift64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// A word that is often a valid instruction: system and memory groups come up more than by chance.
fn word(random: &mut Random) -> u32 {
    let word = random.next() as u32;
    match random.next() % 4 {
        0 => 0xd500_0000 | word & 0x003f_ffff,
        1 => word & !(0x17 << 25) | 0x04 << 25,
        _ => word,
    }
}

#[test]
fn random_words_and_random_control_registers_never_upset_the_core() {
    let mut random = Random(0x1234_5678_9abc_def1);
    for _ in 0..300 {
        let level = 1 + (random.next() % 3) as u8;
        let mut machine = Machine::at_level(level, &[]);
        for register in 0..32 {
            let value = match random.next() % 3 {
                0 => DATA + random.next() % 0x4000,
                1 => DEVICE,
                _ => random.next(),
            };
            machine.core.set_register(register, value);
        }
        if random.next() & 1 == 0 {
            for row in ROWS.iter().filter(|row| row.permission.write <= 3) {
                if !matches!(row.register, Register::VBAR_EL1 | Register::VBAR_EL2 | Register::VBAR_EL3) {
                    machine.set(row.register, random.next());
                }
            }
        }
        for index in 0..512 {
            let word = word(&mut random);
            machine.load(CODE + index * 4, &[word]);
        }
        for index in 0..512 {
            machine.core.set_pc(CODE + index * 4);
            let run = machine.run(3);
            assert!(machine.core.exception_level() <= 3);
            match run.outcome {
                Outcome::Fault(_) => break,
                Outcome::Budget => assert_eq!(run.executed, 3),
                _ => {
                    machine.bus.lines.irq = true;
                    machine.core.wake_event();
                    machine.run(1);
                    machine.bus.lines.irq = false;
                }
            }
        }
    }
}

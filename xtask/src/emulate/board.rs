//! The board on the desk: off, or on and somewhere in its run. Power makes a machine, and takes it away.

use std::fmt;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use emulator::board::Board as Model;
use emulator::machine::{ArmSide, Config, EventLevel, Limit, Machine, Peer, Stop};

use crate::run::SLICE;

/// What is in the card's slot.
#[derive(Debug)]
pub enum Slot {
    /// A card made for this board.
    Made(Vec<u8>),
    /// A file that is read each time the board is powered on, so that the card can be swapped while it is off.
    File(PathBuf),
}

impl Slot {
    fn card(&self) -> Result<Vec<u8>> {
        match self {
            Self::Made(image) => Ok(image.clone()),
            Self::File(path) => {
                fs::read(path).with_context(|| format!("there is no card: reading {}", path.display()))
            }
        }
    }
}

/// A board, powered or not.
#[derive(Debug)]
pub struct Board {
    model: Model,
    peer: Peer,
    seed: u64,
    slot: Slot,
    power: Power,
}

enum Power {
    Off,
    On(Box<Machine>),
    /// On, and nothing moves any more: the board powered itself down, or never started.
    Still(String),
}

impl fmt::Debug for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "Off",
            Self::On(_) => "On",
            Self::Still(_) => "Still",
        })
    }
}

impl Board {
    /// A board without power.
    pub fn new(model: Model, peer: Peer, seed: u64, slot: Slot) -> Self {
        Self { model, peer, seed, slot, power: Power::Off }
    }

    /// Supplies power. One that has it already does not notice. A card that does not start a board gives, as on a real
    /// one, a board that has power and says nothing; why is in [`Board::state`].
    pub fn power_on(&mut self) {
        if !matches!(self.power, Power::Off) {
            return;
        }
        self.power = match self.start() {
            Ok(machine) => Power::On(Box::new(machine)),
            Err(error) => Power::Still(format!("the board does not start: {error:#}")),
        };
    }

    fn start(&self) -> Result<Machine> {
        let config = Config {
            board: self.model,
            seed: self.seed,
            card: self.slot.card()?,
            arm: ArmSide::Emulated,
            peer: self.peer,
            log: EventLevel::Off,
        };
        Ok(Machine::power_on(config)?)
    }

    /// Takes the power away, in the middle of whatever the board does.
    pub fn power_off(&mut self) {
        self.power = Power::Off;
    }

    /// True if it has power.
    pub fn is_on(&self) -> bool {
        !matches!(self.power, Power::Off)
    }

    /// True if it would do something if it was let.
    pub fn is_running(&self) -> bool {
        matches!(self.power, Power::On(_))
    }

    /// Lets it run for a moment. Returns what came out of its UARTs.
    pub fn run(&mut self) -> Vec<u8> {
        let Power::On(machine) = &mut self.power else { return Vec::new() };
        let stop = machine.run(Limit { instructions: Some(SLICE), ..Limit::default() });
        let bytes = machine.take_uart().iter().map(|sent| sent.byte).collect();
        let seconds = machine.now_ns() as f64 / 1e9;
        let end = match stop {
            Stop::Limit | Stop::Uart => None,
            Stop::Reset => machine.restart().err().map(|error| format!("does not start again: {error}")),
            Stop::PowerOff => Some("has powered itself down".to_owned()),
            Stop::AllAsleepForever => Some("sleeps for good".to_owned()),
            Stop::Fault(fault) => Some(format!("cannot be emulated any further: {fault}")),
        };
        if let Some(end) = end {
            self.power = Power::Still(format!("the board {end}, after {seconds:.3} s"));
        }
        bytes
    }

    /// What it does, in words: `running …`, or why it is still. Empty without power.
    pub fn state(&self) -> String {
        match &self.power {
            Power::Off => String::new(),
            Power::On(machine) => format!("running, for {:.3} s", machine.now_ns() as f64 / 1e9),
            Power::Still(why) => why.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(slot: Slot) -> Board {
        Board::new(Model::PI_3B, Peer::Model(None), 1, slot)
    }

    #[test]
    fn a_card_that_does_not_start_gives_a_powered_board_that_says_nothing() {
        for slot in [Slot::Made(vec![0; 4096]), Slot::File("/no/such/card.img".into())] {
            let mut board = board(slot);
            board.power_on();
            assert!(board.is_on() && !board.is_running());
            assert!(board.run().is_empty());
            assert!(board.state().starts_with("the board does not start: "), "{}", board.state());
            board.power_off();
            assert_eq!((board.is_on(), board.state()), (false, String::new()));
        }
    }
}

//! `cargo xtask emulate`: an emulated board on the desk. It has a power switch, a card in its slot, and a serial line
//! that carries what a real board's carries, byte for byte.

mod backlog;
mod board;
mod control;
mod line;
pub mod power;
mod pty;
mod tcp;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use clap::{Args, ValueEnum, value_parser};
use serde_json::{Value, json};

use crate::cli::{CardOptions, MachineOptions};
use crate::interrupt::Notice;
use crate::line::Announcement;
use crate::outcome::Outcome;
use crate::run;
use crate::terminal::say;
use board::{Board, Slot};
use control::{Command, Control, Request};
use line::{Counts, End, Line};
pub use pty::Pty;
use tcp::Tcp;

/// How often a board without work looks for commands and listeners.
const IDLE: Duration = Duration::from_millis(50);
/// The same while bytes wait for their time on the line, or for a listener to take them.
const PACED: Duration = Duration::from_millis(5);

/// Where the serial line is if nothing else is said: on this PC, at a port that the system picks.
const ANY_PORT: &str = "127.0.0.1:0";

/// Whether the board has power when the verb begins.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum InitialPower {
    /// It runs at once.
    On,
    /// It waits for `on` at the control port.
    Off,
}

/// Options of `emulate`.
#[derive(Args, Debug)]
pub struct Options {
    #[command(flatten)]
    pub card: CardOptions,
    #[command(flatten)]
    pub machine: MachineOptions,
    /// Offer the serial line at this TCP port, raw; the system picks one for port 0, and for no option at all.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "pty")]
    pub tcp: Option<String>,
    /// Offer the serial line as a pseudo-terminal.
    #[arg(long)]
    pub pty: bool,
    /// Let this be a link to the pseudo-terminal.
    #[arg(long, value_name = "PATH", requires = "pty")]
    pub link: Option<PathBuf>,
    /// Take `on`, `off`, `cycle` and `status` at this TCP port, a line each.
    #[arg(long, value_name = "HOST:PORT")]
    pub control: Option<String>,
    /// Begin with the power on or off.
    #[arg(long, value_enum, default_value = "on")]
    pub power: InitialPower,
    /// Send no faster than at this rate; without it as fast as the board is emulated.
    #[arg(long, value_name = "BITS/S", value_parser = value_parser!(u32).range(300..=4_000_000))]
    pub baud: Option<u32>,
}

/// Emulates the board until Ctrl-C.
///
/// # Errors
/// If there is no card, or a port cannot be had.
pub fn run(options: &Options, json: bool) -> Result<Outcome> {
    if options.power == InitialPower::Off && options.control.is_none() {
        bail!("--power off needs --control HOST:PORT, or nobody could ever switch the board on");
    }
    // A taken port is told before an image is built.
    let port = open_port(options)?;
    Control::check(options.control.as_deref())?;
    let board = plug_in(options)?;
    // A link outlives a program that is ended, so it comes late.
    let end =
        port.map_or_else(|| Pty::open(options.link.as_deref()).map(End::Pty), |tcp| Ok(End::Tcp(tcp)))?;
    // The handler comes last: what went before ends at once on Ctrl-C.
    let notice = Notice::of_interrupts()?;
    let serial = serial_line(&end, options)?;
    let mut desk = Desk { board, line: Line::new(end, options.baud) };
    if options.power == InitialPower::On {
        desk.switch_on()?;
    }
    let control = Control::open(options.control.as_deref())?;
    let places = Places { serial, control: control.address().map(|address| address.to_string()) };
    // Only a desk that has come to be is told of; the board has not done anything yet.
    places.announce(json);
    // Ctrl-C and SIGTERM are the ordinary end; a second one ends at once.
    while notice.check().is_ok() {
        desk.step(&control);
    }
    desk.switch_off();
    Ok(Outcome::Pass)
}

/// A board with its card, still off. A file must be there if the board is to run at once; it may come later otherwise.
fn plug_in(options: &Options) -> Result<Board> {
    let Options { card, machine, .. } = options;
    let peer = run::peer(machine)?;
    let slot = match &machine.card_image {
        Some(path) => Slot::File(path.clone()),
        None => Slot::Made(run::make_card_for(card, peer)?.0.into_image()),
    };
    Ok(Board::new(machine.board, peer, card.seed, slot))
}

/// The serial line's port, if it has one.
fn open_port(options: &Options) -> Result<Option<Tcp>> {
    if options.pty {
        return Ok(None);
    }
    Tcp::open(options.tcp.as_deref().unwrap_or(ANY_PORT)).map(Some)
}

fn serial_line(end: &End, options: &Options) -> Result<Value> {
    Ok(match end {
        End::Tcp(tcp) => json!({ "tcp": tcp.address()?.to_string() }),
        End::Pty(pty) => json!({ "pty": pty.device(), "link": options.link }),
    })
}

/// Where everything is.
struct Places {
    serial: Value,
    control: Option<String>,
}

impl Places {
    /// Who reads this can connect.
    fn announce(&self, json: bool) {
        let Self { serial, control } = self;
        if json {
            say!("{}", json!({ "serial": serial, "control": control }));
            return;
        }
        for (what, place) in serial.as_object().into_iter().flatten() {
            if let Value::String(place) = place {
                say!("serial line: {what} {place}");
            }
        }
        if let Some(control) = control {
            say!("power switch: tcp {control}");
        }
        say!("Ctrl-C ends it.");
    }
}

/// Everything on the desk.
struct Desk {
    board: Board,
    line: Line,
}

impl Desk {
    fn step(&mut self, control: &Control) {
        let wait = match (self.line.is_busy(), self.board.is_running()) {
            (true, _) => PACED,
            (false, true) => Duration::ZERO,
            (false, false) => IDLE,
        };
        if let Some(request) = control.next(wait) {
            self.obey(request);
        }
        self.line.attend();
        // A real UART is as slow as its line, and keeps the processor waiting. Nothing else waits for a listener.
        if self.board.is_running() && !self.line.is_busy() {
            let bytes = self.board.run();
            self.line.send(&bytes);
            if !self.board.is_running() {
                eprintln!("{}", self.board.state());
            }
        }
    }

    fn obey(&mut self, request: Request) {
        match request.command {
            Command::On => self.switch_on_anyhow(),
            Command::Off => self.switch_off(),
            Command::Cycle => {
                self.switch_off();
                self.switch_on_anyhow();
            }
            Command::Status => {}
        }
        let state = self.state();
        request.answer(format!("ok {state}"));
    }

    /// A board that does not start is silent: that is how a farm finds a card that does not boot.
    fn switch_on_anyhow(&mut self) {
        if let Err(still) = self.switch_on() {
            eprintln!("power on: {still}");
        }
    }

    /// Supplies power, if there is none yet.
    ///
    /// # Errors
    /// If the board does not start. It has power all the same.
    fn switch_on(&mut self) -> Result<()> {
        if self.board.is_on() {
            return Ok(());
        }
        // Whoever has connected by now hears the first byte.
        self.line.attend();
        self.board.power_on();
        ensure!(self.board.is_running(), "{}", self.board.state());
        self.line.begin(&Announcement.bytes());
        eprintln!("power on: {}", self.board.state());
        Ok(())
    }

    fn switch_off(&mut self) {
        if !self.board.is_on() {
            return;
        }
        self.board.power_off();
        eprintln!("power off: {}", in_words(self.line.cut()));
    }

    fn state(&self) -> String {
        if !self.board.is_on() {
            return "off".to_owned();
        }
        format!("on {}; {}", self.board.state(), in_words(self.line.counts()))
    }
}

/// What went over the line.
fn in_words(counts: Counts) -> String {
    let Counts { sent, lost, ignored } = counts;
    let mut text = format!("{sent} bytes sent");
    if lost > 0 {
        text += &format!(", {lost} of them heard by nobody");
    }
    if ignored > 0 {
        text += &format!("; {ignored} bytes came and were ignored: the image reads nothing");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_and_what_was_ignored_is_said() {
        assert_eq!(in_words(Counts { sent: 7, ..Counts::default() }), "7 bytes sent");
        let said = in_words(Counts { sent: 7, lost: 3, ignored: 1 });
        assert!(said.contains("3 of them heard by nobody") && said.contains("1 bytes came"), "{said}");
    }
}

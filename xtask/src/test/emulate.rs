//! `emulate` and `power` as people and farms use them: listeners of every kind, the power switch, Ctrl-C, wrong places.

mod desk;
mod listeners;

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use rustix::fs::{CWD, Mode, OFlags, mkfifoat};

use super::context::Context;
use crate::paths;
use desk::{AT_ONCE, Desk, PATIENCE};

/// Where the suite's card and links are.
fn file(name: &str) -> PathBuf {
    paths::target().join("report/emulate").join(name)
}

/// A run that sends more than a listener's buffers hold, and one that is soon over.
const LONG: [&str; 6] = ["--scenario", "echo,handshake", "--iterations", "2048", "--samples", "2048"];
const SHORT: [&str; 2] = ["--scenario", "bring-up"];

/// A card for the board's slot.
struct Card {
    path: String,
}

impl Card {
    fn make(context: &Context, name: &str, plan: &[&str]) -> Result<Self> {
        let path = file(name);
        paths::make_folder_of(&path)?;
        context.must_pass(context.xtask(["sdcard", "--out"])?.arg(&path).args(plan))?;
        Ok(Self { path: path.to_str().context("a path")?.to_owned() })
    }

    /// The model starts the image at once.
    fn options(&self) -> [&str; 4] {
        ["--card", &self.path, "--peer", "model"]
    }
}

/// Whatever is at the other end of the line, the board can be switched and ended at once; wrong places are told in words.
pub fn obeys_at_once(context: &Context) -> Result<()> {
    let card = Card::make(context, "long.img", &LONG)?;
    let short = Card::make(context, "short.img", &SHORT)?;
    listeners::come_and_go(&card).context("a listener that comes and goes")?;
    listeners::slow(&card).context("a listener that the board is too fast for")?;
    context.say("listeners: one that goes and comes back, one that falls behind, by TCP and pseudo-terminal");
    interrupted_anywhere(&card, &short).context("Ctrl-C")?;
    context.say("Ctrl-C: before power on, in the boot, in the run, after its end, without a card");
    wrong_places(context, &card)?;
    no_switch_before_the_board(context)?;
    context.say("told in words: taken ports, a link that cannot be, a card that does not start, no switch, another port");
    Ok(())
}

/// Ctrl-C is the ordinary end at every stage.
fn interrupted_anywhere(card: &Card, short: &Card) -> Result<()> {
    Desk::start(&card.options())?.ends().context("before power on")?;
    // The real firmware takes a while until it starts the image.
    let mut desk = Desk::start(&["--card", &card.path])?;
    desk.answers("on", "ok on running")?;
    desk.ends().context("in the boot")?;
    let mut desk = Desk::start(&card.options())?;
    desk.answers("on", "ok on running")?;
    thread::sleep(Duration::from_millis(500));
    desk.answers("status", "ok on running")?;
    desk.ends().context("in the run")?;
    let mut desk = Desk::start(&short.options())?;
    desk.answers("on", "ok on running")?;
    desk.says("has powered itself down")?;
    desk.answers("status", "ok on the board has powered itself down")?;
    // It has power, however still it is.
    desk.answers("on", "ok on the board has powered itself down")?;
    // Two cards that do not start a board, swapped while the power is off.
    desk.answers("off", "ok off")?;
    fs::write(&short.path, [0; 4096]).context("swapping the card")?;
    desk.answers("on", "ok on the board does not start: ")?;
    desk.answers("off", "ok off")?;
    fs::remove_file(&short.path).context("taking the card out")?;
    desk.answers("on", "ok on the board does not start: there is no card")?;
    desk.ends().context("after the end, without a card").map(drop)
}

fn wrong_places(context: &Context, card: &Card) -> Result<()> {
    let refused = |arguments: &[&str], words: &[&str]| -> Result<()> {
        let tool = context.xtask(["--json"])?.args(arguments);
        let ended = context.must_end_with(2, tool)?;
        ensure!(ended.stdout.is_empty(), "without a result there is one: {}", ended.stdout);
        for word in words {
            ensure!(ended.stderr.contains(word), "{arguments:?}: no {word:?} in\n{}", ended.stderr);
        }
        Ok(())
    };
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let place = taken.local_addr()?.to_string();
    let place = place.as_str();
    for option in ["--tcp", "--control"] {
        refused(&["emulate", option, place], &[place, "in use"])?;
    }
    let long = file(&"long".repeat(100));
    let precious = file("precious");
    fs::write(&precious, "precious")?;
    let in_file = precious.join("tty");
    let nowhere = file("no/folder/tty");
    for (link, word) in [
        (&long, "too long"),
        (&precious, "is no link"),
        (&in_file, "Not a directory"),
        (&nowhere, "No such file"),
    ] {
        let link = link.to_str().context("a path")?;
        refused(&["emulate", "--card", &card.path, "--pty", "--link", link], &[link, word])?;
    }
    ensure!(fs::read_to_string(&precious)? == "precious", "a file was replaced");

    let broken = file("broken.img");
    fs::write(&broken, [0; 4096])?;
    let broken = broken.to_str().context("a path")?;
    refused(&["emulate", "--card", broken], &["does not start"])?;
    let tool = context.xtask(["emulate", "--card"])?.arg(broken);
    let said = context.must_end_with(2, tool)?.stderr;
    ensure!(said.matches("does not start").count() == 1, "said otherwise than once:\n{said}");

    let mut desk = Desk::start(&card.options())?;
    let tool = context.xtask(["power"])?.args([desk.switch.as_str(), "on"]);
    let said = context.must_pass(tool)?;
    ensure!(said.stdout.starts_with("on running") && said.took < AT_ONCE, "{said:?}");
    // The serial line answers too, but is no switch.
    let serial = desk.serial.clone();
    refused(&["power", &serial, "status"], &[&serial, "no power switch"])?;
    desk.answers("off", "ok off")?;
    desk.ends()?;
    refused(&["power", "127.0.0.1:1", "on"], &["127.0.0.1:1", "refused"])?;
    refused(&["power", "somewhere", "on"], &["HOST:PORT"])?;
    refused(&["power", place, "fly"], &["cycle"])
}

/// While the board is still being made, nobody can leave a command that is carried out minutes later.
fn no_switch_before_the_board(context: &Context) -> Result<()> {
    // A card that never comes to its end, until the pipe is closed.
    let pipe = file("pipe.img");
    let _ = fs::remove_file(&pipe);
    mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).context("making a pipe")?;
    let place = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let tool = context.xtask(["emulate", "--peer", "model", "--control"])?.arg(place.to_string());
    let tool = tool.arg("--card").arg(&pipe);
    thread::scope(|scope| {
        let desk = scope.spawn(|| context.must_end_with(2, tool));
        let card = opened_by_a_reader(&pipe)?;
        let knocked = TcpStream::connect(place);
        drop(card);
        let said = desk.join().map_err(|_| anyhow!("the board's thread panicked"))??.stderr;
        ensure!(said.contains("does not start"), "an empty card starts:\n{said}");
        ensure!(knocked.is_err(), "the switch takes commands before there is a board");
        Ok(())
    })
}

/// The writing end of a pipe, once somebody reads it.
fn opened_by_a_reader(pipe: &Path) -> Result<OwnedFd> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match rustix::fs::open(pipe, OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()) {
            Ok(end) => return Ok(end),
            Err(error) => ensure!(Instant::now() < deadline, "nobody reads the card: {error}"),
        }
        thread::sleep(Duration::from_millis(20));
    }
}

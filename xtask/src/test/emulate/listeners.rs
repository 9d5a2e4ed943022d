//! Listeners that do not read, read slowly, go away and come back.

use std::fs::File;
use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use rustix::net::{AddressFamily, SocketType, connect, socket, sockopt};

use super::desk::{Desk, PATIENCE};
use super::{Card, file};

/// A listener that a board is too fast for.
const SLOW_BYTES: usize = 8;
const SLOW_EVERY: Duration = Duration::from_millis(500);

/// The switch is served while a line is backed up, by a listener that takes nothing or a few bytes now and then.
pub fn slow(card: &Card) -> Result<()> {
    thread::scope(|scope| {
        let by_tcp = scope.spawn(|| slow_by_tcp(card).context("a TCP port"));
        slow_by_pty(card).context("a pseudo-terminal")?;
        by_tcp.join().map_err(|_| anyhow!("the listener at the TCP port panicked"))?
    })
}

fn slow_by_pty(card: &Card) -> Result<()> {
    let link = file("slow-tty");
    let link = link.to_str().context("a path")?;
    let mut desk = Desk::start(&[&["--pty", "--link", link][..], &card.options()].concat())?;
    let silent = File::open(link)?;
    held_up(&mut desk, File::open(link)?)?;
    // Now by one that takes nothing.
    desk.answers("on", "ok on")?;
    thread::sleep(Duration::from_secs(2));
    let said = desk.ends().context("Ctrl-C while the line is backed up")?;
    ensure!(File::open(link).is_err(), "the link is left behind:\n{said}");
    drop(silent);
    Ok(())
}

fn slow_by_tcp(card: &Card) -> Result<()> {
    let mut desk = Desk::start(&card.options())?;
    let listener = with_a_small_buffer(&desk.serial)?;
    held_up(&mut desk, listener)?;
    desk.ends().map(drop)
}

/// A connection whose own buffer is as small as the system lets it be.
fn with_a_small_buffer(address: &str) -> Result<TcpStream> {
    let address: SocketAddr = address.parse()?;
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    sockopt::set_socket_recv_buffer_size(&socket, 1)?;
    connect(&socket, &address)?;
    Ok(TcpStream::from(socket))
}

fn held_up(desk: &mut Desk, mut line: impl Read + Send + 'static) -> Result<()> {
    let done = Arc::new(AtomicBool::new(false));
    let is_done = Arc::clone(&done);
    let reader = thread::spawn(move || {
        let mut bytes = [0; SLOW_BYTES];
        while !is_done.load(Ordering::Relaxed) && line.read(&mut bytes).is_ok_and(|some| some > 0) {
            thread::sleep(SLOW_EVERY);
        }
    });
    desk.answers("on", "ok on")?;
    let begun = Instant::now();
    while !desk.all.contains("falls behind") {
        ensure!(begun.elapsed() < PATIENCE, "it never falls behind, but\n{}", desk.all);
        desk.answers("status", "ok on running")?;
        thread::sleep(SLOW_EVERY);
        desk.listen();
    }
    // One that never catches up is not waited for any longer.
    desk.says("not waited for")?;
    desk.answers("status", "ok on")?;
    desk.answers("off", "ok off")?;
    done.store(true, Ordering::Relaxed);
    ensure!(reader.join().is_ok(), "the reader");
    Ok(())
}

/// A listener that goes away in mid-run costs what was sent meanwhile, and hears the rest when it is back; the power can be
/// switched in mid-run, and twice.
pub fn come_and_go(card: &Card) -> Result<()> {
    let mut desk = Desk::start(&card.options())?;
    desk.answers("off", "ok off")?;
    desk.answers("status", "ok off")?;
    let mut first = TcpStream::connect(&desk.serial)?;
    desk.answers("on", "ok on running")?;
    read_until(&mut first, b"boot: ")?;
    drop(first);
    desk.says("has left")?;
    desk.answers("on", "ok on running")?;
    let mut second = TcpStream::connect(&desk.serial)?;
    let heard = read_until(&mut second, b"harness: end, verdict ")?;
    ensure!(
        count(&heard, b"machine: emulated") == 1,
        "whoever comes back is told once that times are modelled"
    );
    ensure!(count(&heard, b"boot: ") == 0, "switching on a board that is on has begun it anew");

    for _ in 0..2 {
        desk.answers("cycle", "ok on running")?;
        let heard = read_until(&mut second, b"boot: ")?;
        ensure!(count(&heard, b"machine: emulated") == 1, "a power cycle in mid-run begins anew");
    }
    desk.answers("off", "ok off")?;
    desk.answers("off", "ok off")?;
    desk.answers("fly", "error ")?;
    let said = desk.ends()?;
    ensure!(said.matches("power on: ").count() == 3, "switched on otherwise than three times:\n{said}");
    ensure!(said.matches("power off: ").count() == 3, "switched off otherwise than three times:\n{said}");
    Ok(())
}

/// What comes until this has come.
fn read_until(line: &mut TcpStream, end: &[u8]) -> Result<Vec<u8>> {
    line.set_read_timeout(Some(PATIENCE))?;
    let mut heard = Vec::new();
    let mut piece = [0; 4096];
    while count(&heard, end) == 0 {
        let some = line.read(&mut piece).with_context(|| heard.escape_ascii().to_string())?;
        ensure!(some > 0, "the line is closed after {}", heard.escape_ascii());
        heard.extend(&piece[..some]);
    }
    Ok(heard)
}

fn count(heard: &[u8], part: &[u8]) -> usize {
    heard.windows(part.len()).filter(|window| *window == part).count()
}

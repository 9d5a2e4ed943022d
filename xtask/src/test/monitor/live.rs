//! A line that is heard while it speaks: a pseudo-terminal, and a TCP port.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use harness::Verdict;
use harness::report::Report;
use rustix::process::{Pid, Signal, kill_process};

use super::super::context::Context;
use super::{Recorded, file, same, verdicts};
use crate::emulate::Pty;
use crate::report;

/// No step of these takes longer on a PC with other work to do.
const PATIENCE: Duration = Duration::from_secs(40);
/// What a UART's driver hands on at once.
const BURST: usize = 512;

/// A running `monitor`, ended when it is dropped.
pub struct Monitor {
    child: Child,
    said: Receiver<String>,
    all: String,
    json: PathBuf,
}

impl Monitor {
    fn start(name: &str, arguments: &[&str]) -> Result<Self> {
        let program = std::env::current_exe().context("finding our own program")?;
        Self::of(Command::new(program), file(&format!("{name}.json")), arguments)
    }

    /// By a command that runs our program.
    pub fn of(mut command: Command, json: PathBuf, arguments: &[&str]) -> Result<Self> {
        let _ = fs::remove_file(&json);
        command.arg("monitor").args(arguments).arg("--report").arg(&json);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting monitor")?;
        let stderr = child.stderr.take().context("monitor has no standard error")?;
        let (sender, said) = channel();
        thread::spawn(move || {
            let lines = BufReader::new(stderr).lines().map_while(Result::ok);
            lines.for_each(|line| drop(sender.send(line)));
        });
        Ok(Self { child, said, all: String::new(), json })
    }

    /// Waits until it says so.
    pub fn says(&mut self, part: &str) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !self.all.contains(part) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.said.recv_timeout(left) {
                Ok(line) => self.all += &(line + "\n"),
                Err(_) => bail!("monitor never says {part:?}, but\n{}", self.all),
            }
        }
        Ok(())
    }

    fn interrupt(&self) -> Result<()> {
        let process = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(process.context("monitor has a process")?, Signal::INT).context("sending Ctrl-C")
    }

    /// Waits for its end, which must be this one.
    pub fn ends(&mut self, code: i32) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                self.all.extend(self.said.iter().map(|line| line + "\n"));
                ensure!(status.code() == Some(code), "{status}, expected {code}:\n{}", self.all);
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "monitor does not end:\n{}", self.all);
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn report(&self) -> Result<Report> {
        report::read(&self.json)
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An adapter that somebody has plugged in and opened.
fn plug_in(link: &Path) -> Result<Pty> {
    Pty::open(Some(link))
}

/// Sends in bursts. The first waits for a listener.
fn send(pty: &mut Pty, bytes: &[u8]) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    for burst in bytes.chunks(BURST) {
        while pty.send(burst) > 0 {
            ensure!(Instant::now() < deadline, "nobody listens");
            thread::sleep(Duration::from_millis(10));
        }
        while pty.is_behind() {
            ensure!(pty.attend().lost == 0, "monitor does not read");
            thread::sleep(Duration::from_millis(1));
        }
    }
    Ok(())
}

/// Everything that happens to a cable and a board.
pub fn on_a_pseudo_terminal(context: &Context, whole: &Recorded, resets: [&Recorded; 2]) -> Result<()> {
    let [by_image, by_watchdog] = resets;
    for (name, recorded, code) in
        [("pty", whole, 0), ("pty-reset", by_image, 1), ("pty-watchdog", by_watchdog, 1)]
    {
        let link = file(&format!("{name}-tty"));
        let mut pty = plug_in(&link)?;
        let mut monitor = Monitor::start(name, &[&link.to_string_lossy()])?;
        monitor.says("listening to")?;
        send(&mut pty, &recorded.bytes)?;
        monitor.ends(code)?;
        same(&monitor.report()?, &recorded.report)?;
        let raw = fs::read(file(&format!("{name}.raw"))).context("no bytes were kept")?;
        ensure!(raw == recorded.bytes, "other bytes were kept than were sent");
    }
    unplugged("unplugged", whole, 1, 0).context("unplugged and plugged in again")?;
    for part in [2, 6] {
        unplugged("unplugged-reset", by_watchdog, part, 1).context("unplugged around a reset")?;
    }
    power_cut(whole).context("the board's power cut in mid-run")?;
    interrupted(whole).context("Ctrl-C in mid-run")?;
    silent().context("a board that says nothing")?;
    context.say("pseudo-terminal: a run, resets in it, unplugged, power cut, Ctrl-C, silence");
    Ok(())
}

/// So many eighths of the line come before the adapter goes, the rest behind it.
fn unplugged(name: &str, recorded: &Recorded, eighths: usize, code: i32) -> Result<()> {
    let link = file(&format!("{name}-tty"));
    let (first, second) = recorded.bytes.split_at(recorded.cut_at(eighths, 8));
    let mut pty = plug_in(&link)?;
    let mut monitor = Monitor::start(name, &[&link.to_string_lossy()])?;
    monitor.says("listening to")?;
    send(&mut pty, first)?;
    thread::sleep(Duration::from_millis(300));
    drop(pty);
    monitor.says("is gone")?;
    let mut pty = plug_in(&link)?;
    monitor.says("is back")?;
    send(&mut pty, second)?;
    monitor.ends(code)?;
    same(&monitor.report()?, &recorded.report)
}

fn power_cut(whole: &Recorded) -> Result<()> {
    let link = file("power-tty");
    // An earlier session's is not overwritten.
    let before = file("power-1.json");
    for ending in ["json", "html", "xml"] {
        let _ = fs::remove_file(before.with_extension(ending));
    }
    let mut pty = plug_in(&link)?;
    let mut monitor = Monitor::start("power", &[&link.to_string_lossy()])?;
    monitor.says("listening to")?;
    // Without the zero byte that ends the piece: a cut is nowhere in particular.
    send(&mut pty, &whole.bytes[..whole.cut_at(6, 10) - 2])?;
    send(&mut pty, &whole.bytes)?;
    monitor.ends(1)?;
    same(&monitor.report()?, &whole.report)?;
    let before = report::read(&before)?;
    ensure!(before.verdict() == Verdict::Hung, "the run that was cut off is {:?}", verdicts(&before));
    ensure!(before.scenarios.len() >= whole.report.scenarios.len(), "{:?}", verdicts(&before));
    Ok(())
}

fn interrupted(whole: &Recorded) -> Result<()> {
    let link = file("ctrl-c-tty");
    let mut pty = plug_in(&link)?;
    let mut monitor = Monitor::start("ctrl-c", &[&link.to_string_lossy()])?;
    monitor.says("listening to")?;
    let sent = &whole.bytes[..whole.cut_at(6, 10)];
    send(&mut pty, sent)?;
    monitor.says("bring-up: pass")?;
    thread::sleep(Duration::from_millis(300));
    monitor.interrupt()?;
    monitor.ends(130)?;
    let report = monitor.report()?;
    ensure!(verdicts(&report).contains(&("bring-up", Verdict::Pass)), "{:?}", verdicts(&report));
    ensure!(report.verdict() == Verdict::Hung, "{:?}", verdicts(&report));
    ensure!(fs::read(file("ctrl-c.raw"))? == sent, "other bytes were kept than were sent");
    Ok(())
}

fn silent() -> Result<()> {
    let link = file("silent-tty");
    let _pty = plug_in(&link)?;
    let mut monitor = Monitor::start("silent", &[&link.to_string_lossy(), "--first-byte-s", "12"])?;
    monitor.says("pin 8")?;
    monitor.ends(1)?;
    ensure!(verdicts(&monitor.report()?) == [("boot", Verdict::Hung)], "{:?}", monitor.report()?);
    Ok(())
}

/// A connection that is cut in mid-run; then an emulated board that runs while it is heard.
pub fn over_tcp(context: &Context, whole: &Recorded) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut monitor = Monitor::start("tcp", &["--tcp", &listener.local_addr()?.to_string()])?;
    let (first, second) = whole.bytes.split_at(whole.cut_at(1, 2));
    let (mut connection, _) = listener.accept()?;
    connection.write_all(first)?;
    drop(connection);
    let (mut connection, _) = listener.accept()?;
    connection.write_all(second)?;
    monitor.ends(0)?;
    same(&monitor.report()?, &whole.report)?;
    emulated_board(whole).context("an emulated board over TCP")?;
    context.say("TCP: a connection cut in mid-run, and an emulated board heard while it runs");
    Ok(())
}

fn emulated_board(whole: &Recorded) -> Result<()> {
    let program = std::env::current_exe().context("finding our own program")?;
    let arguments = ["emulate", "--json", "--power", "off", "--control", "127.0.0.1:0"];
    let scenarios = ["--scenario", "bring-up,echo,handshake", "--iterations", "40"];
    let mut board = Command::new(program)
        .args(arguments)
        .args(scenarios)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("starting emulate")?;
    let heard = hear(&mut board);
    let _ = board.kill();
    let _ = board.wait();
    same(&heard?, &whole.report)
}

fn hear(board: &mut Child) -> Result<Report> {
    let stdout = board.stdout.take().context("emulate has no standard output")?;
    let mut line = String::new();
    BufReader::new(stdout.take(4096)).read_line(&mut line)?;
    let places: serde_json::Value = serde_json::from_str(&line).context("emulate says where it is")?;
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned).context("an address");
    let (serial, control) = (text(&places["serial"]["tcp"])?, text(&places["control"])?);
    let mut monitor = Monitor::start("emulated", &["--tcp", &serial])?;
    monitor.says("listening to")?;
    let mut switch = std::net::TcpStream::connect(&control)?;
    writeln!(switch, "on")?;
    monitor.ends(0)?;
    monitor.report()
}

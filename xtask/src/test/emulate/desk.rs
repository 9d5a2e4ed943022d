//! A running `cargo xtask emulate`, and its power switch.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// The switch and Ctrl-C are served within this, whatever listeners do.
pub const AT_ONCE: Duration = Duration::from_secs(1);
/// No other step takes longer on a PC with other work to do.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// The verb in a process of its own.
pub struct Desk {
    program: Program,
    said: Receiver<String>,
    /// Standard error so far.
    pub all: String,
    /// Where the serial line is.
    pub serial: String,
    control: BufReader<TcpStream>,
    /// Where the power switch is.
    pub switch: String,
}

impl Desk {
    /// A board without power, with this card and these options.
    pub fn start(options: &[&str]) -> Result<Self> {
        let program = std::env::current_exe().context("finding our own program")?;
        let mut command = Command::new(program);
        command.args(["emulate", "--json", "--power", "off", "--control", "127.0.0.1:0"]).args(options);
        Self::of(command, PATIENCE)
    }

    /// Starts it, and waits so long for it to say where it is.
    fn of(mut command: Command, patience: Duration) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = Program(command.spawn().context("starting emulate")?);
        let said = lines_of(program.0.stderr.take().context("emulate has no standard error")?);
        let places = lines_of(program.0.stdout.take().context("emulate has no standard output")?);
        let line = places.recv_timeout(patience).unwrap_or_default();
        let places: Value = serde_json::from_str(&line).with_context(|| {
            // What it said is whole once it has ended.
            program.end();
            format!("emulate does not say where it is:\n{}", said.iter().collect::<Vec<_>>().join("\n"))
        })?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let serial = text(&places["serial"]["tcp"]).or_else(|| text(&places["serial"]["pty"]));
        let switch = text(&places["control"]).context("no power switch")?;
        let connection = TcpStream::connect(&switch).context("connecting to the power switch")?;
        connection.set_read_timeout(Some(PATIENCE))?;
        let control = BufReader::new(connection);
        let serial = serial.context("no serial line")?;
        Ok(Self { program, said, all: String::new(), serial, control, switch })
    }

    /// Sends a command to the switch. The answer, and how long it took.
    pub fn ask(&mut self, command: &str) -> Result<(String, Duration)> {
        let asked = Instant::now();
        writeln!(self.control.get_mut(), "{command}")?;
        let mut answer = String::new();
        self.control.read_line(&mut answer).with_context(|| format!("no answer to {command}"))?;
        Ok((answer.trim_end().to_owned(), asked.elapsed()))
    }

    /// The same, with an answer that begins so and comes at once.
    pub fn answers(&mut self, command: &str, start: &str) -> Result<String> {
        let (answer, took) = self.ask(command)?;
        ensure!(took < AT_ONCE, "{command} took {took:?}");
        ensure!(answer.starts_with(start), "{command} is answered by {answer:?}, not by {start}");
        Ok(answer)
    }

    /// Takes what it has said on standard error meanwhile.
    pub fn listen(&mut self) {
        self.all.extend(self.said.try_iter().map(|line| line + "\n"));
    }

    /// Waits until it says so on standard error.
    pub fn says(&mut self, part: &str) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !self.all.contains(part) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.said.recv_timeout(left) {
                Ok(line) => self.all += &(line + "\n"),
                Err(_) => bail!("emulate never says {part:?}, but\n{}", self.all),
            }
        }
        Ok(())
    }

    /// Ctrl-C, which must end it at once, with the exit code 0.
    pub fn ends(mut self) -> Result<String> {
        interrupt(&self.program.0)?;
        let interrupted = Instant::now();
        let status = end_of(&mut self.program.0, PATIENCE)?;
        let took = interrupted.elapsed();
        self.all.extend(self.said.iter().map(|line| line + "\n"));
        ensure!(took < AT_ONCE, "Ctrl-C took {took:?}:\n{}", self.all);
        ensure!(status == Some(0), "it ends with {status:?}:\n{}", self.all);
        Ok(std::mem::take(&mut self.all))
    }
}

/// A process that is ended when it is dropped.
struct Program(Child);

impl Program {
    fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end();
    }
}

/// Lines as they come.
fn lines_of(source: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        let said = BufReader::new(source).lines().map_while(Result::ok);
        said.for_each(|line| drop(sender.send(line)));
    });
    lines
}

fn interrupt(child: &Child) -> Result<()> {
    let process = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    kill_process(process.context("emulate has a process")?, Signal::INT).context("sending Ctrl-C")
}

/// The exit code of a program that ends in this time.
fn end_of(child: &mut Child, patience: Duration) -> Result<Option<i32>> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code());
        }
        ensure!(Instant::now() < deadline, "emulate does not end");
        thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Starts a shell in the place of `emulate`. What is wrong with it, and the shell's process.
    fn start_a_shell(name: &str, script: &str) -> (String, Pid) {
        let note = std::env::temp_dir().join(format!("desk-{name}-{}", std::process::id()));
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("echo $$ > {}; {script}", note.display()));
        let error = Desk::of(command, Duration::from_secs(1)).err().unwrap();
        let pid = std::fs::read_to_string(&note).unwrap().trim().parse().unwrap();
        std::fs::remove_file(note).unwrap();
        (format!("{error:#}"), Pid::from_raw(pid).unwrap())
    }

    #[test]
    fn a_program_that_does_not_become_a_desk_is_not_waited_for_and_not_left_behind() {
        for (name, script, word) in [
            ("silent", "exec sleep 60", "does not say where it is"),
            ("wrong", "echo 'no object'; exec sleep 60", "does not say where it is"),
            ("placeless", "echo '{}'; exec sleep 60", "no power switch"),
            ("brief", "echo hello >&2; exit 3", "hello"),
        ] {
            let begun = Instant::now();
            let (error, shell) = start_a_shell(name, script);
            assert!(error.contains(word), "{name}: {error}");
            assert!(begun.elapsed() < Duration::from_secs(30), "{name} was waited for");
            assert!(rustix::process::test_kill_process(shell).is_err(), "{name} was left behind");
        }
    }
}

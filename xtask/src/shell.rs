//! Runs other programs: each with a time limit, each printed on request, none through a shell.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How often it is looked whether a program that says nothing has ended.
const PAUSE: Duration = Duration::from_millis(50);

static VERBOSE: AtomicBool = AtomicBool::new(false);

/// Sets whether each command is printed before it runs (`-v`).
pub fn set_verbose(verbose: bool) {
    VERBOSE.store(verbose, Ordering::Relaxed);
}

/// Whether the user wants to see the exact commands.
pub fn is_verbose() -> bool {
    VERBOSE.load(Ordering::Relaxed)
}

/// A program to run, with what it is given.
#[derive(Clone, Debug)]
pub struct Tool {
    program: OsString,
    arguments: Vec<OsString>,
    environment: BTreeMap<OsString, Option<OsString>>,
    folder: Option<PathBuf>,
    limit: Duration,
}

/// What a program left behind.
#[derive(Clone, Debug)]
pub struct Finished {
    /// `None` if it was ended because its time was up.
    pub status: Option<ExitStatus>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
}

impl Finished {
    /// True if it ended by itself with exit code 0.
    pub fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

impl Tool {
    /// The program `program`, found through `PATH`, with a limit of one minute.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            folder: None,
            limit: Duration::from_secs(60),
        }
    }

    /// Adds an argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.insert(name.as_ref().to_owned(), Some(value.as_ref().to_owned()));
        self
    }

    /// Keeps environment variables of ours from it.
    pub fn without<N: AsRef<OsStr>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.environment.extend(names.into_iter().map(|name| (name.as_ref().to_owned(), None)));
        self
    }

    /// Runs in `folder`.
    pub fn folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = Some(folder.as_ref().to_owned());
        self
    }

    /// Ends the program, with all it has started, after `limit`.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it with its output going to the terminal (standard output too goes to standard error, so that a
    /// verb's own result stays alone on standard output).
    ///
    /// # Errors
    /// If it cannot be started, fails, or takes too long.
    pub fn run(&self) -> Result<()> {
        let mut child = self.spawn(Stdio::from(std::io::stderr()), Stdio::inherit())?;
        self.judge(wait(&mut child, self.limit)?)
    }

    /// Runs it with its standard error on the terminal, and gives each line of its standard output to `each` as it
    /// comes.
    ///
    /// # Errors
    /// As [`Tool::run`].
    pub fn run_lines(&self, mut each: impl FnMut(&str)) -> Result<()> {
        let deadline = Instant::now() + self.limit;
        let mut child = self.spawn(Stdio::piped(), Stdio::inherit())?;
        let lines = lines(child.stdout.take());
        let mut has_ended = false;
        while Instant::now() < deadline {
            match lines.recv_timeout(PAUSE) {
                Ok(line) => each(&line),
                Err(RecvTimeoutError::Disconnected) => break,
                // One that it started may keep the pipe open; what it wrote itself has come by now.
                Err(RecvTimeoutError::Timeout) if has_ended => break,
                Err(RecvTimeoutError::Timeout) => has_ended = child.try_wait()?.is_some(),
            }
        }
        self.judge(wait(&mut child, deadline.saturating_duration_since(Instant::now()))?)
    }

    /// Runs it and returns its standard output.
    ///
    /// # Errors
    /// If it cannot be started, fails (its standard error is then part of the message), or takes too long.
    pub fn read(&self) -> Result<String> {
        let finished = self.finish()?;
        let how = match finished.status {
            Some(status) if status.success() => return Ok(finished.stdout),
            Some(status) => format!("failed ({status})"),
            None => format!("was ended after {} s", self.limit.as_secs()),
        };
        bail!("{} {how}\n{}\nThe command was: {self}", self.name(), finished.stderr.trim_end())
    }

    /// Runs it and returns whatever came of it.
    ///
    /// # Errors
    /// Only if it cannot be started.
    pub fn finish(&self) -> Result<Finished> {
        let started = Instant::now();
        let mut child = self.spawn(Stdio::piped(), Stdio::piped())?;
        let stdout = collect(child.stdout.take());
        let stderr = collect(child.stderr.take());
        let status = wait(&mut child, self.limit)?;
        Ok(Finished { status, stdout: text(stdout), stderr: text(stderr), took: started.elapsed() })
    }

    /// True if the program can be started with these arguments and succeeds, with nothing shown.
    pub fn works(&self) -> bool {
        self.finish().is_ok_and(|finished| finished.succeeded())
    }

    /// The error of a program that did not end well.
    fn judge(&self, status: Option<ExitStatus>) -> Result<()> {
        match status {
            Some(status) if status.success() => Ok(()),
            Some(status) => bail!("{} failed ({status}): {self}", self.name()),
            None => bail!("{} was ended after {} s: {self}", self.name(), self.limit.as_secs()),
        }
    }

    fn spawn(&self, stdout: Stdio, stderr: Stdio) -> Result<Child> {
        if is_verbose() {
            eprintln!("+ {self}");
        }
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command.spawn().with_context(|| format!("{} cannot be started", self.name()))
    }

    fn name(&self) -> String {
        Path::new(&self.program).file_name().unwrap_or(&self.program).to_string_lossy().into_owned()
    }
}

/// The command as one would type it.
impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(folder) = &self.folder {
            write!(f, "cd {} && ", quoted(folder.as_os_str()))?;
        }
        let removed = self.environment.iter().filter(|(name, value)| {
            // One that is not set need not be shown.
            value.is_none() && std::env::var_os(name).is_some()
        });
        let mut removed = removed.map(|(name, _)| name.to_string_lossy()).peekable();
        if removed.peek().is_some() {
            write!(f, "env")?;
            for name in removed {
                write!(f, " -u {name}")?;
            }
            write!(f, " ")?;
        }
        for (name, value) in &self.environment {
            if let Some(value) = value {
                write!(f, "{}={} ", name.to_string_lossy(), quoted(value))?;
            }
        }
        write!(f, "{}", quoted(&self.program))?;
        for argument in &self.arguments {
            write!(f, " {}", quoted(argument))?;
        }
        Ok(())
    }
}

/// The word as a shell wants it.
pub fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Waits for the child; ends it and its descendants when `limit` is over, and then returns `None`.
fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let deadline = Instant::now() + limit;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            end_with_descendants(child);
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(PAUSE);
    }
}

/// Cargo does not pass its end on to the test it runs, so the whole tree is looked up before its root is ended.
fn end_with_descendants(child: &mut Child) {
    let mut tree = vec![child.id()];
    let mut next = 0;
    while let Some(&parent) = tree.get(next) {
        tree.extend(children_of(parent));
        next += 1;
    }
    for process in tree.iter().skip(1) {
        let mut kill = Command::new("kill");
        kill.args(["-KILL", &process.to_string()]).stderr(Stdio::null());
        // One that has ended meanwhile is what we want.
        let _ = kill.status();
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn children_of(parent: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    children.unwrap_or_default().split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// Reads a pipe to its end in the background.
fn collect(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error is still worth showing.
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

/// The lines of a pipe, read in the background. Bytes that are no text are replaced.
fn lines(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let Some(pipe) = pipe else { return };
        for line in BufReader::new(pipe).split(b'\n') {
            let Ok(line) = line else { return };
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The text of a collected pipe. A descendant that keeps the pipe open does not keep us waiting.
fn text(pipe: mpsc::Receiver<Vec<u8>>) -> String {
    let bytes = pipe.recv_timeout(Duration::from_secs(2)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let tool = Tool::new("apt-get").arg("-o").arg("Dir::Etc=/a b").env("LANG", "C").folder("/x");
        assert_eq!(tool.to_string(), "cd /x && LANG=C apt-get -o 'Dir::Etc=/a b'");
    }

    #[test]
    fn a_program_that_does_not_end_is_ended_with_what_it_started() {
        let started = Instant::now();
        let tool = Tool::new("sh").args(["-c", "sleep 30 & sleep 30"]).limit(Duration::from_millis(100));
        let finished = tool.finish().unwrap();
        assert_eq!(finished.status, None);
        assert!(started.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn lines_are_handed_on_as_they_come_and_a_failure_is_still_one() {
        let mut heard = Vec::new();
        let tool = Tool::new("sh").args(["-c", "echo one; printf 'two\\377'; exit 4"]);
        let error = tool.run_lines(|line| heard.push(line.to_owned())).unwrap_err();
        assert_eq!(heard, ["one", "two\u{fffd}"]);
        assert!(error.to_string().contains("exit status: 4"), "{error}");
    }

    #[test]
    fn a_program_that_ends_is_not_waited_for_because_it_left_another_behind() {
        let started = Instant::now();
        let mut heard = Vec::new();
        let tool = Tool::new("sh").args(["-c", "sleep 30 & echo one"]);
        tool.run_lines(|line| heard.push(line.to_owned())).unwrap();
        assert_eq!(heard, ["one"]);
        assert!(started.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_program_that_is_silent_is_ended_at_its_limit() {
        let tool = Tool::new("sh").args(["-c", "echo one; sleep 30"]).limit(Duration::from_millis(100));
        let error = tool.run_lines(|_| ()).unwrap_err().to_string();
        assert!(error.contains("was ended"), "{error}");
    }

    #[test]
    fn a_failure_carries_what_the_program_said() {
        let error = Tool::new("sh").args(["-c", "echo no such luck >&2; exit 3"]).read().unwrap_err();
        assert!(error.to_string().contains("no such luck"), "{error}");
        assert!(error.to_string().contains("exit status: 3"), "{error}");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = Tool::new("no-such-program-anywhere").read().unwrap_err();
        assert!(error.to_string().contains("no-such-program-anywhere"), "{error}");
    }
}

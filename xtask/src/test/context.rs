//! What suites have in common: a time limit, commands whose output is shown when they fail, the firmware.

use std::env;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::firmware;
use crate::shell::{Finished, Tool};
use crate::terminal::say;

/// A running suite.
#[derive(Debug)]
pub struct Context {
    deadline: Instant,
    quiet: bool,
    /// The release that the programs we start shall take.
    release: Option<String>,
}

impl Default for Context {
    fn default() -> Self {
        Self { deadline: Instant::now(), quiet: true, release: None }
    }
}

impl Context {
    /// With the release that all suites are to take, if one was named.
    ///
    /// # Errors
    /// If it is not at hand.
    pub fn with_release(name: Option<&str>) -> Result<Self> {
        name.map_or(Ok(()), firmware::prefer)?;
        Ok(Self { release: name.map(str::to_owned), ..Self::default() })
    }

    /// A suite begins.
    pub fn begin(&mut self, limit: Duration, quiet: bool) {
        self.deadline = Instant::now() + limit;
        self.quiet = quiet;
    }

    /// Time that is left to the suite.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Says how it gets on.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            say!("{text}");
        }
    }

    /// Runs a command that must succeed.
    ///
    /// # Errors
    /// With the command and its output.
    pub fn must_pass(&self, tool: Tool) -> Result<Finished> {
        self.must_end_with(0, tool)
    }

    /// Runs a command that must end with this exit code.
    ///
    /// # Errors
    /// With the command and its output, if it ends otherwise or not in time.
    pub fn must_end_with(&self, code: i32, tool: Tool) -> Result<Finished> {
        let tool = tool.limit(self.left());
        let finished = tool.finish()?;
        let how = match finished.status {
            Some(status) if status.code() == Some(code) => return Ok(finished),
            Some(status) => format!("{status}, expected {code}"),
            None => "not done in the suite's time".to_owned(),
        };
        bail!("{tool}\n  {how}\n{}{}", finished.stdout, finished.stderr)
    }

    /// Our own program with these arguments.
    ///
    /// # Errors
    /// If the system does not tell where it is.
    pub fn xtask<const N: usize>(&self, arguments: [&str; N]) -> Result<Tool> {
        let program = env::current_exe().context("finding our own program")?;
        let tool = Tool::new(program).args(arguments);
        Ok(match &self.release {
            Some(release) => tool.env(firmware::VARIABLE, release),
            None => tool,
        })
    }

    /// `cargo` as we were started by, with firmware and QEMU required: a test that cannot find them fails instead
    /// of being passed over.
    ///
    /// # Errors
    /// If no firmware can be had.
    pub fn cargo<const N: usize>(&self, arguments: [&str; N]) -> Result<Tool> {
        Ok(Tool::new("cargo")
            .args(arguments)
            .folder(crate::paths::workspace())
            .env("FIRMWARE_DIR", self.firmware()?)
            .env("REQUIRE_FIRMWARE", "1")
            .env("REQUIRE_QEMU", "1"))
    }

    /// Folder of the release that a run takes.
    ///
    /// # Errors
    /// If no firmware can be had.
    pub fn firmware(&self) -> Result<PathBuf> {
        Ok(firmware::at_hand(None)?.folder)
    }
}

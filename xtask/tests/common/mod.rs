//! Runs our own program in a world of its own: an empty cache, and apt sources that the test chooses.

use std::env;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// No command of these tests may take longer; one that does has hung.
const LIMIT: Duration = Duration::from_secs(120);

/// A folder for one test, gone at its end.
pub struct Scratch {
    root: PathBuf,
}

/// What became of a command.
pub struct Ended {
    /// Exit code; `None` if it was ended from outside.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit code {:?}\n{}{}", self.code, self.stdout, self.stderr)
    }
}

impl Scratch {
    /// An empty one, with no mirror in sight.
    pub fn new(test: &str) -> Self {
        let root = env::temp_dir().join(format!("xtask-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("no-parts")).unwrap();
        let scratch = Self { root };
        scratch.use_sources("");
        scratch
    }

    /// A path in here.
    pub fn path(&self, name: &str) -> String {
        self.root.join(name).display().to_string()
    }

    /// A new folder in here.
    pub fn folder(&self, name: &str) -> String {
        fs::create_dir_all(self.root.join(name)).unwrap();
        self.path(name)
    }

    /// A new file in here.
    pub fn file(&self, name: &str, content: &[u8]) -> String {
        fs::write(self.root.join(name), content).unwrap();
        self.path(name)
    }

    /// A file of the firmware cache.
    pub fn cached(&self, name: &str) -> PathBuf {
        self.root.join("cache/vcsm-harness/firmware").join(name)
    }

    /// Lets apt have only these sources; CODENAME stands for the installed system's.
    pub fn use_sources(&self, list: &str) {
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let codename = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
        let list = list.replace("CODENAME", codename.unwrap_or("unstable").trim_matches('"'));
        let sources = self.file("sources.list", list.as_bytes());
        let parts = self.path("no-parts");
        let config = format!("Dir::Etc::sourcelist \"{sources}\";\nDir::Etc::sourceparts \"{parts}\";\n");
        self.file("apt.conf", config.as_bytes());
    }

    /// Runs `cargo xtask` with these arguments.
    pub fn xtask(&self, arguments: &[&str]) -> Ended {
        let stdout = fs::File::create(self.path("stdout")).unwrap();
        self.xtask_into(stdout.into(), self.new_stderr(), arguments)
    }

    /// The same with a standard output that nobody reads.
    pub fn xtask_into_closed_pipe(&self, arguments: &[&str]) -> Ended {
        self.file("stdout", b"");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        self.xtask_into(writer.into(), self.new_stderr(), arguments)
    }

    /// Runs it with a standard error that takes nothing.
    pub fn xtask_with_full_stderr(&self, arguments: &[&str]) -> Ended {
        self.file("stderr", b"");
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        self.xtask_into(fs::File::create(self.path("stdout")).unwrap().into(), full.into(), arguments)
    }

    fn new_stderr(&self) -> Stdio {
        fs::File::create(self.path("stderr")).unwrap().into()
    }

    fn xtask_into(&self, output: Stdio, errors: Stdio, arguments: &[&str]) -> Ended {
        let (stdout, stderr) = (self.path("stdout"), self.path("stderr"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(arguments)
            .env("XDG_CACHE_HOME", self.root.join("cache"))
            .env("APT_CONFIG", self.root.join("apt.conf"))
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .unwrap();
        let deadline = Instant::now() + LIMIT;
        let code = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status.code();
            }
            if Instant::now() > deadline {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let read = |path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        let ended = Ended { code, stdout: read(stdout), stderr: read(stderr) };
        assert!(!ended.stderr.contains("panicked"), "{arguments:?}: {ended}");
        ended
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// The folder of a real release, named by `FIRMWARE_DIR`. Without it the test is passed over, unless
/// `REQUIRE_FIRMWARE` says that this must not happen.
pub fn real_firmware() -> Option<PathBuf> {
    let folder = env::var_os("FIRMWARE_DIR").map(PathBuf::from).filter(|folder| folder.is_dir());
    if folder.is_none() {
        assert!(env::var_os("REQUIRE_FIRMWARE").is_none(), "FIRMWARE_DIR names no folder");
        eprintln!("skipped: FIRMWARE_DIR names no folder with firmware");
    }
    folder
}

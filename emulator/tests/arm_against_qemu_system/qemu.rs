//! The implementation that is not ours.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

const QEMU: &str = "qemu-system-aarch64";
const DEADLINE: Duration = Duration::from_secs(120);

pub(crate) fn is_installed() -> bool {
    Command::new(QEMU).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Boots the image on a `raspi3b`; the first `length` bytes that it sends.
pub(crate) fn run(image: &[u8], length: usize) -> Result<Vec<u8>, String> {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("system-{}.img", std::process::id()));
    fs::write(&path, image).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut child = Command::new(QEMU)
        .args(["-M", "raspi3b", "-display", "none", "-monitor", "none", "-serial", "stdio", "-kernel"])
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{QEMU}: {error}"))?;
    let mut output = child.stdout.take().ok_or("no output")?;
    let (sender, receiver) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut bytes = vec![0; length];
        let result = output.read_exact(&mut bytes).map(|()| bytes);
        // The receiver has gone if the deadline has passed.
        let _ = sender.send(result);
    });
    let result = receiver.recv_timeout(DEADLINE);
    let ended = child.kill().and_then(|()| child.wait());
    ended.map_err(|error| format!("{QEMU}: {error}"))?;
    reader.join().map_err(|_| "the reader panicked")?;
    fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    match result {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(format!("{QEMU}: {error}")),
        Err(_) => Err(format!("{QEMU}: nothing complete within {DEADLINE:?}")),
    }
}

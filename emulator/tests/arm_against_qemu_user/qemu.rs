//! The implementation that is not ours.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::image::Image;

const QEMU: &str = "qemu-aarch64";

pub(crate) fn is_installed() -> bool {
    Command::new(QEMU).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Runs the image as a process of a Cortex-A53; its data afterwards.
pub(crate) fn run(image: &Image) -> Result<Vec<u8>, String> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("arm-{}-{}.elf", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let written = fs::write(&path, image.elf())
        .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o755)));
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    let output = Command::new(QEMU).args(["-cpu", "cortex-a53"]).arg(&path).output();
    let output = output.map_err(|error| format!("{QEMU}: {error}"))?;
    if !output.status.success() || output.stdout.len() != image.data.len() {
        let message = String::from_utf8_lossy(&output.stderr);
        let kept = path.display();
        return Err(format!("{QEMU}: {}, {} bytes; {kept}: {message}", output.status, output.stdout.len()));
    }
    fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(output.stdout)
}

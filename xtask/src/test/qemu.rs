//! QEMU's `raspi3b`: another implementation of the Arm side, and no VideoCore at all.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use harness::Verdict;
use harness::report::{Collector, Finish, PeerKind, Report, Rung, Setup, Timing};

use super::context::Context;
use crate::image::Image;
use crate::line::{Framer, Strings};
use crate::{build, shell};

/// The image's own deadlines are shorter than this.
const LIMIT: Duration = Duration::from_secs(90);

/// The image boots, finds nobody on the other side, and ends with the verdict `absent`.
pub fn says_absent(context: &Context) -> Result<()> {
    let image = Image::build(&build::Options::default())?;
    let report = boot(&image, context.left().min(LIMIT))?;
    let all = || format!("{:#?}", report.scenarios);
    ensure!(report.peer.kind == PeerKind::Absent, "QEMU was taken for firmware: {:?}", report.peer);
    ensure!(report.firmware.is_none(), "QEMU answers commands: {:?}", report.firmware);
    let bring_up = report.scenarios.iter().find(|scenario| scenario.name == "bring-up");
    let bring_up = bring_up.with_context(|| format!("no bring-up was reported: {}", all()))?;
    ensure!(bring_up.verdict == Verdict::Absent, "bring-up is {}: {}", bring_up.verdict, all());
    let passed = bring_up.steps.iter().filter(|step| step.verdict == Verdict::Pass);
    let passed: Vec<&str> = passed.map(|step| step.name.as_str()).collect();
    ensure!(!passed.is_empty(), "no step passed: {}", all());
    context.say(&format!("passed in QEMU: {}; then absent", passed.join(", ")));
    Ok(())
}

fn boot(image: &Image, limit: Duration) -> Result<Report> {
    let strings = Strings::read(&image.elf)?;
    let mut framer = Framer::default();
    let mut collector = Collector::new(Setup {
        rung: Rung::Qemu,
        timing: Timing::Modelled,
        image_sha256: image.sha256.clone(),
        started: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        model_peer: false,
    });
    let started = Instant::now();
    let machine = Machine::start()?;
    let mut stopped = None;
    while !collector.is_finished() {
        let Some(left) = limit.checked_sub(started.elapsed()) else {
            stopped = Some(format!("nothing more within {} s", limit.as_secs()));
            break;
        };
        match machine.serial.recv_timeout(left) {
            Ok(bytes) => {
                for piece in bytes.into_iter().filter_map(|byte| framer.byte(byte)) {
                    collector.log_line(&strings.line(piece).message, None);
                }
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                stopped = Some("QEMU ended".to_owned());
                break;
            }
        }
    }
    Ok(collector.finish(Finish { wall_s: started.elapsed().as_secs(), stopped, ..Finish::default() }))
}

/// A running QEMU, ended when it is dropped.
struct Machine {
    child: Child,
    serial: mpsc::Receiver<Vec<u8>>,
}

impl Machine {
    fn start() -> Result<Self> {
        let mut command = Command::new("qemu-system-aarch64");
        command.args(["-machine", "raspi3b", "-display", "none", "-monitor", "none", "-no-reboot"]);
        command.args(["-serial", "stdio", "-kernel"]).arg(build::image_path());
        if shell::is_verbose() {
            eprintln!("+ {command:?}");
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().context("starting qemu-system-aarch64")?;
        let mut stdout = child.stdout.take().context("QEMU has no standard output")?;
        let (sender, serial) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stdout.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, serial })
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

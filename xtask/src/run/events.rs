//! The machine's own events, in words.

use emulator::machine::{Event, EventKind};

/// One line for the log.
pub fn describe(event: &Event) -> String {
    let what = match &event.kind {
        EventKind::Unmodelled { register, address, written: Some(value) } => {
            format!("wrote {value:#x} to {register} ({address:#010x}), which nobody models")
        }
        EventKind::Unmodelled { register, address, written: None } => {
            format!("read {register} ({address:#010x}), which nobody models")
        }
        EventKind::VpuCoreStarted { core, address } => format!("VPU core {core} starts at {address:#010x}"),
        EventKind::ArmReleased => "the Arm starts".to_owned(),
        EventKind::Bell { number } => format!("rang doorbell {number}"),
        EventKind::Mailbox { number, word } => format!("put {word:#010x} into mailbox {number}"),
        EventKind::Arm(note) => note.to_string(),
        EventKind::Model(text) => text.clone(),
        EventKind::PowerManager { halt: true } => "the board is powered down".to_owned(),
        EventKind::PowerManager { halt: false } => "the board is restarted".to_owned(),
    };
    format!("{} at {:#x}: {what}", event.by, event.pc)
}

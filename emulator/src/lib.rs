//! An emulated Raspberry Pi that executes the real VideoCore firmware and a real `kernel8.img`.
//!
//! ```text
//! machine   the loop: slices of virtual time, shared out to the cores
//! ├─ vpu    VideoCore IV scalar cores and vector units (executes start*.elf)
//! ├─ arm    A64 cores (execute the firmware's armstub and our kernel8.img)
//! ├─ model  a VideoCore in place of the firmware, which follows the rules or breaks one
//! ├─ soc    the BCM2837: mailboxes, interrupt controllers, timers, UARTs, SDHOST, DMA …
//! └─ ram    the SDRAM both share
//! ```
#![forbid(unsafe_code)]

pub mod arm;
pub mod board;
pub mod boot_rom;
pub mod card;
pub mod firmware_log;
pub mod machine;
pub mod model;
pub mod ram;
pub mod soc;
pub mod vpu;

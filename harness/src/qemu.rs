//! How QEMU is told from VideoCore firmware (QEMU fact sheet b).

/// What QEMU answers to the firmware revision tag; real firmware answers the Unix time of its build.
pub const QEMU_REVISION: u32 = 0x0005_48e1;

//! Where things are: the regions of the memory map, the register blocks, the memory shared with VideoCore.
//!
//! Together with [`crate::arch`] the only place of this crate where `unsafe` stands.

mod logger;
mod memory;
mod statics;

pub(crate) use memory::{LendableMemory, black_box_window, forget_run, property_window, slot_window};
pub(crate) use statics::{entry_level, note_entry_level, samples};

use harness::banner::BuildId;
use vchiq_mbox::regs::{DoorbellListener, DoorbellRinger, MailboxDevice};

use crate::arch::identity;
use crate::regs::armc::{self, ArmcRegisters};
use crate::regs::gpio::{self, GpioRegisters};
use crate::regs::local::LocalRegisters;
use crate::regs::pl011::{self, Pl011Registers};
use crate::regs::power::{self, PowerRegisters};

/// A range of physical addresses, mapped to itself.
#[derive(Clone, Copy)]
pub(crate) struct Region {
    /// First byte.
    pub(crate) start: usize,
    /// Past the last byte.
    pub(crate) end: usize,
}

/// Defines a function for each region between two symbols of `linker.ld`.
macro_rules! regions {
    ($($(#[$doc:meta])* $name:ident: $start:ident .. $end:ident;)*) => {
        unsafe extern "C" {
            $(static $start: u8; static $end: u8;)*
        }
        $(
            $(#[$doc])*
            pub(crate) fn $name() -> Region {
                Region { start: &raw const $start as usize, end: &raw const $end as usize }
            }
        )*
    };
}

regions! {
    /// The whole image, stacks and guard pages included.
    image: __image_start .. __image_end;
    /// Executable part.
    code: __text_start .. __text_end;
    /// Read-only data.
    constants: __rodata_start .. __rodata_end;
    /// Initialised and zeroed data.
    data: __data_start .. __data_end;
    /// Stack of exceptions (SP_EL1).
    exception_stack: __exception_stack_start .. __exception_stack_end;
    /// Stack of everything else (SP_EL0).
    stack: __stack_start .. __stack_end;
    /// Shared with VideoCore, non-cacheable.
    window: __window_start .. __window_end;
    /// The last page of the window: what is to survive a reset.
    black_box: __black_box_start .. __black_box_end;
    /// Cached RAM to lend.
    lendable: __lend_start .. __lend_end;
}

/// An ELF note as the linker writes it for `--build-id=sha1`, up to as much of the hash as is told.
#[repr(C)]
struct BuildIdNote {
    name_size: u32,
    hash_size: u32,
    kind: u32,
    name: [u8; 4],
    hash: [u8; BuildId::BYTES],
}

unsafe extern "C" {
    static __build_id_note: BuildIdNote;
}

/// Which build this is.
pub(crate) fn build_id() -> BuildId {
    // SAFETY: linker.ld puts the note here, aligned to its words, and nothing writes to read-only data. Its hash of
    // 20 bytes is longer than what is read of it.
    BuildId::new(unsafe { __build_id_note.hash })
}

/// Defines a function for each register block at an offset from the main peripherals.
macro_rules! register_blocks {
    ($($(#[$doc:meta])* $name:ident: $block:ty, $offset:expr;)*) => {
        $(
            $(#[$doc])*
            pub(crate) fn $name() -> &'static $block {
                let address = identity::soc().peripherals() + $offset;
                // SAFETY: the block lies in the peripherals that `arch::mmu` maps as device memory; its type
                // consists of volatile cells only, which may be shared.
                unsafe { &*(address as *const $block) }
            }
        )*
    };
}

register_blocks! {
    /// Interrupt controller of the peripherals.
    armc: ArmcRegisters, armc::OFFSET;
    /// Pin functions.
    gpio: GpioRegisters, gpio::OFFSET;
    /// The serial line.
    pl011: Pl011Registers, pl011::OFFSET;
    /// Watchdog and reset.
    power: PowerRegisters, power::OFFSET;
}

/// The block private to the Arm cores.
pub(crate) fn local() -> &'static LocalRegisters {
    let address = identity::soc().local_block();
    // SAFETY: `arch::mmu` maps the block as device memory; its type consists of volatile cells only.
    unsafe { &*(address as *const LocalRegisters) }
}

/// The property mailbox. One at a time: [`crate::board`] holds it.
pub(crate) fn mailbox() -> MailboxDevice {
    // SAFETY: the block lies in the peripherals that `arch::mmu` maps as device memory for good; `board` takes
    // this handle once.
    unsafe { MailboxDevice::new(identity::soc().peripherals() + MailboxDevice::OFFSET) }
}

/// The doorbell towards VideoCore.
pub(crate) fn doorbell_ringer() -> DoorbellRinger {
    // SAFETY: the block lies in the peripherals that `arch::mmu` maps as device memory for good.
    unsafe { DoorbellRinger::new(identity::soc().peripherals() + DoorbellRinger::OFFSET) }
}

/// The doorbell from VideoCore. For the interrupt handler alone: a read acknowledges.
pub(crate) fn doorbell_listener() -> DoorbellListener {
    // SAFETY: the block lies in the peripherals that `arch::mmu` maps as device memory for good; the handler
    // does not interrupt itself, so one handle exists at a time.
    unsafe { DoorbellListener::new(identity::soc().peripherals() + DoorbellRinger::OFFSET) }
}

//! Exception vectors, the interrupt entry and the register dump of a fatal exception.

use core::arch::global_asm;
use core::fmt;
use core::sync::atomic::{Ordering, compiler_fence};

use cortex_a::registers::{DAIF, ESR_EL1, VBAR_EL1, Writeable};
use tock_registers::LocalRegisterCopy;
use vchiq_mbox::platform::Moment;

use super::barrier;
use crate::{ending, interrupts};

global_asm!(include_str!("vectors.s"));

unsafe extern "C" {
    /// First of the sixteen vectors (`vectors.s`).
    static exception_vectors: u8;
}

/// Registers at a fatal exception, in the order in which `vectors.s` stores them.
#[repr(C)]
pub(crate) struct Frame {
    general: [u64; 31],
    return_address: u64,
    saved_state: u64,
    syndrome: u64,
    fault_address: u64,
    stack_pointer: u64,
}

const _: () = assert!(size_of::<Frame>() == 288, "vectors.s reserves 288 bytes");

/// From here on exceptions at EL1 reach our vectors.
pub(super) fn install_vectors() {
    VBAR_EL1.set(&raw const exception_vectors as u64);
    barrier::instruction_synchronise();
}

/// Lets interrupts reach this core.
pub(crate) fn unmask_interrupts() {
    // The crate's register writes do not hold memory accesses back; the same below.
    compiler_fence(Ordering::SeqCst);
    DAIF.write(DAIF::D::Masked + DAIF::A::Unmasked + DAIF::I::Unmasked + DAIF::F::Masked);
}

/// Keeps interrupts away from this core.
pub(crate) fn mask_interrupts() {
    DAIF.write(DAIF::D::Masked + DAIF::A::Masked + DAIF::I::Masked + DAIF::F::Masked);
    compiler_fence(Ordering::SeqCst);
}

/// Puts a mask back that was read from DAIF.
pub(crate) fn restore_mask(mask: u64) {
    compiler_fence(Ordering::SeqCst);
    DAIF.set(mask);
}

/// An IRQ; the arguments are PMCCNTR and CNTPCT as the vector's third and fourth instruction read them.
// SAFETY: the name is called by `vectors.s` only, and no other item of the image has it.
#[unsafe(no_mangle)]
extern "C" fn interrupt(cycles: u64, ticks: u64) {
    interrupts::dispatch(Moment { ticks, cycles });
}

/// Any other exception: nothing in the image causes one on purpose, so it ends the run.
// SAFETY: the name is called by `vectors.s` only, and no other item of the image has it.
#[unsafe(no_mangle)]
extern "C" fn fatal_exception(vector: u64, frame: &Frame) -> ! {
    ending::after_exception(vector, frame)
}

impl Frame {
    fn syndrome(&self) -> LocalRegisterCopy<u64, ESR_EL1::Register> {
        LocalRegisterCopy::new(self.syndrome)
    }

    /// Exception class (ESR bits 31:26).
    fn class(&self) -> u8 {
        self.syndrome().read(ESR_EL1::EC) as u8
    }

    /// True for aborts that concern an address: FAR is valid.
    fn has_fault_address(&self) -> bool {
        matches!(self.class(), 0x20 | 0x21 | 0x22 | 0x24 | 0x25 | 0x34 | 0x35)
    }

    /// The fault status of an abort in words (Arm ARM, ISS encoding of data aborts).
    fn fault_status(&self) -> &'static str {
        match self.syndrome().read(ESR_EL1::ISS) & 0x3f {
            0x00..=0x03 => "address size fault",
            0x04..=0x07 => "translation fault: nothing is mapped there",
            0x09..=0x0b => "access flag fault",
            0x0d..=0x0f => "permission fault",
            0x10 => "external abort: no device answered",
            0x14..=0x17 => "external abort on a table walk",
            0x21 => "alignment fault",
            0x30 => "TLB conflict",
            0x35 => "exclusive access not supported by this memory",
            _ => "see the syndrome",
        }
    }
}

/// Exception class in words.
const fn class_name(class: u8) -> &'static str {
    match class {
        0x00 => "undefined instruction",
        0x01 => "trapped WFI or WFE",
        0x07 => "floating point or SIMD access",
        0x0e => "illegal execution state",
        0x15 => "SVC instruction",
        0x16 => "HVC instruction",
        0x17 => "SMC instruction",
        0x18 => "trapped system register",
        0x20 | 0x21 => "instruction abort",
        0x22 => "misaligned program counter",
        0x24 | 0x25 => "data abort",
        0x26 => "misaligned stack pointer",
        0x2f => "SError",
        0x3c => "BRK instruction",
        _ => "exception of another class",
    }
}

/// The vector in words.
pub(crate) const fn vector_name(vector: u64) -> &'static str {
    match vector {
        0 => "synchronous",
        2 => "FIQ",
        3 => "SError",
        4 => "synchronous, inside a handler",
        5 => "IRQ, inside a handler",
        6 => "FIQ, inside a handler",
        7 => "SError, inside a handler",
        _ => "from a lower exception level",
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ESR {:016x} ({})", self.syndrome, class_name(self.class()))?;
        if self.has_fault_address() {
            let access = if self.syndrome & 1 << 6 != 0 { "write" } else { "read or fetch" };
            write!(out, "\r\nFAR {:016x} ({access}, {})", self.fault_address, self.fault_status())?;
        } else {
            write!(out, "\r\nFAR {:016x} (not of this exception)", self.fault_address)?;
        }
        write!(out, "\r\nELR {:016x}  SP {:016x}", self.return_address, self.stack_pointer)?;
        write!(out, "  SPSR {:08x}", self.saved_state)?;
        for (number, value) in self.general.iter().enumerate() {
            let separator = if number % 4 == 0 { "\r\n" } else { "  " };
            write!(out, "{separator}x{number:<2} {value:016x}")?;
        }
        Ok(())
    }
}

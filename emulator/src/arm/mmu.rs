//! Stage 1 translation, 4 KiB granule (D8.2 of the architecture manual).

use super::bus::Bus;
use super::fault::FaultKind;
use super::state::State;
use super::sysreg::Register;

/// What an access wants to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Intent {
    Read,
    Write,
    Execute,
}

/// A fault status code of ESR_ELx.ISS and PAR_EL1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Status(pub(crate) u8);

impl Status {
    /// Misaligned.
    pub(crate) const ALIGNMENT: Self = Self(0x21);
    /// Nobody answered the access.
    pub(crate) const EXTERNAL: Self = Self(0x10);

    const fn address_size(level: u8) -> Self {
        Self(level)
    }
    const fn translation(level: u8) -> Self {
        Self(0x04 | level)
    }
    const fn access_flag(level: u8) -> Self {
        Self(0x08 | level)
    }
    const fn permission(level: u8) -> Self {
        Self(0x0c | level)
    }
    const fn external_on_walk(level: u8) -> Self {
        Self(0x14 | level)
    }

    /// True for an external abort, which SCR_EL3.EA can route to EL3.
    pub(crate) const fn is_external(self) -> bool {
        matches!(self.0, 0x10 | 0x14..=0x17)
    }
}

/// Why a translation failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    /// The guest gets an abort.
    Abort(Status),
    /// The core stops.
    Unmodelled(FaultKind),
}

/// A successful translation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mapping {
    /// Physical address.
    pub(crate) physical: u64,
    /// MAIR attribute byte.
    pub(crate) attribute: u8,
    /// SH field.
    pub(crate) shareability: u8,
    /// NS of the descriptor.
    pub(crate) non_secure: bool,
}

impl Mapping {
    /// Device memory of any kind: aligned accesses only.
    pub(crate) fn is_device(&self) -> bool {
        self.attribute & 0xf0 == 0
    }
}

/// The registers that control one translation regime.
struct Regime {
    sctlr: u64,
    tcr: u64,
    /// Two address ranges (EL1&0), or one.
    has_two_ranges: bool,
    mair: u64,
}

const SCTLR_M: u64 = 1 << 0;
const SCTLR_WXN: u64 = 1 << 19;
const HCR_VM: u64 = 1 << 0;
const HCR_DC: u64 = 1 << 12;

/// A Cortex-A53 has 40 bits of physical address.
const PHYSICAL_BITS: u32 = 40;
const OUTPUT_MASK: u64 = 0x0000_ffff_ffff_f000;

impl Regime {
    fn of(state: &State, level: u8) -> Self {
        let (sctlr, tcr, mair) = match level {
            0 | 1 => (Register::SCTLR_EL1, Register::TCR_EL1, Register::MAIR_EL1),
            2 => (Register::SCTLR_EL2, Register::TCR_EL2, Register::MAIR_EL2),
            _ => (Register::SCTLR_EL3, Register::TCR_EL3, Register::MAIR_EL3),
        };
        Self {
            sctlr: state.system(sctlr),
            tcr: state.system(tcr),
            has_two_ranges: level < 2,
            mair: state.system(mair),
        }
    }
}

/// One of the two ranges of a regime.
struct Range {
    table: u64,
    /// TnSZ: bits of the address above the range.
    size: u32,
    is_disabled: bool,
    has_4k_granule: bool,
    ignores_top_byte: bool,
}

impl Range {
    /// The range that `address` falls into, by bit 55.
    fn of(state: &State, regime: &Regime, level: u8, address: u64) -> Self {
        let tcr = regime.tcr;
        if !regime.has_two_ranges {
            let table = if level == 2 { Register::TTBR0_EL2 } else { Register::TTBR0_EL3 };
            return Self {
                table: state.system(table),
                size: (tcr & 0x3f) as u32,
                is_disabled: false,
                has_4k_granule: tcr >> 14 & 3 == 0,
                ignores_top_byte: tcr >> 20 & 1 != 0,
            };
        }
        if address >> 55 & 1 == 0 {
            Self {
                table: state.system(Register::TTBR0_EL1),
                size: (tcr & 0x3f) as u32,
                is_disabled: tcr >> 7 & 1 != 0,
                has_4k_granule: tcr >> 14 & 3 == 0,
                ignores_top_byte: tcr >> 37 & 1 != 0,
            }
        } else {
            Self {
                table: state.system(Register::TTBR1_EL1),
                size: (tcr >> 16 & 0x3f) as u32,
                is_disabled: tcr >> 23 & 1 != 0,
                has_4k_granule: tcr >> 30 & 3 == 2,
                ignores_top_byte: tcr >> 38 & 1 != 0,
            }
        }
    }
}

/// Permission bits, gathered along the walk.
#[derive(Clone, Copy, Default)]
struct Permissions {
    /// `AP[2]`.
    read_only: bool,
    /// `AP[1]`.
    unprivileged: bool,
    /// UXN, or XN of a regime with one range.
    no_execute: bool,
    /// PXN.
    no_privileged_execute: bool,
}

/// Translates `address` as exception level `level` would for `intent`.
pub(crate) fn translate<B: Bus>(
    state: &State,
    bus: &mut B,
    level: u8,
    address: u64,
    intent: Intent,
) -> Result<Mapping, Failure> {
    let regime = Regime::of(state, level);
    if level < 2 && state.system(Register::SCR_EL3) & 1 != 0 {
        let has_stage_2 = state.system(Register::HCR_EL2) & (HCR_VM | HCR_DC) != 0;
        if has_stage_2 {
            return Err(Failure::Unmodelled(FaultKind::Stage2));
        }
    }
    if regime.sctlr & SCTLR_M == 0 {
        return untranslated(&regime, address, intent);
    }
    walk(state, bus, &regime, level, address, intent)
}

/// The PC after a branch to `target`: where the top byte is ignored, it does not get into the PC.
pub(crate) fn branch_address(state: &State, target: u64) -> u64 {
    let regime = Regime::of(state, state.level);
    let is_upper = regime.has_two_ranges && target >> 55 & 1 != 0;
    let ignores_top_byte = match (regime.has_two_ranges, is_upper) {
        (false, _) => regime.tcr >> 20 & 1 != 0,
        (true, false) => regime.tcr >> 37 & 1 != 0,
        (true, true) => regime.tcr >> 38 & 1 != 0,
    };
    match (ignores_top_byte, is_upper) {
        (false, _) => target,
        (true, false) => target & (u64::MAX >> 8),
        (true, true) => target | !(u64::MAX >> 8),
    }
}

/// MMU off: the address is the physical one, data is Device-nGnRnE, instructions are Normal.
fn untranslated(regime: &Regime, address: u64, intent: Intent) -> Result<Mapping, Failure> {
    let ignores_top_byte = if regime.has_two_ranges {
        regime.tcr >> (37 + (address >> 55 & 1)) & 1 != 0
    } else {
        regime.tcr >> 20 & 1 != 0
    };
    let physical = if ignores_top_byte { address & (u64::MAX >> 8) } else { address };
    if physical >> PHYSICAL_BITS != 0 {
        return Err(Failure::Abort(Status::address_size(0)));
    }
    let attribute = if intent == Intent::Execute { 0xff } else { 0 };
    Ok(Mapping { physical, attribute, shareability: 2, non_secure: true })
}

fn walk<B: Bus>(
    state: &State,
    bus: &mut B,
    regime: &Regime,
    level: u8,
    address: u64,
    intent: Intent,
) -> Result<Mapping, Failure> {
    let range = Range::of(state, regime, level, address);
    let translation_fault = |depth| Err(Failure::Abort(Status::translation(depth)));
    // Sizes out of range behave as the nearest valid one on a Cortex-A53.
    let size = range.size.clamp(16, 39);
    let top = if range.ignores_top_byte { 56 } else { 64 };
    let is_upper = regime.has_two_ranges && address >> 55 & 1 != 0;
    let above = (address << (64 - top)) >> (64 - top) >> (64 - size);
    let expected = if is_upper { (1u64 << (top - (64 - size))) - 1 } else { 0 };
    if above != expected || range.is_disabled {
        return translation_fault(0);
    }
    if !range.has_4k_granule {
        return Err(Failure::Unmodelled(FaultKind::Granule));
    }
    let output_bits = output_bits(regime);
    let input_bits = 64 - size;
    // 9 bits a level above the 12 of the page.
    let mut depth = (4 - (input_bits - 12).div_ceil(9)) as u8;
    let first_bits = input_bits - 12 - 9 * (3 - u32::from(depth));
    let mut index_mask = (1u64 << first_bits) - 1;
    let mut table = range.table & 0x0000_ffff_ffff_fffe & !((8u64 << first_bits) - 1);
    if table >> output_bits != 0 {
        return Err(Failure::Abort(Status::address_size(0)));
    }
    let mut inherited = Permissions::default();
    loop {
        let shift = 12 + 9 * (3 - u32::from(depth));
        let at = table + (address >> shift & index_mask) * 8;
        if !bus.is_ram(at) {
            return Err(Failure::Abort(Status::external_on_walk(depth)));
        }
        let descriptor = bus.ram().read64(at as u32);
        let is_table = descriptor & 2 != 0 && depth < 3;
        let is_leaf = if depth == 3 { descriptor & 3 == 3 } else { descriptor & 3 == 1 && depth > 0 };
        if descriptor & 1 == 0 || !(is_table || is_leaf) {
            return translation_fault(depth);
        }
        let output = descriptor & OUTPUT_MASK;
        if output >> output_bits != 0 {
            return Err(Failure::Abort(Status::address_size(depth)));
        }
        if is_leaf {
            let offset = (1u64 << shift) - 1;
            let physical = (output & !offset) | (address & offset);
            return leaf(regime, level, descriptor, depth, physical, intent, inherited);
        }
        inherited.read_only |= descriptor >> 62 & 1 != 0;
        // APTable[0] takes EL0's access away; kept inverted.
        inherited.unprivileged |= descriptor >> 61 & 1 != 0;
        inherited.no_execute |= descriptor >> 60 & 1 != 0;
        inherited.no_privileged_execute |= descriptor >> 59 & 1 != 0;
        table = output;
        index_mask = 0x1ff;
        depth += 1;
    }
}

/// Bits of physical address that the regime may produce (IPS or PS).
fn output_bits(regime: &Regime) -> u32 {
    let field = if regime.has_two_ranges { regime.tcr >> 32 } else { regime.tcr >> 16 };
    match field & 7 {
        0 => 32,
        1 => 36,
        _ => PHYSICAL_BITS,
    }
}

/// Checks a block or page descriptor against the access.
fn leaf(
    regime: &Regime,
    level: u8,
    descriptor: u64,
    depth: u8,
    physical: u64,
    intent: Intent,
    inherited: Permissions,
) -> Result<Mapping, Failure> {
    if descriptor >> 10 & 1 == 0 {
        return Err(Failure::Abort(Status::access_flag(depth)));
    }
    let permissions = Permissions {
        read_only: descriptor >> 7 & 1 != 0 || inherited.read_only,
        unprivileged: regime.has_two_ranges && descriptor >> 6 & 1 != 0 && !inherited.unprivileged,
        no_execute: descriptor >> 54 & 1 != 0 || inherited.no_execute,
        no_privileged_execute: descriptor >> 53 & 1 != 0 || inherited.no_privileged_execute,
    };
    if !is_allowed(regime, level, permissions, intent) {
        return Err(Failure::Abort(Status::permission(depth)));
    }
    let attribute = (regime.mair >> (8 * (descriptor >> 2 & 7))) as u8;
    let shareability = (descriptor >> 8 & 3) as u8;
    let non_secure = descriptor >> 5 & 1 != 0;
    Ok(Mapping { physical, attribute, shareability, non_secure })
}

fn is_allowed(regime: &Regime, level: u8, permissions: Permissions, intent: Intent) -> bool {
    let is_writable = !permissions.read_only;
    let never_if_writable = regime.sctlr & SCTLR_WXN != 0;
    match (level, intent) {
        (0, Intent::Read) => permissions.unprivileged,
        (0, Intent::Write) => permissions.unprivileged && is_writable,
        (0, Intent::Execute) => {
            let is_user_writable = permissions.unprivileged && is_writable;
            !(permissions.no_execute || is_user_writable && never_if_writable)
        }
        (_, Intent::Read) => true,
        (_, Intent::Write) => is_writable,
        (1, Intent::Execute) => {
            // What EL0 may write, EL1 may not execute.
            let is_user_writable = permissions.unprivileged && is_writable;
            let is_forbidden = permissions.no_privileged_execute || is_user_writable;
            !(is_forbidden || is_writable && never_if_writable)
        }
        (_, Intent::Execute) => !(permissions.no_execute || is_writable && never_if_writable),
    }
}

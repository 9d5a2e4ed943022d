//! Loads and stores of one register, and the paths to memory that all of them share.

use crate::arm::bus::{Access, Bus, Width};
use crate::arm::decode::{Kind, Reg, STACK};
use crate::arm::mmu::{self, Failure, Intent, Mapping, Status};
use crate::arm::state::{At, State, Stop};
use crate::arm::sysreg::Register;
use crate::arm::tlb::PAGE_OFFSET;

const SCTLR_A: u64 = 1 << 1;
const SCTLR_SA: u64 = 1 << 3;
const SCTLR_SA0: u64 = 1 << 4;
/// E0E and EE of SCTLR.
const SCTLR_E0E: u64 = 1 << 24;
const SCTLR_EE: u64 = 1 << 25;

/// One access on its way to memory.
#[derive(Clone, Copy)]
struct Request {
    address: u64,
    bytes: u64,
    /// Exception level whose permissions count.
    level: u8,
}

const fn width(bytes: u64) -> Width {
    match bytes {
        1 => Width::Byte,
        2 => Width::Half,
        4 => Width::Word,
        _ => Width::Double,
    }
}

impl Width {
    const fn bytes(self) -> u64 {
        match self {
            Self::Byte => 1,
            Self::Half => 2,
            Self::Word => 4,
            Self::Double => 8,
        }
    }
}

impl Kind {
    const fn width(self) -> Width {
        match self {
            Self::Byte | Self::SignedByteToWord | Self::SignedByte => Width::Byte,
            Self::Half | Self::SignedHalfToWord | Self::SignedHalf => Width::Half,
            Self::Word | Self::SignedWord => Width::Word,
            Self::Double => Width::Double,
        }
    }

    #[inline(always)]
    const fn extend(self, value: u64) -> u64 {
        match self {
            Self::Byte | Self::Half | Self::Word | Self::Double => value,
            Self::SignedByteToWord => value as i8 as u32 as u64,
            Self::SignedHalfToWord => value as i16 as u32 as u64,
            Self::SignedByte => value as i8 as u64,
            Self::SignedHalf => value as i16 as u64,
            Self::SignedWord => value as i32 as u64,
        }
    }
}

impl State {
    /// The base register; SP has to be aligned if SCTLR says so.
    #[inline(always)]
    pub(super) fn base(&mut self, at: At, rn: Reg) -> Result<u64, Stop> {
        let base = self.get(rn);
        if rn == STACK && base & 15 != 0 {
            return self.misaligned_stack(at, base);
        }
        Ok(base)
    }

    #[cold]
    fn misaligned_stack(&mut self, at: At, base: u64) -> Result<u64, Stop> {
        let checked = if self.level == 0 { SCTLR_SA0 } else { SCTLR_SA };
        if self.own_sctlr() & checked != 0 { Err(self.stack_alignment(at)) } else { Ok(base) }
    }

    fn own_sctlr(&self) -> u64 {
        self.system(match self.level {
            0 | 1 => Register::SCTLR_EL1,
            2 => Register::SCTLR_EL2,
            _ => Register::SCTLR_EL3,
        })
    }

    /// Loads `BYTES`, zero-extended.
    #[inline(always)]
    pub(super) fn load_bytes<B: Bus, const BYTES: u64>(
        &mut self,
        bus: &mut B,
        at: At,
        address: u64,
    ) -> Result<u64, Stop> {
        match self.tlb.readable(address, BYTES) {
            Some(physical) => {
                let ram = bus.ram();
                Ok(match BYTES {
                    1 => u64::from(ram.read8(physical)),
                    2 => u64::from(ram.read16(physical)),
                    4 => u64::from(ram.read32(physical)),
                    _ => ram.read64(physical),
                })
            }
            None => {
                let request = Request { address, bytes: BYTES, level: self.level };
                self.load_slowly(bus, at, request)
            }
        }
    }

    /// Stores `BYTES`.
    #[inline(always)]
    pub(super) fn store_bytes<B: Bus, const BYTES: u64>(
        &mut self,
        bus: &mut B,
        at: At,
        address: u64,
        value: u64,
    ) -> Result<(), Stop> {
        match self.tlb.writable(address, BYTES) {
            Some(physical) => {
                let ram = bus.ram();
                match BYTES {
                    1 => ram.write8(physical, value as u8),
                    2 => ram.write16(physical, value as u16),
                    4 => ram.write32(physical, value as u32),
                    _ => ram.write64(physical, value),
                }
                Ok(())
            }
            None => {
                let request = Request { address, bytes: BYTES, level: self.level };
                self.store_slowly(bus, at, request, value)
            }
        }
    }

    /// Stores at the current level.
    pub(in crate::arm) fn store<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        address: u64,
        width: Width,
        value: u64,
    ) -> Result<(), Stop> {
        match width {
            Width::Byte => self.store_bytes::<B, 1>(bus, at, address, value),
            Width::Half => self.store_bytes::<B, 2>(bus, at, address, value),
            Width::Word => self.store_bytes::<B, 4>(bus, at, address, value),
            Width::Double => self.store_bytes::<B, 8>(bus, at, address, value),
        }
    }

    /// Loads at the current level.
    #[inline(always)]
    pub(super) fn load<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        address: u64,
        width: Width,
    ) -> Result<u64, Stop> {
        match width {
            Width::Byte => self.load_bytes::<B, 1>(bus, at, address),
            Width::Half => self.load_bytes::<B, 2>(bus, at, address),
            Width::Word => self.load_bytes::<B, 4>(bus, at, address),
            Width::Double => self.load_bytes::<B, 8>(bus, at, address),
        }
    }

    /// LDR with base plus constant, zero-extending.
    #[inline(always)]
    pub(super) fn load_offset<B: Bus, const BYTES: u64>(
        &mut self,
        bus: &mut B,
        at: At,
        rt: Reg,
        rn: Reg,
        offset: i64,
    ) -> Result<(), Stop> {
        let address = self.base(at, rn)?.wrapping_add_signed(offset);
        let value = self.load_bytes::<B, BYTES>(bus, at, address)?;
        self.set(rt, value);
        Ok(())
    }

    /// STR with base plus constant.
    #[inline(always)]
    pub(super) fn store_offset<B: Bus, const BYTES: u64>(
        &mut self,
        bus: &mut B,
        at: At,
        rt: Reg,
        rn: Reg,
        offset: i64,
    ) -> Result<(), Stop> {
        let address = self.base(at, rn)?.wrapping_add_signed(offset);
        self.store_bytes::<B, BYTES>(bus, at, address, self.get(rt))
    }

    /// Loads and extends as `kind` says.
    #[inline(always)]
    pub(super) fn load_kind<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        kind: Kind,
        rt: Reg,
        address: u64,
    ) -> Result<(), Stop> {
        let value = self.load(bus, at, address, kind.width())?;
        self.set(rt, kind.extend(value));
        Ok(())
    }

    /// Stores as `kind` says.
    #[inline(always)]
    pub(super) fn store_kind<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        kind: Kind,
        rt: Reg,
        address: u64,
    ) -> Result<(), Stop> {
        self.store(bus, at, address, kind.width(), self.get(rt))
    }

    /// LDR with write-back; `registers` are Rt and Rn.
    pub(super) fn load_indexed<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        kind: Kind,
        (rt, rn): (Reg, Reg),
        post: bool,
        offset: i64,
    ) -> Result<(), Stop> {
        let base = self.base(at, rn)?;
        let moved = base.wrapping_add_signed(offset);
        let value = self.load(bus, at, if post { base } else { moved }, kind.width())?;
        self.set(rn, moved);
        self.set(rt, kind.extend(value));
        Ok(())
    }

    /// STR with write-back.
    pub(super) fn store_indexed<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        kind: Kind,
        (rt, rn): (Reg, Reg),
        post: bool,
        offset: i64,
    ) -> Result<(), Stop> {
        let base = self.base(at, rn)?;
        let moved = base.wrapping_add_signed(offset);
        self.store_kind(bus, at, kind, rt, if post { base } else { moved })?;
        self.set(rn, moved);
        Ok(())
    }

    /// The level whose permissions LDTR and STTR use.
    fn unprivileged_level(&self) -> u8 {
        if self.level == 1 { 0 } else { self.level }
    }

    /// LDTR.
    pub(super) fn load_unprivileged<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        kind: Kind,
        (rt, rn): (Reg, Reg),
        offset: i64,
    ) -> Result<(), Stop> {
        let address = self.base(at, rn)?.wrapping_add_signed(offset);
        let level = self.unprivileged_level();
        let request = Request { address, bytes: kind.width().bytes(), level };
        let value = self.load_slowly(bus, at, request)?;
        self.set(rt, kind.extend(value));
        Ok(())
    }

    /// STTR.
    pub(super) fn store_unprivileged<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        kind: Kind,
        (rt, rn): (Reg, Reg),
        offset: i64,
    ) -> Result<(), Stop> {
        let address = self.base(at, rn)?.wrapping_add_signed(offset);
        let level = self.unprivileged_level();
        let request = Request { address, bytes: kind.width().bytes(), level };
        self.store_slowly(bus, at, request, self.get(rt))
    }

    /// The base register of an access that has to be aligned whatever the memory.
    pub(super) fn aligned_base(&mut self, at: At, rn: Reg, bytes: u64, intent: Intent) -> Result<u64, Stop> {
        let address = self.base(at, rn)?;
        if address & (bytes - 1) != 0 {
            return Err(self.abort(at, address, intent, Status::ALIGNMENT, false));
        }
        Ok(address)
    }

    /// LDAR. Order is what the emulated machine has anyway; alignment is not.
    pub(super) fn load_acquire<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        kind: Kind,
        rt: Reg,
        rn: Reg,
    ) -> Result<(), Stop> {
        let address = self.aligned_base(at, rn, kind.width().bytes(), Intent::Read)?;
        self.load_kind(bus, at, kind, rt, address)
    }

    /// STLR.
    pub(super) fn store_release<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        kind: Kind,
        rt: Reg,
        rn: Reg,
    ) -> Result<(), Stop> {
        let address = self.aligned_base(at, rn, kind.width().bytes(), Intent::Write)?;
        self.store_kind(bus, at, kind, rt, address)
    }

    /// Translates for an access of the instruction `at`.
    pub(super) fn translate_for<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        level: u8,
        address: u64,
        intent: Intent,
    ) -> Result<Mapping, Stop> {
        let is_big_endian = match level {
            0 => self.system(Register::SCTLR_EL1) & SCTLR_E0E != 0,
            _ => self.own_sctlr() & SCTLR_EE != 0,
        };
        if is_big_endian {
            return Err(self.stop(at.pc, 0, crate::arm::fault::FaultKind::BigEndian));
        }
        match mmu::translate(self, bus, level, address, intent) {
            Ok(mapping) => Ok(mapping),
            Err(Failure::Abort(status)) => Err(self.abort(at, address, intent, status, false)),
            Err(Failure::Unmodelled(kind)) => Err(self.stop(at.pc, 0, kind)),
        }
    }

    /// The mapping of an access that lies within an aligned unit, or none if it has to be split into bytes.
    fn locate<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        request: Request,
        intent: Intent,
    ) -> Result<Option<u64>, Stop> {
        let Request { address, bytes, level } = request;
        let is_aligned = address & (bytes - 1) == 0;
        if !is_aligned && self.own_sctlr() & SCTLR_A != 0 {
            return Err(self.abort(at, address, intent, Status::ALIGNMENT, false));
        }
        let is_write = intent == Intent::Write;
        if is_aligned
            && level == self.level
            && let Some(physical) = self.tlb.device(address, is_write)
        {
            return Ok(Some(physical));
        }
        let mapping = self.translate_for(bus, at, level, address, intent)?;
        if !is_aligned && mapping.is_device() {
            return Err(self.abort(at, address, intent, Status::ALIGNMENT, false));
        }
        match (level == self.level, bus.is_ram(mapping.physical)) {
            (false, _) => {}
            (true, true) => {
                self.tlb.insert(address, mapping.physical as u32, is_write, !mapping.is_device());
            }
            (true, false) => self.tlb.insert_device(address, mapping.physical, is_write),
        }
        if !is_aligned {
            return Ok(None);
        }
        Ok(Some(mapping.physical))
    }

    /// A load that the TLB does not cover: not cached yet, a device, unaligned, or about to fault.
    #[cold]
    fn load_slowly<B: Bus>(&mut self, bus: &mut B, at: At, request: Request) -> Result<u64, Stop> {
        if let Some(physical) = self.locate_in_page(request, Intent::Read) {
            let mut value = [0; 8];
            bus.ram().read_bytes(physical, &mut value[..request.bytes as usize]);
            return Ok(u64::from_le_bytes(value));
        }
        if let Some(physical) = self.locate(bus, at, request, Intent::Read)? {
            return self.read_physical(bus, at, request.address, physical, width(request.bytes));
        }
        let mut value = 0;
        for index in (0..request.bytes).rev() {
            let byte = Request { address: request.address.wrapping_add(index), bytes: 1, ..request };
            let mapping = self.translate_for(bus, at, byte.level, byte.address, Intent::Read)?;
            let loaded = self.read_physical(bus, at, byte.address, mapping.physical, Width::Byte)?;
            value = value << 8 | loaded;
        }
        Ok(value)
    }

    /// Where an access lies that may be unaligned and stays within a page of Normal memory that is cached.
    fn locate_in_page(&self, request: Request, intent: Intent) -> Option<u32> {
        if request.level != self.level || self.own_sctlr() & SCTLR_A != 0 {
            return None;
        }
        self.tlb.unaligned(request.address, request.bytes, intent == Intent::Write)
    }

    /// A store that the TLB does not cover.
    #[cold]
    fn store_slowly<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        request: Request,
        value: u64,
    ) -> Result<(), Stop> {
        if let Some(physical) = self.locate_in_page(request, Intent::Write) {
            bus.ram().write_bytes(physical, &value.to_le_bytes()[..request.bytes as usize]);
            return Ok(());
        }
        if let Some(physical) = self.locate(bus, at, request, Intent::Write)? {
            let width = width(request.bytes);
            return self.write_physical(bus, at, request.address, physical, width, value);
        }
        // Nothing is stored if the second page faults.
        let last = request.address.wrapping_add(request.bytes - 1);
        if (last ^ request.address) & !PAGE_OFFSET != 0 {
            self.translate_for(bus, at, request.level, last & !PAGE_OFFSET, Intent::Write)?;
        }
        for index in 0..request.bytes {
            let address = request.address.wrapping_add(index);
            let mapping = self.translate_for(bus, at, request.level, address, Intent::Write)?;
            let byte = value >> (8 * index) & 0xff;
            self.write_physical(bus, at, address, mapping.physical, Width::Byte, byte)?;
        }
        Ok(())
    }

    /// Loads from a physical address; `address` is what FAR would hold.
    pub(super) fn read_physical<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        address: u64,
        physical: u64,
        width: Width,
    ) -> Result<u64, Stop> {
        if bus.is_ram(physical) {
            let (ram, physical) = (bus.ram(), physical as u32);
            return Ok(match width {
                Width::Byte => u64::from(ram.read8(physical)),
                Width::Half => u64::from(ram.read16(physical)),
                Width::Word => u64::from(ram.read32(physical)),
                Width::Double => ram.read64(physical),
            });
        }
        let access = Access { pc: at.pc, core: self.id, elapsed: at.elapsed };
        self.look_around();
        match bus.device_read(access, physical, width) {
            Ok(value) => Ok(value),
            Err(_) => Err(self.abort(at, address, Intent::Read, Status::EXTERNAL, false)),
        }
    }

    /// Stores to a physical address.
    pub(super) fn write_physical<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        address: u64,
        physical: u64,
        width: Width,
        value: u64,
    ) -> Result<(), Stop> {
        if bus.is_ram(physical) {
            let (ram, physical) = (bus.ram(), physical as u32);
            match width {
                Width::Byte => ram.write8(physical, value as u8),
                Width::Half => ram.write16(physical, value as u16),
                Width::Word => ram.write32(physical, value as u32),
                Width::Double => ram.write64(physical, value),
            }
            return Ok(());
        }
        let value = match width {
            Width::Byte => value & 0xff,
            Width::Half => value & 0xffff,
            Width::Word => value & 0xffff_ffff,
            Width::Double => value,
        };
        let access = Access { pc: at.pc, core: self.id, elapsed: at.elapsed };
        self.look_around();
        match bus.device_write(access, physical, width, value) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.abort(at, address, Intent::Write, Status::EXTERNAL, false)),
        }
    }
}

//! Load-exclusive and store-exclusive.

use crate::arm::bus::{Bus, Width};
use crate::arm::decode::{ExclusiveKind, Reg};
use crate::arm::exclusive::Reservation;
use crate::arm::mmu::Intent;
use crate::arm::state::{At, State, Stop};

impl ExclusiveKind {
    /// Width of an element.
    const fn width(self) -> Width {
        match self {
            Self::Byte => Width::Byte,
            Self::Half => Width::Half,
            Self::Word | Self::WordPair => Width::Word,
            Self::Double | Self::DoublePair => Width::Double,
        }
    }

    /// Bytes in all.
    const fn bytes(self) -> u8 {
        match self {
            Self::Byte => 1,
            Self::Half => 2,
            Self::Word => 4,
            Self::Double | Self::WordPair => 8,
            Self::DoublePair => 16,
        }
    }

    /// Bits of the first element, if there is a second.
    const fn pair_shift(self) -> Option<u32> {
        match self {
            Self::WordPair => Some(32),
            Self::DoublePair => Some(64),
            _ => None,
        }
    }
}

impl State {
    fn exclusive_location<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        rn: Reg,
        kind: ExclusiveKind,
        intent: Intent,
    ) -> Result<(u64, u64), Stop> {
        let bytes = u64::from(kind.bytes());
        let address = self.aligned_base(at, rn, bytes, intent)?;
        let cached = match intent {
            Intent::Write => self.tlb.writable(address, 1),
            _ => self.tlb.readable(address, 1),
        };
        if let Some(physical) = cached {
            return Ok((address, u64::from(physical)));
        }
        let mapping = self.translate_for(bus, at, self.level, address, intent)?;
        if bus.is_ram(mapping.physical) {
            let is_write = intent == Intent::Write;
            self.tlb.insert(address, mapping.physical as u32, is_write, !mapping.is_device());
        }
        Ok((address, mapping.physical))
    }

    fn read_exclusive<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        kind: ExclusiveKind,
        address: u64,
        physical: u64,
    ) -> Result<u128, Stop> {
        let first = self.read_physical(bus, at, address, physical, kind.width())?;
        let Some(shift) = kind.pair_shift() else {
            return Ok(u128::from(first));
        };
        let step = u64::from(shift / 8);
        let second = self.read_physical(bus, at, address, physical + step, kind.width())?;
        Ok(u128::from(second) << shift | u128::from(first))
    }

    /// LDXR, LDAXR, LDXP, LDAXP.
    pub(super) fn load_exclusive<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        kind: ExclusiveKind,
        rt: Reg,
        rt2: Reg,
        rn: Reg,
    ) -> Result<(), Stop> {
        let (address, physical) = self.exclusive_location(bus, at, rn, kind, Intent::Read)?;
        let value = self.read_exclusive(bus, at, kind, address, physical)?;
        self.monitor.reserve(Reservation { address: physical, bytes: kind.bytes(), value });
        match kind {
            ExclusiveKind::WordPair => {
                self.set(rt, u64::from(value as u32));
                self.set(rt2, (value >> 32) as u64);
            }
            ExclusiveKind::DoublePair => {
                self.set(rt, value as u64);
                self.set(rt2, (value >> 64) as u64);
            }
            _ => self.set(rt, value as u64),
        }
        Ok(())
    }

    /// STXR, STLXR, STXP, STLXP; `values` are Rt and Rt2.
    pub(super) fn store_exclusive<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        kind: ExclusiveKind,
        rs: Reg,
        (rt, rt2): (Reg, Reg),
        rn: Reg,
    ) -> Result<(), Stop> {
        let (address, physical) = self.exclusive_location(bus, at, rn, kind, Intent::Write)?;
        let reservation = self.monitor.reservation();
        self.monitor.clear();
        let is_held = match reservation {
            Some(held) if held.address == physical && held.bytes == kind.bytes() => {
                self.read_exclusive(bus, at, kind, address, physical)? == held.value
            }
            _ => false,
        };
        if !is_held {
            self.set(rs, 1);
            return Ok(());
        }
        self.write_physical(bus, at, address, physical, kind.width(), self.get(rt))?;
        if let Some(shift) = kind.pair_shift() {
            let second = physical + u64::from(shift / 8);
            self.write_physical(bus, at, address, second, kind.width(), self.get(rt2))?;
        }
        bus.clear_other_reservations(self.id, physical);
        self.set(rs, 0);
        Ok(())
    }

    /// True if a plain store has taken the reservation away: an event for a core in WFE.
    pub(in crate::arm) fn reservation_is_lost<B: Bus>(&mut self, bus: &mut B) -> bool {
        let Some(held) = self.monitor.reservation() else {
            return false;
        };
        if !bus.is_ram(held.address) {
            return false;
        }
        let mut value = [0; 16];
        bus.ram().read_bytes(held.address as u32, &mut value[..usize::from(held.bytes)]);
        u128::from_le_bytes(value) != held.value
    }
}

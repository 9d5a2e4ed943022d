//! LDP and STP.

use crate::arm::bus::Bus;
use crate::arm::decode::{Index, Reg};
use crate::arm::state::{At, State, Stop};

impl State {
    /// The address of the first element, and the new base if it is written back.
    #[inline(always)]
    fn pair_address(
        &mut self,
        at: At,
        rn: Reg,
        index: Index,
        offset: i64,
    ) -> Result<(u64, Option<u64>), Stop> {
        let base = self.base(at, rn)?;
        let moved = base.wrapping_add_signed(offset);
        Ok(match index {
            Index::Offset => (moved, None),
            Index::Pre => (moved, Some(moved)),
            Index::Post => (base, Some(moved)),
        })
    }

    /// LDP and LDPSW; `registers` are Rt, Rt2 and Rn.
    #[inline(always)]
    pub(super) fn load_pair<B: Bus, const BYTES: u64>(
        &mut self,
        bus: &mut B,
        at: At,
        (rt, rt2, rn): (Reg, Reg, Reg),
        index: Index,
        offset: i64,
        signed: bool,
    ) -> Result<(), Stop> {
        let (address, moved) = self.pair_address(at, rn, index, offset)?;
        let first = self.load_bytes::<B, BYTES>(bus, at, address)?;
        let second = self.load_bytes::<B, BYTES>(bus, at, address.wrapping_add(BYTES))?;
        if let Some(moved) = moved {
            self.set(rn, moved);
        }
        if signed {
            self.set(rt, first as i32 as u64);
            self.set(rt2, second as i32 as u64);
        } else {
            self.set(rt, first);
            self.set(rt2, second);
        }
        Ok(())
    }

    /// STP.
    #[inline(always)]
    pub(super) fn store_pair<B: Bus, const BYTES: u64>(
        &mut self,
        bus: &mut B,
        at: At,
        (rt, rt2, rn): (Reg, Reg, Reg),
        index: Index,
        offset: i64,
    ) -> Result<(), Stop> {
        let (address, moved) = self.pair_address(at, rn, index, offset)?;
        self.store_bytes::<B, BYTES>(bus, at, address, self.get(rt))?;
        self.store_bytes::<B, BYTES>(bus, at, address.wrapping_add(BYTES), self.get(rt2))?;
        if let Some(moved) = moved {
            self.set(rn, moved);
        }
        Ok(())
    }
}

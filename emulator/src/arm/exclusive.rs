//! The exclusive monitor.

/// What the last load-exclusive reserved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Reservation {
    /// Physical address.
    pub(crate) address: u64,
    /// Bytes covered, 1 to 16.
    pub(crate) bytes: u8,
    /// What the load saw; a store-exclusive that finds something else there has lost the reservation to a plain
    /// store.
    pub(crate) value: u128,
}

/// The reservation, if one is live.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Monitor {
    reservation: Option<Reservation>,
}

/// log2 of the exclusives reservation granule of a Cortex-A53 (CTR_EL0.ERG): 64 bytes.
const GRANULE_SHIFT: u32 = 6;

impl Monitor {
    /// A load-exclusive.
    pub(crate) fn reserve(&mut self, reservation: Reservation) {
        self.reservation = Some(reservation);
    }

    /// CLREX, an exception return, or a store-exclusive that is done.
    pub(crate) fn clear(&mut self) {
        self.reservation = None;
    }

    /// The live reservation.
    pub(crate) fn reservation(&self) -> Option<Reservation> {
        self.reservation
    }

    /// Another core wrote to `address`; true if that took the reservation away.
    pub(crate) fn clear_at(&mut self, address: u64) -> bool {
        let is_hit =
            self.reservation.is_some_and(|held| held.address >> GRANULE_SHIFT == address >> GRANULE_SHIFT);
        if is_hit {
            self.reservation = None;
        }
        is_hit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_in_the_granule_takes_the_reservation_and_one_outside_does_not() {
        let mut monitor = Monitor::default();
        monitor.reserve(Reservation { address: 0x1008, bytes: 8, value: 5 });
        assert!(!monitor.clear_at(0x1040));
        assert!(monitor.reservation().is_some());
        assert!(monitor.clear_at(0x1030));
        assert!(monitor.reservation().is_none());
        assert!(!monitor.clear_at(0x1030));
    }
}

//! Ids this side hands out.

/// Number of a request, echoed in its reply. 1 to 0x7fff_ffff: the top bit tells unsolicited messages from
/// replies, and 0 is skipped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TransactionId(u32);

impl TransactionId {
    /// The number.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// Hands out transaction ids, round and round.
pub(crate) struct Transactions {
    next: u32,
}

impl Transactions {
    const LAST: u32 = 0x7fff_ffff;

    /// Starts at `first`, or at 1 if that is no valid id.
    pub(crate) const fn new(first: u32) -> Self {
        Self { next: if first == 0 || first > Self::LAST { 1 } else { first } }
    }

    pub(crate) fn take(&mut self) -> TransactionId {
        let id = TransactionId(self.next);
        self.next = if self.next == Self::LAST { 1 } else { self.next + 1 };
        id
    }

    /// The number that the next request gets.
    pub(crate) const fn next(&self) -> u32 {
        self.next
    }
}

/// Number of a lent buffer, echoed in RELEASED. Never used twice in a run, so that a repeated RELEASED cannot hit
/// another buffer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct KernelId(u32);

impl KernelId {
    /// The number; never 0.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// Hands out kernel ids, each once.
pub(crate) struct KernelIds {
    first: u32,
    /// 0 when all have been used.
    next: u32,
}

impl KernelIds {
    /// Starts at `first`, or at 1 if that is 0.
    pub(crate) const fn new(first: u32) -> Self {
        let first = if first == 0 { 1 } else { first };
        Self { first, next: first }
    }

    pub(crate) fn take(&mut self) -> Option<KernelId> {
        let number = self.next;
        if number == 0 {
            return None;
        }
        self.next = number.wrapping_add(1);
        Some(KernelId(number))
    }

    /// The number that the next buffer gets; 0 when all have been used.
    pub(crate) const fn next(&self) -> u32 {
        self.next
    }

    /// True if a buffer has had this number.
    pub(crate) const fn has_issued(&self, number: u32) -> bool {
        number >= self.first && (number < self.next || self.next == 0)
    }
}

/// Firmware's handle of a resource; never 0. Firmware may give a value again once its resource is gone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Handle(u32);

impl Handle {
    /// A handle as firmware told it; 0 is none.
    pub(crate) const fn told(word: u32) -> Option<Self> {
        if word == 0 { None } else { Some(Self(word)) }
    }

    /// The number, as in the property tags that lock and unlock.
    pub const fn number(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transaction_ids_skip_zero_and_the_top_bit() {
        let mut ids = Transactions::new(0x7fff_fffe);
        let taken = [ids.take(), ids.take(), ids.take()].map(TransactionId::number);
        assert_eq!(taken, [0x7fff_fffe, 0x7fff_ffff, 1]);
        assert_eq!(ids.next(), 2);
        assert_eq!(Transactions::new(0).take().number(), 1);
    }

    #[test]
    fn a_kernel_id_is_never_issued_twice() {
        let mut ids = KernelIds::new(u32::MAX - 1);
        assert_eq!(ids.take().map(KernelId::number), Some(u32::MAX - 1));
        assert!(!ids.has_issued(u32::MAX));
        assert_eq!(ids.take().map(KernelId::number), Some(u32::MAX));
        assert_eq!(ids.take(), None);
        assert!(ids.has_issued(u32::MAX));
        assert!(!ids.has_issued(1));
    }
}

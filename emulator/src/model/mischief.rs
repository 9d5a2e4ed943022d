//! When the one fault of a run strikes.

use super::fault::Defect;

/// The fault of a run, and how often there was an occasion for it.
pub(super) struct Mischief {
    defect: Option<Defect>,
    occasions: u32,
}

impl Mischief {
    pub(super) fn new(defect: Option<Defect>) -> Self {
        Self { defect, occasions: 0 }
    }

    /// True on every occasion for this fault.
    pub(super) fn always(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    /// True on the `number`th occasion (counted from 1) for this fault, and on no other.
    pub(super) fn on(&mut self, number: u32, defect: Defect) -> bool {
        if self.defect != Some(defect) {
            return false;
        }
        self.occasions += 1;
        self.occasions == number
    }

    /// True from the `number`th occasion on.
    pub(super) fn from(&mut self, number: u32, defect: Defect) -> bool {
        if self.defect != Some(defect) {
            return false;
        }
        self.occasions = self.occasions.saturating_add(1);
        self.occasions >= number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strikes_on_its_occasion_and_on_nobody_elses() {
        let mut mischief = Mischief::new(Some(Defect::EchoSilent));
        assert!(!mischief.on(1, Defect::EchoTwice) && !mischief.always(Defect::EchoTwice));
        assert!(!mischief.on(2, Defect::EchoSilent));
        assert!(mischief.on(2, Defect::EchoSilent));
        assert!(!mischief.on(2, Defect::EchoSilent));
        assert!(mischief.from(2, Defect::EchoSilent) && mischief.always(Defect::EchoSilent));
    }
}

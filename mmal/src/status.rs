//! What the firmware says of a request.

/// A status of the service (MMAL fact sheet 10).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Status {
    /// Carried out.
    Success,
    /// ENOMEM: out of memory.
    OutOfMemory,
    /// ENOSPC: out of something else.
    OutOfResources,
    /// EINVAL: an argument that cannot be.
    Invalid,
    /// ENOSYS: not implemented.
    NotImplemented,
    /// ENOENT: no such thing.
    NotFound,
    /// ENXIO: no such device.
    NoDevice,
    /// EIO: input or output failed.
    Io,
    /// ESPIPE: cannot seek.
    CannotSeek,
    /// ECORRUPT: data is damaged.
    Corrupt,
    /// ENOTREADY: not ready.
    NotReady,
    /// ECONFIG: not configured.
    NotConfigured,
    /// EISCONN: connected already.
    Connected,
    /// ENOTCONN: not connected.
    NotConnected,
    /// EAGAIN: may be tried again.
    Again,
    /// EFAULT: bad address.
    BadAddress,
    /// A word that means nothing to anybody.
    Unknown(u32),
}

impl Status {
    const KNOWN: [Self; 16] = [
        Self::Success,
        Self::OutOfMemory,
        Self::OutOfResources,
        Self::Invalid,
        Self::NotImplemented,
        Self::NotFound,
        Self::NoDevice,
        Self::Io,
        Self::CannotSeek,
        Self::Corrupt,
        Self::NotReady,
        Self::NotConfigured,
        Self::Connected,
        Self::NotConnected,
        Self::Again,
        Self::BadAddress,
    ];

    /// The status that a word stands for.
    pub fn from_word(word: u32) -> Self {
        let known = usize::try_from(word).ok().and_then(|index| Self::KNOWN.get(index));
        known.copied().unwrap_or(Self::Unknown(word))
    }

    /// The word that stands for it.
    pub fn word(self) -> u32 {
        match self {
            Self::Unknown(word) => word,
            known => Self::KNOWN.iter().position(|status| *status == known).map_or(0, |index| index as u32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_a_status_and_back() {
        for word in (0..40).chain([u32::MAX]) {
            assert_eq!(Status::from_word(word).word(), word);
        }
        assert_eq!(Status::from_word(3), Status::Invalid);
        assert_eq!(Status::from_word(15), Status::BadAddress);
        assert_eq!(Status::from_word(16), Status::Unknown(16));
    }
}

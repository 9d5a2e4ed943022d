//! What a buffer carries.

/// Memory behind a handle of VideoCore's, lent to a port with a buffer.
///
/// Handle and size stay what they are for as long as the value lives.
pub trait Payload {
    /// VideoCore's handle of the memory. On a port that is not zero copy it is any number but 0: the service asks for
    /// one and does not use it.
    fn handle(&self) -> u32;

    /// Bytes of the memory.
    fn size(&self) -> u32;
}

/// A handle by its number alone: whoever has it guarantees nothing. For ports that are not zero copy, and for tests
/// that keep the memory elsewhere on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct HandleNumber {
    /// The handle.
    pub handle: u32,
    /// Bytes of its memory.
    pub size: u32,
}

impl Payload for HandleNumber {
    fn handle(&self) -> u32 {
        self.handle
    }

    fn size(&self) -> u32 {
        self.size
    }
}

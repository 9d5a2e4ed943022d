//! Numbers this side hands out, and handles the firmware does.

/// Number of a request, echoed in its reply; never 0, never used twice in a run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RequestContext(u32);

impl RequestContext {
    /// The number.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// Number of a submitted buffer, echoed when it comes back; never 0, never used twice in a run, and never that of a
/// request or a component.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BufferContext(u32);

impl BufferContext {
    /// The number.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// This side's number for a component, named in its events.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct ComponentContext(u32);

impl ComponentContext {
    pub(crate) const fn number(self) -> u32 {
        self.0
    }
}

/// The low bits of a number say what it was handed out for, so that one kind is never taken for another.
const KIND_BITS: u32 = 2;
const REQUEST: u32 = 1;
const BUFFER: u32 = 2;
const COMPONENT: u32 = 3;
/// Numbers there are of a kind.
const LIMIT: u32 = 1 << (32 - KIND_BITS);

/// Hands out numbers, each once.
pub(crate) struct Contexts {
    first: u32,
    next: u32,
}

impl Contexts {
    /// Starts behind `first` numbers that earlier clients of the run have used.
    pub(crate) const fn new(first: u32) -> Self {
        let first = if first > LIMIT { LIMIT } else { first };
        Self { first, next: first }
    }

    fn take(&mut self, kind: u32) -> Option<u32> {
        if self.next >= LIMIT {
            return None;
        }
        let number = self.next << KIND_BITS | kind;
        self.next += 1;
        Some(number)
    }

    pub(crate) fn request(&mut self) -> Option<RequestContext> {
        self.take(REQUEST).map(RequestContext)
    }

    pub(crate) fn buffer(&mut self) -> Option<BufferContext> {
        self.take(BUFFER).map(BufferContext)
    }

    pub(crate) fn component(&mut self) -> Option<ComponentContext> {
        self.take(COMPONENT).map(ComponentContext)
    }

    /// Numbers used so far in the run.
    pub(crate) const fn used(&self) -> u32 {
        self.next
    }

    /// The buffer that has, or had, this number.
    pub(crate) const fn issued_buffer(&self, number: u32) -> Option<BufferContext> {
        let counted = number >> KIND_BITS;
        let is_buffer = number & ((1 << KIND_BITS) - 1) == BUFFER;
        if is_buffer && counted >= self.first && counted < self.next {
            Some(BufferContext(number))
        } else {
            None
        }
    }
}

/// The firmware's handle of a component. It gives a number again as soon as the component is gone; that of the next
/// component is another handle all the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ComponentHandle {
    number: u32,
    context: ComponentContext,
}

impl ComponentHandle {
    /// A handle as the firmware told it for a component of ours.
    pub(crate) const fn told(number: u32, context: ComponentContext) -> Self {
        Self { number, context }
    }

    /// One that was told too late for anybody to use it.
    pub(crate) const fn unwanted(number: u32) -> Self {
        Self { number, context: ComponentContext(0) }
    }

    /// The number.
    pub const fn number(self) -> u32 {
        self.number
    }

    /// This side's number for the component.
    pub(crate) const fn context(self) -> ComponentContext {
        self.context
    }
}

/// The firmware's handle of a port: 0 to 255 (MMAL fact sheet 12).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PortHandle(u32);

impl PortHandle {
    /// Largest value.
    pub const MAX: u32 = 255;

    /// A handle as the firmware told it.
    pub(crate) const fn told(word: u32) -> Option<Self> {
        if word <= Self::MAX { Some(Self(word)) } else { None }
    }

    /// The number.
    pub const fn number(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_never_zero_nor_issued_twice() {
        let mut contexts = Contexts::new(LIMIT - 3);
        let numbers = [
            contexts.request().map(RequestContext::number),
            contexts.buffer().map(BufferContext::number),
            contexts.component().map(ComponentContext::number),
        ];
        assert_eq!(numbers, [Some(0xffff_fff5), Some(0xffff_fffa), Some(0xffff_ffff)]);
        assert_eq!((contexts.request(), contexts.used()), (None, LIMIT));
        assert_eq!(Contexts::new(LIMIT + 1).buffer(), None);
        assert_eq!(Contexts::new(0).buffer().map(BufferContext::number), Some(2));
    }

    #[test]
    fn a_number_of_another_kind_is_no_buffer_s() {
        let mut contexts = Contexts::new(7);
        let (request, buffer) = (contexts.request().unwrap(), contexts.buffer().unwrap());
        assert_eq!(contexts.issued_buffer(buffer.number()), Some(buffer));
        for number in [0, request.number(), buffer.number() + 4, 6 << KIND_BITS | BUFFER] {
            assert_eq!(contexts.issued_buffer(number), None, "{number:#x}");
        }
    }

    #[test]
    fn a_port_handle_is_at_most_255() {
        assert_eq!(PortHandle::told(255).map(PortHandle::number), Some(255));
        assert_eq!(PortHandle::told(256), None);
    }
}

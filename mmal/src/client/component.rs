//! Components.

use vchiq_mbox::{Deadline, Platform, Vchiq, Window};
use zerocopy::IntoBytes;

use super::{MAX_COMPONENTS, Mmal, request::Question};
use crate::{
    error::{Error, Exhausted, Misuse, Violation},
    fmt::log_info,
    ids::ComponentHandle,
    payload::Payload,
    record::{Data, Filled, How, State},
    wire::{ComponentCreate, ComponentCreated, Flags, MessageType, OnComponent, UNKNOWN_TIME, padded_name},
};

/// Ports of a kind that any client sees (MMAL fact sheet 12).
const MAX_PORTS: u32 = 8;

/// A component of this client's.
#[must_use = "the firmware keeps it until it is destroyed"]
#[derive(PartialEq, Eq, Debug)]
pub struct Component {
    handle: ComponentHandle,
    ports: [u32; 3],
}

impl Component {
    /// The firmware's handle.
    pub fn handle(&self) -> ComponentHandle {
        self.handle
    }

    /// Its input ports.
    pub fn inputs(&self) -> u32 {
        self.ports[0]
    }

    /// Its output ports.
    pub fn outputs(&self) -> u32 {
        self.ports[1]
    }

    /// Its clock ports.
    pub fn clocks(&self) -> u32 {
        self.ports[2]
    }
}

/// What became of the buffers of a component that has been destroyed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Destroyed {
    /// Came back by BUFFER_TO_HOST while the firmware destroyed it.
    pub came_back: usize,
    /// Did not; they can be taken, marked as [`How::ComponentDestroyed`].
    pub not_returned: usize,
}

/// The component has not been destroyed, as far as is known.
#[derive(Debug)]
pub struct DestroyFailure {
    /// Why.
    pub error: Error,
    /// The component, to try again.
    pub component: Component,
}

impl<T: Payload, const N: usize> Mmal<T, N> {
    /// Makes a component. Its name is that of applications without the `vc.` in front: `null_sink`, `ril.isp`.
    ///
    /// # Errors
    /// [`Error::Refused`] for a name that the firmware does not know; [`Exhausted::ComponentsFull`]; what ends the wait.
    pub fn create<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        name: &str,
        deadline: Deadline,
    ) -> Result<Component, Error> {
        if self.components.is_full() {
            return Err(Exhausted::ComponentsFull { capacity: MAX_COMPONENTS }.into());
        }
        let context = self.contexts.component().ok_or(Exhausted::Contexts)?;
        let question = self.question(MessageType::ComponentCreate)?;
        let message = ComponentCreate {
            header: question.header(),
            client_component: context.number().into(),
            name: padded_name(name),
            pid: self.pid.into(),
        };
        let place = self.ask(link, question, &[message.as_bytes()], deadline)?;
        self.check_status(question, place)?;
        let created: ComponentCreated = self.read_reply(place)?;
        let handle = ComponentHandle::told(created.handle.get(), context);
        if self.components.iter().any(|component| component.number() == handle.number()) {
            return Err(self.violated(Violation::HandleInUse { handle: handle.number(), place }));
        }
        let ports = [created.inputs, created.outputs, created.clocks].map(|count| count.get());
        // There is room: checked before anything was sent.
        let _ = self.components.push(handle);
        if ports.iter().any(|count| *count > MAX_PORTS) {
            let _ = self.unwanted.push(handle);
            return Err(self.violated(Violation::PortCount { ports, place }));
        }
        log_info!("mmal: component {}", handle);
        Ok(Component { handle, ports })
    }

    /// Lets a component work. One that was disabled goes on with what its ports have.
    ///
    /// # Errors
    /// [`Error::Refused`]; what ends the wait.
    pub fn enable<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        component: &Component,
        deadline: Deadline,
    ) -> Result<(), Error> {
        self.on_component(link, MessageType::ComponentEnable, component.handle, deadline)
    }

    /// Stops a component: its ports keep what they have, and take more.
    ///
    /// # Errors
    /// [`Error::Refused`]; what ends the wait.
    pub fn disable<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        component: &Component,
        deadline: Deadline,
    ) -> Result<(), Error> {
        self.on_component(link, MessageType::ComponentDisable, component.handle, deadline)
    }

    /// Ends a component. Buffers that the firmware did not give back before its reply are given back by the client:
    /// nothing is left that could use them. Their memory is a matter of its own handle.
    ///
    /// # Errors
    /// [`DestroyFailure`] with the component.
    pub fn destroy<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        component: Component,
        deadline: Deadline,
    ) -> Result<Destroyed, DestroyFailure> {
        let handle = component.handle;
        let before = self.out_of_component(handle);
        match self.on_component(link, MessageType::ComponentDestroy, handle, deadline) {
            Ok(()) => {}
            Err(error) => return Err(DestroyFailure { error, component }),
        }
        let not_returned = self.forget_component(handle);
        Ok(Destroyed { came_back: before.saturating_sub(not_returned), not_returned })
    }

    /// After the end of a component: gives the number of buffers that it had still.
    pub(super) fn forget_component(&mut self, handle: ComponentHandle) -> usize {
        self.components.retain(|component| *component != handle);
        let not_returned = self.out_of_component(handle);
        let filled = Filled {
            command: 0,
            length: 0,
            offset: 0,
            flags: Flags::empty(),
            pts: UNKNOWN_TIME,
            dts: UNKNOWN_TIME,
        };
        let gone = State::Back { how: How::ComponentDestroyed, filled, data: Data::None };
        for record in self.records.iter_mut().filter(|record| record.is_out() && record.component == handle) {
            record.state = gone;
        }
        not_returned
    }

    fn out_of_component(&self, handle: ComponentHandle) -> usize {
        self.records.iter().filter(|record| record.is_out() && record.component == handle).count()
    }

    fn on_component<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        kind: MessageType,
        handle: ComponentHandle,
        deadline: Deadline,
    ) -> Result<(), Error> {
        self.check_component(handle)?;
        let ends = (kind == MessageType::ComponentDestroy).then_some(handle);
        let question = Question { ends, ..self.question(kind)? };
        let message = OnComponent { header: question.header(), component: handle.number().into() };
        self.ask_for_status(link, question, &[message.as_bytes()], deadline)
    }

    pub(super) fn check_component(&self, handle: ComponentHandle) -> Result<(), Misuse> {
        if self.components.contains(&handle) { Ok(()) } else { Err(Misuse::UnknownComponent { handle }) }
    }
}

//! What each message does (VCHIQ fact sheet 4.3, 6 and 8).

use super::agenda::Task;
use super::board::Board;
use super::bulk::Direction;
use super::fault::Defect;
use super::link::{Received, kind};
use super::pace::Work;
use super::service::{Incoming, Kind, NOBODY};
use super::{MessageId, Outgoing, VideoCore};

impl VideoCore {
    /// Our CONNECT, sent without waiting for the Arm's.
    pub(super) fn connect(&mut self, board: &mut Board<'_>) {
        if self.mischief.always(Defect::ConnectSilent) {
            return;
        }
        self.send(board, MessageId::new(kind::CONNECT, 0, 0), Vec::new());
        if self.mischief.always(Defect::ConnectTwice) {
            self.send(board, MessageId::new(kind::CONNECT, 0, 0), Vec::new());
        }
        if self.mischief.always(Defect::DoorbellStorm) {
            self.agenda.add(board.now_ps, Task::Storm);
        }
    }

    /// The slot handler: everything that is there, then back to sleep.
    pub(super) fn read_slots(&mut self, board: &mut Board<'_>) {
        self.awake.messages = false;
        if let Some(link) = &self.link {
            link.acknowledge_messages(board);
        }
        while !self.crashed
            && let Some(link) = &mut self.link
            && let Some(message) = link.receive(board, &mut self.mischief)
        {
            self.dispatch(board, message);
        }
        self.sleep(board);
    }

    /// The recycle handler.
    pub(super) fn take_back_slots(&mut self, board: &mut Board<'_>) {
        self.awake.slots = false;
        if let Some(link) = &mut self.link {
            link.take_back_slots(board, &mut self.mischief);
        }
        self.sleep(board);
    }

    /// Waits for the next signal, unless it has come meanwhile.
    fn sleep(&mut self, board: &mut Board<'_>) {
        let Some(link) = &mut self.link else { return };
        let (messages, slots) = link.wait(board);
        if !messages && !self.crashed {
            self.plan_messages(board);
        }
        if !slots && !self.crashed {
            self.plan_slots(board);
        }
    }

    fn dispatch(&mut self, board: &mut Board<'_>, message: Received) {
        if self.mischief.on(10, Defect::Crash) {
            return self.crash(board, false);
        }
        if self.mischief.on(10, Defect::CrashAndReturn) {
            return self.crash(board, true);
        }
        let Some(message) = self.on_client_message(board, message) else { return };
        let (source, destination) = (message.id.source(), message.id.destination());
        match message.id.kind() {
            kind::CONNECT => {
                if let Some(link) = &mut self.link {
                    link.peer_connected = true;
                }
            }
            kind::OPEN => self.on_open(board, source, &message.payload),
            kind::CLOSE => self.on_close(board, source, destination),
            kind::DATA => self.on_data(board, message),
            kind::BULK_TX => {
                self.on_bulk(board, Direction::FromArm, (source, destination), &message.payload);
            }
            kind::BULK_RX => self.on_bulk(board, Direction::ToArm, (source, destination), &message.payload),
            kind::REMOTE_USE_ACTIVE => self.on_use_active(board),
            kind::PAUSE => self.on_pause(board),
            kind::RESUME => {
                if let Some(link) = &mut self.link {
                    link.paused = false;
                    link.flush(board, &mut self.mischief);
                }
                self.plan_bulks(board);
            }
            // Padding, and what is not for us.
            _ => {}
        }
    }

    fn on_open(&mut self, board: &mut Board<'_>, client: u16, open: &[u8]) {
        if self.mischief.on(2, Defect::OpenSilent) {
            return;
        }
        let found = self.services.iter_mut().find_map(|service| Some((service.accepts(open)?, service)));
        let Some((version, service)) = found else {
            return self.send(board, MessageId::new(kind::CLOSE, 0, client), Vec::new());
        };
        service.client = Some(client);
        let port = service.port;
        if service.kind == Kind::SharedMemory {
            self.shared_memory.forget_client();
        }
        let elsewhere = self.mischief.always(Defect::OpenAckElsewhere);
        self.rounds.remove(&port);
        let client = if elsewhere { NOBODY } else { client };
        let id = MessageId::new(kind::OPENACK, port, client);
        self.send(board, id, version.to_le_bytes().to_vec());
        if self.mischief.on(1, Defect::OpenAckTwice) {
            self.send(board, id, version.to_le_bytes().to_vec());
        }
    }

    fn on_close(&mut self, board: &mut Board<'_>, source: u16, destination: u16) {
        // Destination 0 is a client that gave up before it saw OPENACK.
        let is_meant = |port: u16| port == destination || destination == 0;
        let service =
            self.services.iter_mut().find(|service| is_meant(service.port) && service.client == Some(source));
        let Some(service) = service else { return };
        let port = service.port;
        self.abort_bulks(board, port);
        let Some(service) = self.services.iter_mut().find(|service| service.port == port) else { return };
        service.client = None;
        let (port, answered) = (service.port, std::mem::take(&mut service.closing));
        if service.kind == Kind::SharedMemory {
            self.shared_memory.forget_client();
        }
        if !answered && !self.mischief.on(1, Defect::CloseSilent) {
            self.send(board, MessageId::new(kind::CLOSE, port, source), Vec::new());
        }
    }

    /// Closes a service from our side.
    pub(super) fn close(&mut self, board: &mut Board<'_>, port: u16) {
        let Some(service) = self.services.iter_mut().find(|service| service.port == port) else { return };
        let Some(client) = service.client.filter(|_| !service.closing) else { return };
        service.closing = true;
        self.abort_bulks(board, port);
        self.send(board, MessageId::new(kind::CLOSE, port, client), Vec::new());
    }

    fn on_data(&mut self, board: &mut Board<'_>, message: Received) {
        let (source, port) = (message.id.source(), message.id.destination());
        let Received { payload, slot, offset, .. } = message;
        let service = self.services.iter().find(|service| service.port == port);
        let open = service.filter(|service| service.client == Some(source) && !service.closing);
        let Some(service) = open else {
            // Nobody's: dropped without a reply.
            if let Some(link) = &mut self.link {
                link.release(board, slot, offset, &mut self.mischief);
            }
            return;
        };
        let work = match service.kind {
            Kind::Echo | Kind::Data => Work::Echo { bytes: payload.len() },
            Kind::SharedMemory => Work::SharedMemory,
            Kind::Command => Work::Command,
        };
        self.plan(board, work, Task::Serve(Incoming { port, payload, slot, offset }));
    }

    /// The Arm pauses the link: we answer, and say nothing more until RESUME.
    fn on_pause(&mut self, board: &mut Board<'_>) {
        let mischief = &self.mischief;
        if mischief.always(Defect::PauseForEver) || mischief.always(Defect::PauseSilent) {
            return;
        }
        if self.link.as_ref().is_some_and(|link| link.paused) {
            return;
        }
        self.send(board, MessageId::new(kind::PAUSE, 0, 0), Vec::new());
        if let Some(link) = &mut self.link {
            link.paused = true;
        }
    }

    /// Sends DATA to the client of a service, if it has one.
    pub(super) fn send_data(&mut self, board: &mut Board<'_>, port: u16, payload: Vec<u8>) {
        let service = self.services.iter().find(|service| service.port == port && !service.closing);
        let Some(client) = service.and_then(|service| service.client) else { return };
        self.send(board, MessageId::new(kind::DATA, port, client), payload);
        if self.mischief.on(5, Defect::PauseForEver) {
            self.send(board, MessageId::new(kind::PAUSE, 0, 0), Vec::new());
            if let Some(link) = &mut self.link {
                link.paused = true;
            }
        }
    }

    pub(super) fn send(&mut self, board: &mut Board<'_>, id: MessageId, payload: Vec<u8>) {
        if let Some(link) = &mut self.link {
            link.send(board, Outgoing { id, payload }, &mut self.mischief);
        }
    }
}

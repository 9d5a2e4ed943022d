//! VideoCore as the one who asks: it opens a service of the Arm's, wants it kept awake, pauses the link. Firmware does none
//! of this by itself, so it is done on command: the text commands `model open NAME`, `model use` and `model pause`.

use super::agenda::Task;
use super::board::Board;
use super::fault::Defect;
use super::link::{MessageId, Received, kind};
use super::{Link, VideoCore};

/// Our port as a client.
const PORT: u16 = 90;
/// Our version as a client, and the oldest server that we accept.
const VERSION: u16 = 1;
/// The number that we send with OPEN.
const CLIENT_ID: u32 = 7;
/// What we ask the service to send back.
const QUESTION: &[u8] = b"a question of the model's";
/// From PAUSE to RESUME: 200 µs.
const PAUSE_PS: u64 = 200_000_000;

/// How far we are with a service of the Arm's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Client {
    /// We want none.
    #[default]
    Idle,
    /// OPEN is sent.
    Opening,
    /// The question is sent to this port.
    Asking(u16),
    /// CLOSE is sent.
    Closing,
}

impl VideoCore {
    /// A text command for the model itself; `None` if it is none.
    pub(super) fn obey(&mut self, board: &mut Board<'_>, command: &[u8]) -> Option<Vec<u8>> {
        let text = command.split(|byte| *byte == 0).next().unwrap_or_default();
        let text = std::str::from_utf8(text).ok()?;
        match text.strip_prefix("model ")?.split_once(' ') {
            Some(("open", name)) => {
                let name: [u8; 4] = name.as_bytes().try_into().ok()?;
                self.open_service(board, u32::from_be_bytes(name));
            }
            None if text == "model use" => self.ask_for_use(board),
            None if text == "model pause" => self.pause_link(board),
            _ => return None,
        }
        // Code 0, and no text.
        Some(vec![0; 5])
    }

    fn open_service(&mut self, board: &mut Board<'_>, name: u32) {
        let mut open = name.to_le_bytes().to_vec();
        open.extend(CLIENT_ID.to_le_bytes());
        open.extend(VERSION.to_le_bytes());
        open.extend(VERSION.to_le_bytes());
        if self.mischief.always(Defect::OpenOursShort) {
            open.truncate(8);
        }
        self.client = Client::Opening;
        let id = MessageId::new(kind::OPEN, PORT, 0);
        self.send(board, id, open.clone());
        if self.mischief.always(Defect::OpenOursTwice) {
            self.send(board, id, open);
        }
    }

    /// OPENACK, DATA and CLOSE for us as a client; gives back what is for somebody else.
    pub(super) fn on_client_message(&mut self, board: &mut Board<'_>, message: Received) -> Option<Received> {
        let (source, destination) = (message.id.source(), message.id.destination());
        if destination != PORT {
            return Some(message);
        }
        match (message.id.kind(), self.client) {
            (kind::OPENACK, Client::Opening) => {
                self.client = Client::Asking(source);
                self.send(board, MessageId::new(kind::DATA, PORT, source), QUESTION.to_vec());
            }
            (kind::DATA, client) => {
                if let Some(link) = &mut self.link {
                    link.release(board, message.slot, message.offset, &mut self.mischief);
                }
                let is_answer = client == Client::Asking(source) && message.payload == QUESTION;
                if is_answer && !self.mischief.always(Defect::CloseOursSilent) {
                    self.client = Client::Closing;
                    self.send(board, MessageId::new(kind::CLOSE, PORT, source), Vec::new());
                }
            }
            (kind::CLOSE, client) => {
                if client == Client::Asking(source) {
                    self.send(board, MessageId::new(kind::CLOSE, PORT, source), Vec::new());
                }
                self.client = Client::Idle;
            }
            _ => {}
        }
        None
    }

    /// Wants the Arm to stay awake until it has said that it does.
    fn ask_for_use(&mut self, board: &mut Board<'_>) {
        let unasked = self.mischief.always(Defect::UseReleasedUnasked);
        let message = if unasked { kind::REMOTE_RELEASE } else { kind::REMOTE_USE };
        self.send(board, MessageId::new(message, 0, 0), Vec::new());
    }

    /// The Arm stays awake: it need not any longer.
    pub(super) fn on_use_active(&mut self, board: &mut Board<'_>) {
        self.send(board, MessageId::new(kind::REMOTE_RELEASE, 0, 0), Vec::new());
    }

    /// Pauses the link for a moment.
    fn pause_link(&mut self, board: &mut Board<'_>) {
        self.send(board, MessageId::new(kind::PAUSE, 0, 0), Vec::new());
        if self.mischief.always(Defect::UseWhilePaused) {
            self.send(board, MessageId::new(kind::REMOTE_USE, 0, 0), Vec::new());
        }
        if let Some(link) = &mut self.link {
            link.paused = true;
        }
        self.agenda.add(board.now_ps + PAUSE_PS, Task::Resume);
    }

    /// Goes on after our pause.
    pub(super) fn resume_link(&mut self, board: &mut Board<'_>) {
        let Some(link) = &mut self.link else { return };
        link.paused = false;
        self.send(board, MessageId::new(kind::RESUME, 0, 0), Vec::new());
        if let Some(link) = &mut self.link {
            Link::flush(link, board, &mut self.mischief);
        }
        self.plan_bulks(board);
    }
}

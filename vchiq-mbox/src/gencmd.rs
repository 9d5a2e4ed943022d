//! Asking the firmware by text: the general command service GCMD (gencmd fact sheet 1).
//!
//! It lives in this crate because both its roads do, slots and mailbox, and because it needs no more state than a
//! service handle. The other road is [`crate::Mailbox::gencmd`], on firmware that knows its tag.
//!
//! Commands carry no number, so there is one at a time, and an answer is the answer to the last command. After a
//! timeout the answer may still be on its way: the service is closed and opened again before the next command.

use crate::{
    deadline::Deadline,
    error::{Error, Owner},
    link::{OpenRequest, Vchiq},
    platform::{Platform, Window},
    service::ServiceHandle,
    wire::FourCc,
};

/// The service.
pub const GCMD: OpenRequest = OpenRequest::new(FourCc::new(*b"GCMD"), 1, 1);
/// Longest command in bytes, without its NUL.
pub const MAX_COMMAND: usize = 511;
/// Longest text by mailbox in bytes: 1024 of value, as the published client declares, less the error code.
pub const MAX_MAILBOX_TEXT: usize = 1020;
/// Bytes of the error code before the text.
const CODE_BYTES: usize = 4;

/// Why a command has no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum GencmdError {
    /// The link under the service; [`Error::Refused`] from firmware without it.
    #[error(transparent)]
    Link(#[from] Error),
    /// Longer than [`MAX_COMMAND`]; nothing was sent.
    #[error("command of {size} bytes")]
    CommandTooLong {
        /// Its bytes.
        size: usize,
    },
    /// An empty command or one with a NUL in it; nothing was sent.
    #[error("command with a NUL, or none at all")]
    NoText,
    /// An answer that does not even hold the error code.
    #[error("answer of {size} bytes")]
    AnswerTooShort {
        /// Its bytes.
        size: usize,
    },
    /// The answer does not fit the caller's buffer.
    #[error("answer of {size} bytes, room for {room}")]
    AnswerTooLong {
        /// Bytes of the answer.
        size: usize,
        /// Bytes of the buffer.
        room: usize,
    },
    /// A message before any command was sent.
    #[error("answer of {size} bytes to no command")]
    Unasked {
        /// Its bytes.
        size: usize,
    },
}

impl GencmdError {
    /// Who answers for it.
    pub const fn owner(&self) -> Owner {
        match self {
            Self::Link(error) => error.owner(),
            Self::CommandTooLong { .. } | Self::NoText | Self::AnswerTooLong { .. } => Owner::Harness,
            Self::AnswerTooShort { .. } | Self::Unasked { .. } => Owner::Firmware,
        }
    }
}

/// What the firmware says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer<'t> {
    /// 0 if the command was carried out.
    pub code: i32,
    /// Its text, up to the first NUL or the first byte that is no text.
    pub text: &'t str,
    /// The bytes up to the first NUL, text or not.
    pub bytes: &'t [u8],
}

impl<'t> Answer<'t> {
    /// Reads an answer's bytes: the code, then text that need not end with a NUL.
    pub(crate) fn read(bytes: &'t [u8]) -> Result<Self, GencmdError> {
        let short = GencmdError::AnswerTooShort { size: bytes.len() };
        let (code, bytes) = bytes.split_first_chunk::<CODE_BYTES>().ok_or(short)?;
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        let bytes = &bytes[..end];
        let text = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        Ok(Self { code: i32::from_le_bytes(*code), text, bytes })
    }
}

/// The value of `name=value` in an answer, quotes taken off; ends with the line.
pub fn value_of<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.trim().trim_matches('"'))
}

/// A client of the service.
#[derive(Debug)]
pub struct Gencmd {
    service: ServiceHandle,
    /// A late answer may be on its way.
    stale: bool,
}

impl Gencmd {
    /// Opens the service.
    ///
    /// # Errors
    /// [`Error::Refused`] from firmware without it; what ends the wait.
    pub fn open<P: Platform, W: Window>(
        link: &mut Vchiq<P, W>,
        deadline: Deadline,
    ) -> Result<Self, GencmdError> {
        Ok(Self { service: link.open(GCMD, deadline)?, stale: false })
    }

    /// Sends a command and waits for its answer, which is read into `buffer`. The code counts: [`Answer::code`].
    ///
    /// # Errors
    /// [`GencmdError`]. After any but a caller's mistake the next command opens the service anew.
    pub fn ask<'t, P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        command: &str,
        buffer: &'t mut [u8],
        deadline: Deadline,
    ) -> Result<Answer<'t>, GencmdError> {
        let size = command.len();
        if size > MAX_COMMAND {
            return Err(GencmdError::CommandTooLong { size });
        }
        if command.is_empty() || command.contains('\0') {
            return Err(GencmdError::NoText);
        }
        if self.stale {
            self.reopen(link, deadline)?;
        }
        // Whatever happens from here to the answer leaves one on its way.
        self.stale = true;
        if let Some(message) = link.try_receive(self.service)? {
            return Err(GencmdError::Unasked { size: message.size() });
        }
        link.send(self.service, &[command.as_bytes(), &[0]], deadline)?;
        let message = link.receive(self.service, deadline)?;
        // It has come, readable or not.
        self.stale = false;
        let (size, room) = (message.size(), buffer.len());
        let bytes = message.copy_to(buffer).map_err(|_| GencmdError::AnswerTooLong { size, room })?;
        Answer::read(bytes)
    }

    /// Closes the service.
    ///
    /// # Errors
    /// [`GencmdError::Link`].
    pub fn close<P: Platform, W: Window>(
        self,
        link: &mut Vchiq<P, W>,
        deadline: Deadline,
    ) -> Result<(), GencmdError> {
        Ok(link.close(self.service, deadline)?)
    }

    /// Closes the service, with whatever it may still send, and opens it again.
    fn reopen<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        deadline: Deadline,
    ) -> Result<(), GencmdError> {
        match link.close(self.service, deadline) {
            // A stale handle: an earlier attempt got as far as the CLOSE, or further.
            Ok(()) | Err(Error::Misuse(_)) => {}
            Err(error) => return Err(error.into()),
        }
        self.service = link.open(GCMD, deadline)?;
        self.stale = false;
        Ok(())
    }
}

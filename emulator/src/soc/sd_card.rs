//! An SDHC card: answers commands, holds the image (SD physical layer simplified specification).

/// Bytes in a block.
pub const BLOCK_BYTES: usize = 512;

/// Card status: ready for data, state "tran".
const STATUS_TRANSFER: u32 = 0x900;
/// Card status: ready for data, state "stby", as it was when CMD7 arrived.
const STATUS_STANDBY: u32 = 0x700;
const STATUS_APP_COMMAND: u32 = 0x20;
/// CMD3: the address the card chose, and its status.
const ADDRESS_AND_STATUS: u32 = 0xaaaa_0520;
/// ACMD41: powered up, high capacity, 2.7 to 3.6 V.
const OPERATING_CONDITIONS: u32 = 0xc0ff_8000;
/// CMD2 and CMD10, first word in the lowest: an invented maker and serial number.
const IDENTITY: [u32; 4] = [0x0000_0001, 0x1234_5678, 0x454d_5530, 0x0353_4456];
/// ACMD51: version 2, one and four data lines.
const CONFIGURATION: [u8; 8] = [0x02, 0x35, 0x80, 0, 0, 0, 0, 0];

/// What follows a command on the data lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Data {
    /// Nothing.
    None,
    /// A register of the card.
    Bytes(Vec<u8>),
    /// Blocks out of the card, from this one on.
    ReadFrom {
        /// First block.
        block: u32,
        /// More than one.
        many: bool,
    },
    /// Blocks into the card, from this one on.
    WriteFrom {
        /// First block.
        block: u32,
        /// More than one.
        many: bool,
    },
    /// The running transfer ends.
    Stop,
}

/// The card's answer: response words as SDHOST stores them (lowest bits first) and what follows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// RSP0 to RSP3.
    pub response: [u32; 4],
    /// What follows.
    pub data: Data,
}

/// A card in its slot, or an empty slot.
pub struct SdCard {
    image: Vec<u8>,
    app_command: bool,
}

impl SdCard {
    /// An empty image is an empty slot.
    pub fn new(image: Vec<u8>) -> Self {
        Self { image, app_command: false }
    }

    /// What is on it.
    pub fn into_image(self) -> Vec<u8> {
        self.image
    }

    /// Size in blocks.
    pub fn blocks(&self) -> u32 {
        (self.image.len() / BLOCK_BYTES) as u32
    }

    /// One block; `None` behind the end.
    pub fn block(&self, number: u32) -> Option<&[u8]> {
        let start = number as usize * BLOCK_BYTES;
        self.image.get(start..start + BLOCK_BYTES)
    }

    /// One block, for writing; `None` behind the end.
    pub fn block_mut(&mut self, number: u32) -> Option<&mut [u8]> {
        let start = number as usize * BLOCK_BYTES;
        self.image.get_mut(start..start + BLOCK_BYTES)
    }

    /// Handles a command. `None` is no answer: an empty slot, a command the card does not know, or a block
    /// behind its end.
    pub fn command(&mut self, index: u32, argument: u32) -> Option<Answer> {
        if self.image.is_empty() {
            return None;
        }
        let app = std::mem::take(&mut self.app_command);
        let mut response = [STATUS_TRANSFER | if app { STATUS_APP_COMMAND } else { 0 }, 0, 0, 0];
        let mut data = Data::None;
        match (app, index) {
            (false, 0) => {
                response[0] = 0;
                data = Data::Stop;
            }
            (false, 2 | 10) => response = IDENTITY,
            (false, 3) => response[0] = ADDRESS_AND_STATUS,
            (false, 6) => data = Data::Bytes(self.switch_status(argument)),
            (false, 7) => response[0] = STATUS_STANDBY,
            (false, 8) => response[0] = argument & 0xfff,
            (false, 9) => response = self.specific_data(),
            (false, 12) => data = Data::Stop,
            (false, 13 | 16 | 23) | (true, 6 | 23 | 42) => {}
            (false, 17 | 18) => {
                self.block(argument)?;
                data = Data::ReadFrom { block: argument, many: index == 18 };
            }
            (false, 24 | 25) => {
                self.block(argument)?;
                data = Data::WriteFrom { block: argument, many: index == 25 };
            }
            (false, 55) => {
                self.app_command = true;
                response[0] |= STATUS_APP_COMMAND;
            }
            (true, 13) => data = Data::Bytes(vec![0; 64]),
            (true, 41) => response[0] = OPERATING_CONDITIONS,
            (true, 51) => data = Data::Bytes(CONFIGURATION.to_vec()),
            _ => return None,
        }
        Some(Answer { response, data })
    }

    /// CMD6: 100 mA at most; group 1 can do high speed and selects it if asked.
    fn switch_status(&self, argument: u32) -> Vec<u8> {
        let mut status = vec![0; 64];
        status[1] = 100;
        status[13] = 0b11;
        status[16] = u8::from(argument & 0xf == 1);
        status
    }

    /// CMD9: the card-specific data of a high-capacity card.
    fn specific_data(&self) -> [u32; 4] {
        // C_SIZE counts 512 KiB and is one less.
        let size = (self.blocks() / 1024).saturating_sub(1);
        let fields: [u8; 16] = [
            0x40,
            0x0e,
            0x00,
            0x5a,
            0x5b,
            0x59,
            0x00,
            (size >> 16) as u8 & 0x3f,
            (size >> 8) as u8,
            size as u8,
            0x7f,
            0x80,
            0x0a,
            0x40,
            0x00,
            0x01,
        ];
        let word =
            |at: usize| u32::from_be_bytes([fields[at], fields[at + 1], fields[at + 2], fields[at + 3]]);
        [word(12), word(8), word(4), word(0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> SdCard {
        SdCard::new(vec![0; 2048 * BLOCK_BYTES])
    }

    #[test]
    fn an_empty_slot_answers_nothing() {
        assert_eq!(SdCard::new(Vec::new()).command(0, 0), None);
    }

    #[test]
    fn an_application_command_needs_its_prefix_each_time() {
        let mut card = card();
        assert_eq!(card.command(41, 0), None);
        assert!(card.command(55, 0).is_some());
        assert_eq!(card.command(41, 0).map(|a| a.response[0]), Some(OPERATING_CONDITIONS));
        assert_eq!(card.command(41, 0), None);
    }

    #[test]
    fn a_block_behind_the_end_is_refused() {
        let mut card = card();
        assert!(card.command(17, 2047).is_some());
        assert_eq!(card.command(17, 2048), None);
        assert_eq!(card.command(24, u32::MAX), None);
    }

    #[test]
    fn the_csd_tells_the_size() {
        let csd = card().specific_data();
        // C_SIZE is bits 69:48 of the 128.
        assert_eq!((csd[1] >> 16) | (csd[2] & 0x3f) << 16, 1);
    }
}

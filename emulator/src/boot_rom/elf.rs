//! Putting a start file into RAM.

use object::LittleEndian;
use object::elf::{FileHeader32, PT_LOAD};
use object::read::elf::{FileHeader, ProgramHeader};

use crate::ram::{RAM_SIZE, Ram};

/// ELF machine number of the VideoCore III, under which the VideoCore IV goes too.
const MACHINE_VIDEOCORE: object::elf::Machine = object::elf::Machine(137);
/// Bus addresses are RAM addresses with an alias in the top two bits.
const ALIAS_MASK: u32 = 0x3fff_ffff;

/// Loads every segment by its virtual address, clears what the file does not fill, and returns the entry.
/// Nothing is written unless the whole file is good. Errors say what is wrong, with the values.
pub(super) fn load(file: &[u8], ram: &mut Ram, ram_bytes: u32) -> Result<u32, String> {
    let header = FileHeader32::<LittleEndian>::parse(file).map_err(|error| error.to_string())?;
    if !header.is_little_endian() {
        return Err("it is big-endian".into());
    }
    let endian = LittleEndian;
    let machine = header.e_machine(endian);
    if machine != MACHINE_VIDEOCORE {
        return Err(format!("ELF machine is {}, VideoCore is {}", machine.0, MACHINE_VIDEOCORE.0));
    }
    let segments = header.program_headers(endian, file).map_err(|error| error.to_string())?;
    let mut pieces = Vec::new();
    for segment in segments.iter().filter(|segment| segment.p_type(endian) == PT_LOAD) {
        let (address, memory) = (segment.p_vaddr(endian), segment.p_memsz(endian));
        let (offset, size) = (segment.p_offset(endian), segment.p_filesz(endian));
        let data = segment.data(endian, file).map_err(|()| {
            format!(
                "it ends at byte {}, but the segment for {address:#010x} is bytes {offset} to {}: truncated?",
                file.len(),
                u64::from(offset) + u64::from(size)
            )
        })?;
        let start = address & ALIAS_MASK;
        let end = u64::from(start) + u64::from(memory.max(size));
        if end > u64::from(ram_bytes).min(RAM_SIZE as u64) {
            return Err(format!("segment {address:#010x} of {memory:#x} bytes does not fit into RAM"));
        }
        pieces.push((start, data, memory.saturating_sub(size)));
    }
    if pieces.is_empty() {
        return Err("it has nothing to load".into());
    }
    for (start, data, clear) in pieces {
        ram.write_bytes(start, data);
        for offset in 0..clear {
            ram.write8(start + data.len() as u32 + offset, 0);
        }
    }
    Ok(header.e_entry(endian))
}

#[cfg(test)]
pub(super) mod fixture {
    //! A small start file for tests.

    /// One segment of `code` for `address`, followed by `clear` bytes of zeros.
    pub(in super::super) fn elf(address: u32, code: &[u8], clear: u32) -> Vec<u8> {
        let mut file = Vec::new();
        file.extend([0x7f, b'E', b'L', b'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let half = |file: &mut Vec<u8>, value: u16| file.extend(value.to_le_bytes());
        let word = |file: &mut Vec<u8>, value: u32| file.extend(value.to_le_bytes());
        half(&mut file, 2);
        half(&mut file, super::MACHINE_VIDEOCORE.0);
        for value in [1, address, 52, 0, 0] {
            word(&mut file, value);
        }
        for value in [52, 32, 1, 40, 0, 0] {
            half(&mut file, value);
        }
        let size = code.len() as u32;
        for value in [super::PT_LOAD.0, 84, address, address, size, size + clear, 5, 4] {
            word(&mut file, value);
        }
        file.extend(code);
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_by_virtual_address_less_alias_and_clears_the_rest() {
        let mut ram = Ram::new();
        ram.write32(0xec0_0204, u32::MAX);
        let file = fixture::elf(0xcec0_0200, &[1, 2, 3, 4], 4);
        assert_eq!(load(&file, &mut ram, 1 << 30), Ok(0xcec0_0200));
        assert_eq!(ram.read32(0xec0_0200), 0x0403_0201);
        assert_eq!(ram.read32(0xec0_0204), 0);
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error_and_leaves_ram_alone() {
        let mut ram = Ram::new();
        let file = fixture::elf(0xcec0_0200, &[1, 2, 3, 4], 4);
        for length in 0..file.len() {
            assert!(load(&file[..length], &mut ram, 1 << 30).is_err(), "cut at {length}");
        }
        assert_eq!(ram.read32(0xec0_0200), 0);
    }

    #[test]
    fn other_machines_and_segments_outside_ram_are_refused() {
        let mut ram = Ram::new();
        let mut arm = fixture::elf(0xcec0_0200, &[0; 4], 0);
        arm[18] = 183;
        assert!(load(&arm, &mut ram, 1 << 30).is_err_and(|reason| reason.contains("183")));
        let high = fixture::elf(0xdf00_0000, &[0; 4], 0x100_0000);
        assert!(load(&high, &mut ram, 512 << 20).is_err_and(|reason| reason.contains("fit into RAM")));
    }

    #[test]
    fn a_huge_segment_is_refused_before_it_is_cleared() {
        let mut ram = Ram::new();
        let file = fixture::elf(0xcec0_0200, &[0; 4], u32::MAX - 8);
        assert!(load(&file, &mut ram, 1 << 30).is_err());
    }
}

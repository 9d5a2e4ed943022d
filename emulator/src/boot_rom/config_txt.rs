//! The part of `config.txt` that decides which start file runs: what `bootcode.bin` itself reads.

use crate::board::Board;

/// `gpu_mem` in MiB at and below which the cut-down firmware is chosen.
const CUT_DOWN_GPU_MEM: u32 = 16;

/// Names of the start file's variants.
pub(super) const START: &str = "start.elf";
const START_EXTENDED: &str = "start_x.elf";
const START_DEBUG: &str = "start_db.elf";
const START_CUT_DOWN: &str = "start_cd.elf";
/// What the firmware loads without being told: a 64-bit kernel at its documented place, with 64 MiB for itself.
const KERNEL: &str = "kernel8.img";
const KERNEL_ADDRESS: u32 = 0x20_0000;
const GPU_MEM: u32 = 64;

/// What the firmware would start on the Arm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct KernelSettings {
    /// Name of the file.
    pub(crate) name: String,
    /// Physical address.
    pub(crate) address: u32,
    /// MiB of memory that VideoCore keeps.
    pub(crate) gpu_mem_mib: u32,
}

/// The lines of `config.txt` that count on a board, as key and value, in order.
fn settings<'a>(config: &'a str, board: &'a Board) -> impl Iterator<Item = (&'a str, &'a str)> {
    let mut applies = true;
    config.lines().filter_map(move |line| {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(filter) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            applies = filter_applies(filter.trim(), board);
            return None;
        }
        let (key, value) = line.split_once('=').filter(|_| applies)?;
        Some((key.trim(), value.trim()))
    })
}

/// Which start file `bootcode.bin` would load, and why.
pub(super) fn start_file(config: &str, board: &Board) -> (String, &'static str) {
    let mut chosen = None;
    let (mut extended, mut debug, mut gpu_mem, mut gpu_mem_for_size) = (false, false, None, None);
    let memory_key = format!("gpu_mem_{}", board.ram_bytes >> 20);
    for (key, value) in settings(config, board) {
        match key {
            "start_file" => chosen = Some(value.to_owned()),
            "start_x" => extended = value == "1",
            "start_debug" => debug = value == "1",
            "gpu_mem" => gpu_mem = value.parse().ok(),
            _ if key == memory_key => gpu_mem_for_size = value.parse().ok(),
            _ => {}
        }
    }
    let gpu_mem: Option<u32> = gpu_mem_for_size.or(gpu_mem);
    if let Some(name) = chosen {
        (name, "config.txt: start_file")
    } else if gpu_mem.is_some_and(|mib| mib <= CUT_DOWN_GPU_MEM) {
        (START_CUT_DOWN.into(), "config.txt: gpu_mem=16")
    } else if extended {
        (START_EXTENDED.into(), "config.txt: start_x=1")
    } else if debug {
        (START_DEBUG.into(), "config.txt: start_debug=1")
    } else {
        (START.into(), "the default")
    }
}

/// Which kernel the firmware would load, and where; what does not say is as on current firmware.
pub(super) fn kernel(config: &str, board: &Board) -> KernelSettings {
    let mut found = KernelSettings { name: KERNEL.into(), address: KERNEL_ADDRESS, gpu_mem_mib: GPU_MEM };
    for (key, value) in settings(config, board) {
        match key {
            "kernel" => value.clone_into(&mut found.name),
            "kernel_address" => found.address = number(value).unwrap_or(KERNEL_ADDRESS),
            "gpu_mem" => found.gpu_mem_mib = value.parse().unwrap_or(GPU_MEM).clamp(16, 512),
            _ => {}
        }
    }
    found
}

/// Decimal, or hexadecimal after 0x.
fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn filter_applies(filter: &str, board: &Board) -> bool {
    filter == "all" || board.config_filters.contains(&filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(config: &str) -> String {
        start_file(config, &Board::PI_3B).0
    }

    #[test]
    fn the_variant_follows_config_txt() {
        assert_eq!(chosen(""), "start.elf");
        assert_eq!(chosen("start_x=1\n"), "start_x.elf");
        assert_eq!(chosen("start_debug=1 # assertions\r\n"), "start_db.elf");
        assert_eq!(chosen("start_x=1\ngpu_mem=16\n"), "start_cd.elf");
        assert_eq!(chosen("gpu_mem=16\ngpu_mem_1024=64\n"), "start.elf");
        assert_eq!(chosen("start_file=other.elf\ngpu_mem=16"), "other.elf");
    }

    #[test]
    fn sections_for_other_boards_do_not_count() {
        let config = "[pi4]\nstart_x=1\n[pi3]\nstart_debug=1\n[all]\nuart_2ndstage=1\n";
        assert_eq!(chosen(config), "start_db.elf");
        assert_eq!(start_file(config, &Board::ZERO_2_W).0, "start.elf");
        assert_eq!(chosen("[none]\nstart_x=1\n"), "start.elf");
    }

    #[test]
    fn the_kernel_is_the_one_that_config_txt_names() {
        let found = kernel("kernel=a.img\nkernel_address=0x80000\n[pi4]\ngpu_mem=128\n", &Board::PI_3B);
        let expected = KernelSettings { name: "a.img".into(), address: 0x8_0000, gpu_mem_mib: 64 };
        assert_eq!(found, expected);
        assert_eq!(kernel("", &Board::PI_3B).name, "kernel8.img");
        assert_eq!(kernel("kernel_address=x", &Board::PI_3B).address, 0x20_0000);
    }
}

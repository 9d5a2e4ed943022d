//! The part of `config.txt` that decides which start file runs: what `bootcode.bin` itself reads.

use crate::board::Board;

/// `gpu_mem` in MiB at and below which the cut-down firmware is chosen.
const CUT_DOWN_GPU_MEM: u32 = 16;

/// Names of the start file's variants.
pub(super) const START: &str = "start.elf";
const START_EXTENDED: &str = "start_x.elf";
const START_DEBUG: &str = "start_db.elf";
const START_CUT_DOWN: &str = "start_cd.elf";

/// Which start file `bootcode.bin` would load, and why.
pub(super) fn start_file(config: &str, board: &Board) -> (String, &'static str) {
    let mut chosen = None;
    let (mut extended, mut debug, mut gpu_mem, mut gpu_mem_for_size) = (false, false, None, None);
    let memory_key = format!("gpu_mem_{}", board.ram_bytes >> 20);
    let mut applies = true;
    for line in config.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(filter) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            applies = filter_applies(filter.trim(), board);
            continue;
        }
        let Some((key, value)) = line.split_once('=').filter(|_| applies) else { continue };
        let (key, value) = (key.trim(), value.trim());
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
}

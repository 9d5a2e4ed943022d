//! General commands: text in, a number and text out (general command fact sheet 1).

use super::super::Facts;

const OK: i32 = 0;
const FAILED: i32 = 1;
/// Clocks by the names of `measure_clock`, with the id that is reported and the property tags' id.
const CLOCKS: [(&str, u32, u32); 6] =
    [("arm", 48, 3), ("core", 1, 4), ("h264", 28, 6), ("isp", 45, 7), ("v3d", 46, 5), ("uart", 22, 2)];
/// What `commands` lists.
const COMMANDS: &str = "codec_enabled, commands, get_config, get_mem, get_rsts, get_throttled, measure_clock, \
                        measure_temp, measure_volts, mem_oom, mem_reloc_stats, mem_validate, version";

/// The reply to a command: error code, text, NUL.
pub(in crate::model) fn answer(facts: &Facts, request: &[u8]) -> Vec<u8> {
    let text = request.split(|byte| *byte == 0).next().unwrap_or_default();
    let (code, text) = match reply(facts, &String::from_utf8_lossy(text)) {
        Ok(text) => (OK, text),
        Err(reason) => (FAILED, format!("error={FAILED} error_msg=\"{reason}\"")),
    };
    let mut bytes = code.to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes.push(0);
    bytes
}

fn reply(facts: &Facts, command: &str) -> Result<String, &'static str> {
    let mut words = command.split_whitespace();
    let name = words.next().unwrap_or_default();
    let argument = words.next();
    Ok(match name {
        "version" => "Sep  9 2001 01:46:40\nmodelled\nversion model (clean) (release) (model)".to_owned(),
        "commands" => format!("commands=\"{COMMANDS}\""),
        "get_mem" => memory(facts, argument.ok_or("Invalid arguments")?)?,
        "measure_clock" => {
            let wanted = argument.ok_or("Invalid arguments")?;
            let (_, shown, id) =
                CLOCKS.into_iter().find(|clock| clock.0 == wanted).ok_or("Invalid arguments")?;
            format!("frequency({shown})={}", facts.clock_rate(id))
        }
        "measure_temp" => "temp=48.3'C".to_owned(),
        "measure_volts" => "volt=1.2000V".to_owned(),
        "codec_enabled" => format!("{}=enabled", argument.ok_or("Invalid arguments")?),
        "get_config" => "arm_64bit=1".to_owned(),
        "get_rsts" => "get_rsts=0".to_owned(),
        "get_throttled" => "throttled=0x0".to_owned(),
        "mem_reloc_stats" => "alloc failures:     0\ncompactions:        0\nlegacy block fails: 0".to_owned(),
        "mem_oom" => "oom events: 0\nlifetime oom required: 0 Mbytes".to_owned(),
        "mem_validate" => String::new(),
        _ => return Err("Command not registered"),
    })
}

fn memory(facts: &Facts, which: &str) -> Result<String, &'static str> {
    let bytes = match which {
        "arm" => facts.arm_memory,
        "gpu" | "reloc" | "reloc_total" | "malloc" | "malloc_total" => facts.vc_memory,
        _ => return Err("Invalid arguments"),
    };
    Ok(format!("{which}={}M", bytes >> 20))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Board;

    fn ask(command: &[u8]) -> (i32, String) {
        let facts = Facts::new(&Board::PI_3B, 944 << 20, 1008 << 20, Vec::new());
        let bytes = answer(&facts, command);
        let code = i32::from_le_bytes(*bytes.first_chunk().unwrap());
        (code, String::from_utf8_lossy(&bytes[4..bytes.len() - 1]).into_owned())
    }

    #[test]
    fn commands_are_answered_in_the_firmware_s_form() {
        assert_eq!(ask(b"measure_clock arm\0"), (0, "frequency(48)=1200000000".into()));
        assert_eq!(ask(b"get_mem gpu\0"), (0, "gpu=64M".into()));
        assert_eq!(ask(b"get_throttled"), (0, "throttled=0x0".into()));
        assert!(ask(b"version\0").1.contains("version model (clean)"));
    }

    #[test]
    fn what_nobody_knows_is_an_error_in_words() {
        assert_eq!(ask(b"fly\0"), (1, "error=1 error_msg=\"Command not registered\"".into()));
        assert_eq!(ask(b"get_mem moon\0"), (1, "error=1 error_msg=\"Invalid arguments\"".into()));
        assert_eq!(ask(b"").0, 1);
    }
}

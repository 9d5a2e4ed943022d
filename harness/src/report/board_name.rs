//! The board's name from its revision code (hardware fact sheet 1).

/// Bit 23: the code has fields.
const NEW_STYLE: u32 = 1 << 23;

/// Name of the board with this revision code; a code that no board here has is given as it is.
pub fn model_of(revision: u32) -> String {
    if revision == 0 {
        return "unknown".to_owned();
    }
    if revision & NEW_STYLE == 0 {
        return format!("old-style revision {revision:04x}");
    }
    let name = match revision >> 4 & 0xff {
        0x08 => "3B",
        0x0a => "CM3",
        0x0d => "3B+",
        0x0e => "3A+",
        0x10 => "CM3+",
        0x11 => "4B",
        0x12 => "Zero 2 W",
        0x13 => "400",
        0x14 => "CM4",
        0x15 => "CM4S",
        other => return format!("type {other:#04x}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_are_named_by_type_whatever_the_other_fields_and_flags_say() {
        assert_eq!(model_of(0x00a0_2082), "3B");
        assert_eq!(model_of(0x02a2_2082), "3B");
        assert_eq!(model_of(0x0090_2120), "Zero 2 W");
        assert_eq!(model_of(0x00c0_3111), "4B");
        assert_eq!(model_of(0), "unknown");
        assert_eq!(model_of(0x0010), "old-style revision 0010");
        assert_eq!(model_of(0x00a0_2ff0), "type 0xff");
    }
}

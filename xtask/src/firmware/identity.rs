//! Which build a firmware file is: strings that every `start*.elf` carries (fact sheet "gencmd", section 1).

use serde::Serialize;

/// The build strings of one file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BuildIdentity {
    /// Hash of the firmware's own source, the one that the `version` command prints.
    pub build_id: String,
    /// Build day, `2022-08-26`.
    pub date: String,
    /// Build time, `14:04:36`.
    pub time: String,
    /// Variant as the build calls it.
    pub variant: String,
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl BuildIdentity {
    /// Searches a firmware file. `None` if a string is missing or reads otherwise than known.
    pub fn find(file: &[u8]) -> Option<Self> {
        let version = values(file, b"VC_BUILD_ID_VERSION: ").next()?;
        let times: Vec<String> = values(file, b"VC_BUILD_ID_TIME: ").collect();
        Some(Self {
            build_id: version.split_whitespace().next()?.to_owned(),
            date: times.iter().find_map(|text| day(text))?,
            time: times.iter().find(|text| text.contains(':'))?.clone(),
            variant: values(file, b"VC_BUILD_ID_VARIANT: ").next()?,
        })
    }
}

/// The texts that follow each occurrence of `key`, up to their terminator.
fn values<'a>(file: &'a [u8], key: &'a [u8]) -> impl Iterator<Item = String> + 'a {
    // No build string is longer: a file that was cut in the middle of one gives a short text, not a long one.
    const LONGEST: usize = 120;
    let starts = file.iter().enumerate().filter(|(_, byte)| **byte == key[0]).map(|(at, _)| at);
    starts.filter(|&at| file[at..].starts_with(key)).map(|at| {
        let text = &file[at + key.len()..];
        let end = text.iter().take(LONGEST).take_while(|byte| (b' '..=b'~').contains(*byte)).count();
        String::from_utf8_lossy(&text[..end]).trim().to_owned()
    })
}

/// `Aug 26 2022` (as a C compiler's `__DATE__`) as `2022-08-26`.
fn day(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    let (month, day, year) = (words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let (day, year): (u32, u32) = (day.parse().ok()?, year.parse().ok()?);
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRINGS: &[u8] = b"\x7fELF junk\0VC_BUILD_ID_USER: dom\0VC_BUILD_ID_TIME: 14:04:36\0\
        VC_BUILD_ID_VARIANT: start_db\0VC_BUILD_ID_TIME: Aug  6 2022\0VC_BUILD_ID_BRANCH: bcm2711_2\0\
        VC_BUILD_ID_VERSION: 102f1e848393c2112206fadffaaf86db04e98326 (clean)\0";

    #[test]
    fn the_build_strings_are_found_in_any_order() {
        let identity = BuildIdentity::find(STRINGS).unwrap();
        assert_eq!(identity.build_id, "102f1e848393c2112206fadffaaf86db04e98326");
        assert_eq!(identity.date, "2022-08-06");
        assert_eq!(identity.time, "14:04:36");
        assert_eq!(identity.variant, "start_db");
    }

    #[test]
    fn a_file_without_them_has_no_identity() {
        assert_eq!(BuildIdentity::find(b""), None);
        assert_eq!(BuildIdentity::find(&STRINGS[..60]), None);
        let odd = String::from_utf8_lossy(STRINGS).replace("Aug  6", "Brumaire 6");
        assert_eq!(BuildIdentity::find(odd.as_bytes()), None);
    }
}

//! The rule for errors with a cause, over all crates: a message has its cause in it, or the chain does, never both. Whoever
//! prints a chain would say it twice otherwise.

use std::fs;
use std::path::PathBuf;

use crate::paths;

/// Begins the message of a variant.
const MESSAGE: &str = "#[error(";

/// A variant (or a struct) as it stands in the source: its message, and what follows up to the next message.
struct Variant<'s> {
    message: &'s str,
    rest: &'s str,
}

impl Variant<'_> {
    fn says_its_cause_twice(&self) -> bool {
        let Some(cause) = self.cause() else { return false };
        let shown =
            [format!("{{{cause}}}"), format!("{{{cause}:"), format!(", .{cause}"), format!("(.{cause}")];
        self.message != "transparent" && shown.iter().any(|shown| self.message.contains(shown))
    }

    /// The name of the field that the chain goes on with: 0 in a tuple.
    fn cause(&self) -> Option<&str> {
        let marked = ["#[from]", "#[source]"].iter().find_map(|mark| self.rest.split_once(mark));
        // thiserror takes a field of this name for the cause without being told.
        let unmarked = || self.rest.contains("\n        source: ").then_some("source");
        let Some((_, field)) = marked else { return unmarked() };
        let name = field.trim_start().strip_prefix("pub ").unwrap_or(field.trim_start());
        let name = &name[..name.find(|letter: char| !letter.is_alphanumeric() && letter != '_')?];
        let is_named = field.trim_start().trim_start_matches("pub ")[name.len()..].starts_with(": ");
        Some(if is_named { name } else { "0" })
    }
}

fn variants(source: &str) -> impl Iterator<Item = Variant<'_>> {
    source.split(MESSAGE).skip(1).filter_map(|text| {
        let (message, rest) = text.split_once(")]")?;
        // Up to the end of an enum: other items are no part of the last variant.
        let rest = rest.split("\n}").next()?;
        Some(Variant { message, rest })
    })
}

fn sources() -> Vec<PathBuf> {
    let crates = ["boot", "vchiq-mbox", "vcsm", "mmal", "harness", "emulator", "xtask", "tests"];
    let mut folders: Vec<_> = crates.iter().map(|name| paths::workspace().join(name).join("src")).collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry").path();
            match path.extension() {
                None if path.is_dir() => folders.push(path),
                Some(extension) if extension == "rs" => files.push(path),
                _ => {}
            }
        }
    }
    files
}

#[test]
fn no_error_says_its_cause_twice() {
    let mut wrong = Vec::new();
    let mut with_cause = 0;
    for path in sources() {
        let source = fs::read_to_string(&path).unwrap();
        // This file has the wrong ones to try itself with.
        if path.ends_with(file!().rsplit('/').next().unwrap_or_default()) {
            continue;
        }
        for variant in variants(&source) {
            with_cause += usize::from(variant.cause().is_some());
            if variant.says_its_cause_twice() {
                wrong.push(format!("{}: {}", path.display(), variant.message));
            }
        }
    }
    assert!(with_cause > 10, "only {with_cause} errors with a cause were found");
    assert!(wrong.is_empty(), "in the message and in the chain:\n{}", wrong.join("\n"));
}

#[test]
fn each_way_to_say_a_cause_twice_is_found() {
    let twice = |source: &str| variants(source).any(|variant| variant.says_its_cause_twice());
    for wrong in [
        "#[error(\"a: {0}\")]\n    A(#[from] B),\n}",
        "#[error(\"{}\", .0)]\n    A(#[source] B),\n}",
        "#[error(\"file {name}: {source}\")]\n    A {\n        name: String,\n        source: io::Error,\n    },\n}",
        "#[error(\"{why:?}\")]\n    A {\n        #[source]\n        why: B,\n    },\n}",
    ] {
        assert!(twice(wrong), "{wrong}");
    }
    for right in [
        "#[error(transparent)]\n    A(#[from] B),\n}",
        "#[error(\"a: {0}\")]\n    A(B),\n}",
        "#[error(\"no {name}\")]\n    A {\n        name: String,\n        #[source]\n        why: B,\n    },\n}",
        "#[error(\"a {0}\")]\n    A(u8),\n}\n#[error(\"b\")]\n    B(#[from] C),\n}",
    ] {
        assert!(!twice(right), "{right}");
    }
}

//! What the documentation names must exist: files that it links to, headings, and commands.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;

use crate::cli::Cli;
use crate::paths;

/// What precedes a verb.
const XTASK: &str = "cargo xtask ";

/// A page and its text.
struct Page {
    path: PathBuf,
    text: String,
}

impl Page {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, text }
    }

    /// Lines outside blocks of code.
    fn prose(&self) -> impl Iterator<Item = &str> {
        let mut in_code = false;
        self.text.lines().filter(move |line| {
            let fence = line.starts_with("```");
            in_code ^= fence;
            !in_code && !fence
        })
    }

    /// The names by which its headings can be linked to, as GitHub makes them.
    fn anchors(&self) -> BTreeSet<String> {
        let headings = self.prose().filter(|line| line.starts_with('#'));
        headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
    }

    /// Targets of its links.
    fn links(&self) -> Vec<&str> {
        let links = self.prose().flat_map(|line| line.split("](").skip(1));
        links.filter_map(|rest| rest.split(')').next()).collect()
    }
}

/// A heading as an anchor: lower case, blanks as hyphens, without punctuation.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.flat_map(char::to_lowercase).map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

/// README.md and every page below docs.
fn pages() -> Vec<Page> {
    let mut paths = vec![paths::workspace().join("README.md")];
    let mut folders = vec![paths::workspace().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of docs") {
            let path = entry.expect("an entry of docs").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                paths.push(path);
            }
        }
    }
    paths.into_iter().map(Page::read).collect()
}

/// Why a link from `page` leads nowhere, if it does.
fn broken(page: &Page, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let folder = page.path.parent().unwrap_or(Path::new(""));
    let target = if file.is_empty() { page.path.clone() } else { folder.join(file) };
    if !target.exists() {
        return Some(format!("{} links to {link}, which does not exist", page.path.display()));
    }
    if heading.is_empty() {
        return None;
    }
    let known = Page::read(target).anchors().contains(heading);
    (!known).then(|| format!("{} links to {link}, where there is no such heading", page.path.display()))
}

/// Commands of ours in a page: what follows `cargo xtask` up to the end of the code.
fn commands(page: &Page) -> Vec<&str> {
    let rest = page.text.split(XTASK).skip(1);
    rest.filter_map(|rest| rest.split(['`', '\n', '#', '|', ';', ',', ')']).next()).collect()
}

/// Why a command would be refused, if it would: an unknown verb, or an option that the verb does not have.
fn unknown(command: &str) -> Option<String> {
    let cli = Cli::command();
    let mut words = command.split_whitespace();
    let mut verb = words.next()?;
    // Placeholders are in capitals.
    if verb.starts_with('-') || verb.chars().all(char::is_uppercase) {
        return None;
    }
    let mut known = cli.find_subcommand(verb);
    for word in words {
        let current = known?;
        if let Some(option) = word.strip_prefix("--") {
            let option = option.split('=').next().unwrap_or_default();
            let own = current.get_arguments().chain(cli.get_arguments());
            let mut longs = own.filter_map(clap::Arg::get_long).chain(["help"]);
            if !longs.any(|long| long == option) {
                return Some(format!("{XTASK}{command}: {verb} has no option --{option}"));
            }
        } else if current.has_subcommands() {
            verb = word;
            known = current.find_subcommand(word);
        }
    }
    known.is_none().then(|| format!("{XTASK}{command}: there is no {verb}"))
}

/// Rows of tables that would be shown as text: behind a blank line, without being the head of a table.
fn lost_rows(page: &Page) -> Vec<&str> {
    let lines: Vec<&str> = page.prose().collect();
    let row = |line: Option<&&str>| line.is_some_and(|line| line.starts_with('|'));
    let rule = |line: Option<&&str>| {
        line.is_some_and(|line| line.starts_with('|') && line.chars().all(|sign| "|-: ".contains(sign)))
    };
    let lost = |place: &usize| {
        let begins =
            row(lines.get(*place)) && !place.checked_sub(1).is_some_and(|before| row(lines.get(before)));
        begins && !rule(lines.get(place + 1))
    };
    (0..lines.len()).filter(lost).map(|place| lines[place]).collect()
}

/// The verbs, each with the section of `docs/commands.md` that describes it and its long options.
fn verbs() -> Vec<(String, Vec<String>)> {
    /// Described once for all verbs.
    const COMMON: [&str; 3] = ["help", "verbose", "json"];
    let cli = Cli::command();
    let verbs = cli.get_subcommands().map(|verb| {
        let own = verb.get_arguments().chain(verb.get_subcommands().flat_map(clap::Command::get_arguments));
        let longs = own.filter_map(clap::Arg::get_long).filter(|long| !COMMON.contains(long));
        (verb.get_name().to_owned(), longs.map(ToOwned::to_owned).collect())
    });
    verbs.collect()
}

/// What a text on the commands does not tell of: verbs without a section, options that their section does not name.
fn untold(text: &str) -> Vec<String> {
    let mut untold = Vec::new();
    for (verb, options) in verbs() {
        let heading = format!("\n## {verb}\n");
        let Some((_, rest)) = text.split_once(&heading) else {
            untold.push(verb);
            continue;
        };
        let section = rest.split("\n## ").next().unwrap_or_default();
        let is_named = |option: &String| {
            let after = section.split(&format!("--{option}")).skip(1).collect::<Vec<_>>();
            // Not only as the beginning of a longer option.
            after.iter().any(|rest| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '-'))
        };
        untold.extend(
            options.iter().filter(|option| !is_named(option)).map(|option| format!("{verb} --{option}")),
        );
    }
    untold
}

#[test]
fn tables_are_whole() {
    let pages = pages();
    let lost = pages
        .iter()
        .flat_map(|page| lost_rows(page).into_iter().map(|row| format!("{}: {row}", page.path.display())));
    let lost: Vec<String> = lost.collect();
    assert!(lost.is_empty(), "{}", lost.join("\n"));

    let page = |text: &str| Page { path: PathBuf::new(), text: text.to_owned() };
    assert_eq!(lost_rows(&page("| a |\n|---|\n| 1 |\n\n| 2 |\n")), ["| 2 |"]);
    assert!(lost_rows(&page("text\n\n| a |\n|---|\n| 1 |\n\n```\n| b |\n```\n")).is_empty());
}

#[test]
fn every_verb_and_every_option_is_described() {
    let commands = Page::read(paths::workspace().join("docs/commands.md"));
    let untold_of = untold(&commands.text);
    assert!(untold_of.is_empty(), "docs/commands.md has nothing on: {}", untold_of.join(", "));

    let without =
        commands.text.replace("`--deadline-ms", "`--deadline").replace("\n## boots\n", "\n## boot\n");
    let untold_of = untold(&without);
    for missing in ["run --deadline-ms", "sdcard --deadline-ms", "boots"] {
        assert!(untold_of.iter().any(|untold| untold == missing), "{missing}: {untold_of:?}");
    }
}

#[test]
fn links_in_the_documentation_lead_somewhere() {
    let pages = pages();
    assert!(pages.len() > 10, "{} pages", pages.len());
    let links = pages.iter().flat_map(|page| page.links().into_iter().filter_map(|link| broken(page, link)));
    let broken: Vec<String> = links.collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn commands_in_the_documentation_exist() {
    let pages = pages();
    let commands: Vec<&str> = pages.iter().flat_map(commands).collect();
    assert!(commands.len() > 30, "{} commands", commands.len());
    let unknown: Vec<String> = commands.into_iter().filter_map(unknown).collect();
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

#[test]
fn what_does_not_exist_is_found() {
    assert_eq!(unknown("run --scenario bulk --iterations 30"), None);
    assert_eq!(unknown("firmware fetch --suite trixie"), None);
    assert_eq!(unknown("VERB --help"), None);
    assert!(unknown("fly").is_some());
    assert!(unknown("firmware burn").is_some());
    assert!(unknown("run --colour blue").is_some());

    let page = Page { path: paths::workspace().join("README.md"), text: String::new() };
    assert_eq!(broken(&page, "docs/README.md#chapters"), None);
    assert_eq!(broken(&page, "https://example.org/none"), None);
    assert!(broken(&page, "docs/none.md").is_some());
    assert!(broken(&page, "docs/README.md#none").is_some());
    assert_eq!(anchor("Sequence, the Arm: lend, use, get back"), "sequence-the-arm-lend-use-get-back");
}

#[test]
fn every_chapter_is_listed() {
    for folder in ["docs", "docs/protocol"] {
        let folder = paths::workspace().join(folder);
        let index = Page::read(folder.join("README.md"));
        let listed: BTreeSet<PathBuf> = index.links().into_iter().map(|link| folder.join(link)).collect();
        let own = pages().into_iter().filter(|page| page.path.parent() == Some(&folder));
        for page in own.filter(|page| page.path != index.path) {
            assert!(listed.contains(&page.path), "{} is not listed", page.path.display());
        }
    }
}

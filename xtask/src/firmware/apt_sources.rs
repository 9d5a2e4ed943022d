//! Which mirrors apt is set up for, read from its own source lists in both of their formats.
//!
//! A list is kept as stanzas of fields, so that whatever else the administrator wrote (keyring, architectures,
//! trust) is handed on unchanged; only suites and components are replaced.

/// One stanza: field names and values, in order. A value may have several lines (an inline key).
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Stanza {
    fields: Vec<(String, String)>,
}

impl Stanza {
    fn get(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
        field.map(|(_, value)| value.as_str())
    }

    fn words(&self, name: &str) -> Vec<&str> {
        self.get(name).unwrap_or_default().split_whitespace().collect()
    }

    fn with(&self, name: &str, value: &str) -> Self {
        let mut fields = self.fields.clone();
        fields.retain(|(field, _)| !field.eq_ignore_ascii_case(name));
        fields.push((name.to_owned(), value.to_owned()));
        Self { fields }
    }

    fn has_binaries(&self) -> bool {
        let disabled = self.get("Enabled").is_some_and(|value| ["no", "false", "0"].contains(&value.trim()));
        self.words("Types").contains(&"deb") && !disabled
    }

    fn text(&self) -> String {
        self.fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
    }
}

/// Reads a file in the deb822 format (`*.sources`).
pub fn parse_deb822(text: &str) -> Vec<Stanza> {
    let mut stanzas = vec![Stanza::default()];
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let stanza = stanzas.last_mut().expect("there is always a last stanza");
        if line.trim().is_empty() {
            stanzas.push(Stanza::default());
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = stanza.fields.last_mut() {
                value.push('\n');
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            stanza.fields.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    stanzas.retain(|stanza| !stanza.fields.is_empty());
    stanzas
}

/// Reads a file in the one-line format (`sources.list`, `*.list`).
pub fn parse_one_line(text: &str) -> Vec<Stanza> {
    text.lines().filter_map(|line| parse_line(line.split('#').next()?.trim())).collect()
}

/// `deb [ name=value … ] uri suite component …`
fn parse_line(line: &str) -> Option<Stanza> {
    let (kind, rest) = line.split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(inside) => inside.split_once(']')?,
        None => ("", rest),
    };
    let mut words = rest.split_whitespace();
    let (uri, suite) = (words.next()?, words.next()?);
    let components: Vec<&str> = words.collect();
    let mut fields = vec![
        ("Types".to_owned(), kind.to_owned()),
        ("URIs".to_owned(), uri.to_owned()),
        ("Suites".to_owned(), suite.to_owned()),
        ("Components".to_owned(), components.join(" ")),
    ];
    for option in options.split_whitespace() {
        let (name, value) = option.split_once('=')?;
        fields.push((deb822_name(name), value.replace(',', " ")));
    }
    Some(Stanza { fields })
}

/// The deb822 field of a one-line option.
fn deb822_name(option: &str) -> String {
    match option {
        "arch" => "Architectures".to_owned(),
        "lang" => "Languages".to_owned(),
        "target" => "Targets".to_owned(),
        // signed-by is Signed-By, trusted is Trusted: field names know no case.
        other => other.to_owned(),
    }
}

/// What to ask the distribution for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Code name of the installed system, such as `bookworm`.
    pub codename: &'a str,
    /// Another suite, if the user named one.
    pub suite: Option<&'a str>,
    /// The component that holds the package.
    pub component: &'a str,
}

/// A private source list (deb822) with the distribution's own mirrors, for the suite and component wanted.
/// `None` if no stanza is the distribution's.
pub fn private_list(system: &[Stanza], wanted: Wanted<'_>) -> Option<String> {
    let mut stanzas = Vec::new();
    for stanza in
        system.iter().filter(|stanza| stanza.has_binaries() && is_distribution(stanza, wanted.codename))
    {
        let suites: Vec<String> = match wanted.suite {
            None => own_suites(stanza, wanted.codename),
            Some(suite) if is_of_same_archive(stanza, suite, wanted.codename) => vec![suite.to_owned()],
            Some(_) => continue,
        };
        if suites.is_empty() {
            continue;
        }
        let text = stanza
            .with("Types", "deb")
            .with("Suites", &suites.join(" "))
            .with("Components", wanted.component)
            .text();
        if !stanzas.contains(&text) {
            stanzas.push(text);
        }
    }
    (!stanzas.is_empty()).then(|| stanzas.join("\n"))
}

/// Names by which a distribution's archive calls a suite beside its code name.
const ALIASES: [&str; 5] = ["stable", "testing", "unstable", "oldstable", "sid"];

/// True for a stanza of the distribution itself: it has a component `main` and a suite of the code name (or an
/// alias), alone or with a suffix as in `bookworm-updates`. Vendors' archives have suites of other names.
fn is_distribution(stanza: &Stanza, codename: &str) -> bool {
    stanza.words("Components").contains(&"main") && !own_suites(stanza, codename).is_empty()
}

fn own_suites(stanza: &Stanza, codename: &str) -> Vec<String> {
    let suites = stanza.words("Suites").into_iter();
    suites.filter(|suite| is_own(suite, codename)).map(str::to_owned).collect()
}

fn is_own(suite: &str, codename: &str) -> bool {
    let (base, suffix) = split_suite(suite);
    let known_suffix = ["", "updates", "security"].contains(&suffix);
    (base == codename || ALIASES.contains(&base)) && known_suffix
}

/// `bookworm-security` is ("bookworm", "security"). One-line lists may write `bookworm/updates` for it.
fn split_suite(suite: &str) -> (&str, &str) {
    suite.split_once(['-', '/']).unwrap_or((suite, ""))
}

/// Security updates live in an archive of their own; everything else is beside the main suites.
fn is_of_same_archive(stanza: &Stanza, suite: &str, codename: &str) -> bool {
    let is_security = |suite: &str| split_suite(suite).1 == "security";
    let own = own_suites(stanza, codename);
    own.iter().any(|own| is_security(own) == is_security(suite))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEB822: &str = "\
# A comment
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main contrib
Signed-By: /usr/share/keyrings/archive.gpg

Types: deb
URIs: https://vendor.example/apt
Suites: vendor-bookworm
Components: main

Enabled: no
Types: deb
URIs: http://old.example/debian
Suites: bookworm
Components: main
";

    fn wanted(suite: Option<&str>) -> Wanted<'_> {
        Wanted { codename: "bookworm", suite, component: "non-free-firmware" }
    }

    #[test]
    fn the_own_suites_of_the_distribution_are_taken_with_everything_else_the_administrator_wrote() {
        let list = private_list(&parse_deb822(DEB822), wanted(None)).unwrap();
        assert_eq!(
            list,
            "\
URIs: http://mirror.example/debian
Signed-By: 
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
Types: deb
Suites: bookworm bookworm-updates
Components: non-free-firmware

URIs: http://mirror.example/debian-security
Signed-By: /usr/share/keyrings/archive.gpg
Types: deb
Suites: bookworm-security
Components: non-free-firmware
"
        );
    }

    #[test]
    fn another_suite_is_looked_for_in_the_archive_that_would_have_it() {
        let sid = private_list(&parse_deb822(DEB822), wanted(Some("sid"))).unwrap();
        assert!(sid.contains("mirror.example/debian\n") && sid.contains("Suites: sid\n"), "{sid}");
        assert!(!sid.contains("debian-security"), "{sid}");
        let security = private_list(&parse_deb822(DEB822), wanted(Some("trixie-security"))).unwrap();
        assert!(security.contains("debian-security\n") && security.contains("Suites: trixie-security\n"));
        assert!(!security.contains("/debian\n"), "{security}");
    }

    #[test]
    fn one_line_lists_give_the_same_with_their_options() {
        let text = "# deb http://off.example/debian bookworm main\n\
            deb [arch=amd64,arm64 signed-by=/k.gpg] http://mirror.example/debian bookworm main # comment\n\
            deb-src http://mirror.example/debian bookworm main\n\
            deb https://vendor.example/apt cloud-bookworm main\n\
            deb broken\n";
        let list = private_list(&parse_one_line(text), wanted(None)).unwrap();
        assert_eq!(
            list,
            "URIs: http://mirror.example/debian\nArchitectures: amd64 arm64\nsigned-by: /k.gpg\n\
             Types: deb\nSuites: bookworm\nComponents: non-free-firmware\n"
        );
    }

    #[test]
    fn a_system_without_the_distributions_archive_has_no_list() {
        let vendor = "deb https://vendor.example/apt stable-vendor main\n";
        assert_eq!(private_list(&parse_one_line(vendor), wanted(None)), None);
        assert_eq!(private_list(&[], wanted(Some("sid"))), None);
    }
}

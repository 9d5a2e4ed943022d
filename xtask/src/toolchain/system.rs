//! Which distribution this is, and what its packages are called.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};

use super::TARGET;
use crate::shell::Tool;

/// A distribution.
pub struct System {
    /// `ID` and `ID_LIKE` of os-release, in this order.
    names: Vec<String>,
    /// `VERSION_ID`; rolling distributions have none.
    version: String,
    /// Whether we may install packages.
    pub is_root: bool,
}

impl System {
    /// This PC.
    ///
    /// # Errors
    /// If it does not say what it is.
    pub fn this() -> Result<Self> {
        let release = fs::read_to_string("/etc/os-release").context("no /etc/os-release: not a Linux?")?;
        let is_root = Tool::new("id").arg("-u").read().is_ok_and(|id| id.trim() == "0");
        Ok(Self::from_release(&release, is_root))
    }

    fn from_release(release: &str, is_root: bool) -> Self {
        let fields: BTreeMap<&str, &str> = release
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.trim(), value.trim().trim_matches('"')))
            .collect();
        let field = |name| fields.get(name).copied().unwrap_or_default();
        let names = [field("ID"), field("ID_LIKE")].join(" ");
        let names = names.split_whitespace().map(str::to_owned).collect();
        Self { names, version: field("VERSION_ID").to_owned(), is_root }
    }

    /// The packages that we know to work together, where we do.
    ///
    /// Debian 12 has two compilers: `rustc` of 2022, and the one it keeps up to date for its browsers.
    pub fn packages(&self, with_clippy: bool) -> Option<Vec<&'static str>> {
        if self.names.first().map(String::as_str) != Some("debian") || self.version != "12" {
            return None;
        }
        let mut packages = vec!["rustc-web", "cargo-web", "rust-web-src", "lld"];
        if with_clippy {
            packages.push("rust-web-clippy");
        }
        Some(packages)
    }

    /// What to type where we do not install by ourselves.
    pub fn advice(&self) -> String {
        let command = self.names.iter().find_map(|name| match name.as_str() {
            "debian" | "ubuntu" => Some("sudo apt-get install rustc cargo rust-src rust-clippy lld"),
            "fedora" | "rhel" => Some("sudo dnf install rust cargo rust-src clippy lld"),
            "arch" => Some("sudo pacman -S rust rust-src lld"),
            "alpine" => Some("sudo apk add rust cargo rust-src rust-clippy lld"),
            "suse" | "opensuse" => Some("sudo zypper install rust cargo rust-src lld"),
            _ => None,
        });
        let needed = env!("CARGO_PKG_RUST_VERSION");
        match command {
            Some(command) => format!("type: {command} (the compiler must be {needed} or newer)"),
            None => format!("install rustup and type: rustup target add {TARGET}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBIAN_12: &str = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\n";

    #[test]
    fn debian_12_gets_the_compiler_that_is_kept_up_to_date() {
        let system = System::from_release(DEBIAN_12, true);
        assert_eq!(system.packages(false).unwrap(), ["rustc-web", "cargo-web", "rust-web-src", "lld"]);
        assert!(system.packages(true).unwrap().contains(&"rust-web-clippy"));
    }

    #[test]
    fn elsewhere_nothing_is_installed_and_the_command_is_told() {
        let fedora = System::from_release("ID=fedora\nVERSION_ID=43\n", true);
        assert_eq!(fedora.packages(false), None);
        assert!(fedora.advice().contains("dnf install rust cargo rust-src"), "{}", fedora.advice());
        let mint = System::from_release("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=\"22\"\n", true);
        assert_eq!(mint.packages(false), None);
        assert!(mint.advice().contains("apt-get install rustc"), "{}", mint.advice());
        let unknown = System::from_release("ID=plan9\n", false);
        assert!(unknown.advice().contains("rustup target add"), "{}", unknown.advice());
    }
}

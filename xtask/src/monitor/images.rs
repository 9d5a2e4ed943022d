//! Which ELF file decodes the line.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use harness::banner::{Banner, BuildId};

use crate::build;
use crate::image_store::{self, Store};
use crate::line::Strings;

/// The ELF file of an image.
pub struct Image {
    /// Where it is.
    pub path: PathBuf,
    /// Which build it is; `None` if it does not say.
    pub build: Option<BuildId>,
    /// SHA-256 of the `kernel8.img` that it makes, in hexadecimal; empty if it makes none.
    pub sha256: String,
    /// Its log strings.
    pub strings: Strings,
}

impl Image {
    fn read(path: &Path) -> Result<Self> {
        let elf = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::of(path.to_owned(), &elf)
    }

    /// One whose file has been read.
    ///
    /// # Errors
    /// If it decodes no log.
    pub fn of(path: PathBuf, elf: &[u8]) -> Result<Self> {
        let strings = Strings::read(elf).with_context(|| format!("{} decodes no log", path.display()))?;
        let sha256 = build::sha256_of_image(elf).unwrap_or_default();
        Ok(Self { path, build: image_store::build_of(elf), sha256, strings })
    }
}

/// What a banner means for the decoding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fit {
    /// The ELF file in use is the right one.
    Right,
    /// Another one is, and is in use from now on.
    Found(PathBuf),
    /// None at hand is; why, and the way out.
    Wrong(String),
}

/// The ELF files at hand.
pub struct Images {
    /// The one in use.
    current: Option<Image>,
    store: Store,
}

impl Images {
    /// Those of this tree, with the one that was built last in use.
    ///
    /// # Errors
    /// If `elf` is named and cannot be read. Without a name, a file that is not there or of no use is none.
    pub fn at_hand(elf: Option<&Path>) -> Result<Self> {
        let current = match elf {
            Some(path) => Some(Image::read(path)?),
            None => Image::read(&build::elf_path()).ok(),
        };
        Ok(Self::new(current, Store::of_this_tree()))
    }

    /// With one in use, and a store to look for others.
    pub fn new(current: Option<Image>, store: Store) -> Self {
        Self { current, store }
    }

    /// The one in use.
    pub fn current(&self) -> Option<&Image> {
        self.current.as_ref()
    }

    /// The image on the card has said which it is.
    pub fn fit(&mut self, banner: &Banner<'_>) -> Fit {
        if self.current.as_ref().is_some_and(|image| image.build == Some(banner.build)) {
            return Fit::Right;
        }
        let path = self.store.path(banner.build);
        let found = self.store.find(banner.build).and_then(|elf| Image::of(path.clone(), &elf).ok());
        match found {
            Some(image) => {
                self.current = Some(image);
                Fit::Found(path)
            }
            None => Fit::Wrong(self.way_out(banner)),
        }
    }

    fn way_out(&self, banner: &Banner<'_>) -> String {
        let Banner { build, git } = banner;
        let ours = match &self.current {
            None => "there is no ELF file to decode its log with".to_owned(),
            Some(Image { path, build: Some(ours), .. }) => format!("{} is build {ours}", path.display()),
            Some(Image { path, build: None, .. }) => {
                format!("{} does not say which build it is", path.display())
            }
        };
        let way = match git.strip_suffix("-dirty") {
            None if *git == "unknown" => "take the ELF file from where the image was built".to_owned(),
            None => format!("`git checkout {git} && cargo xtask build`, with the same --log-level, makes it"),
            Some(commit) => format!(
                "it was built from {commit} with changes that were not committed, so take the ELF file from where it was built"
            ),
        };
        format!(
            "the card's image is build {build} of commit {git}, and {ours}. Only its own ELF file decodes its log: {way}; \
             or write this tree's image to the card"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_image_is_refused_with_the_way_to_get_its_file() {
        let store = Store::at(std::env::temp_dir().join("no-such-folder"));
        let mut images = Images::new(None, store);
        let mut why = |git| match images.fit(&Banner { build: BuildId::new([7; 8]), git }) {
            Fit::Wrong(why) => why,
            fit => panic!("{fit:?}"),
        };
        let clean = why("fade661af0bd");
        assert!(clean.contains("git checkout fade661af0bd && cargo xtask build"), "{clean}");
        assert!(clean.contains("build 0707070707070707") && clean.contains("no ELF file"), "{clean}");
        let dirty = why("fade661af0bd-dirty");
        assert!(!dirty.contains("git checkout") && dirty.contains("not committed"), "{dirty}");
        assert!(why("unknown").contains("from where the image was built"));
    }
}

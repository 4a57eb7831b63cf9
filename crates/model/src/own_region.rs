//! An installation's own regions, beside AWS's.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::region::{Region, Zone};

/// Zones that a region may have: as many as a default VPC has room for, which has a subnet in each.
const MAX_ZONES: usize = 16;

static OWN: OnceLock<Vec<Region>> = OnceLock::new();

/// A region that is not AWS's. Its name and its zones' have AWS's form, which clients read regions from:
/// `lab-west-1`, `lab-west-1a`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnRegion {
    /// Its name.
    pub name: String,
    /// Its zones' names, in the order that they were given in.
    pub zones: Vec<String>,
}

/// Why text is no region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OwnRegionError {
    /// Not `NAME=ZONE,…`.
    #[error("a region is given with its zones, such as lab-west-1=lab-west-1a,lab-west-1b")]
    Form,
    /// Not the form of a region's name.
    #[error(
        "{0:?} is no name for a region: it has AWS's form, 2 to 4 letters, one or more words and a number, such as \
         lab-west-1, and 32 characters at most"
    )]
    Name(String),
    /// One of AWS's.
    #[error("{0} is one of AWS's regions, which have the zones that they have on AWS; choose another name")]
    Aws(String),
    /// Not the form of a zone's name.
    #[error("{zone:?} is no name for a zone of {region}: it is the region's and a letter, such as {region}a")]
    Zone {
        /// The region.
        region: String,
        /// What was given.
        zone: String,
    },
    /// A zone twice.
    #[error("the zone {0} is given twice")]
    Twice(String),
    /// Too many zones.
    #[error("{0} has more than {MAX_ZONES} zones")]
    TooMany(String),
}

impl std::str::FromStr for OwnRegion {
    type Err = OwnRegionError;

    /// Reads `NAME=ZONE,…`.
    fn from_str(text: &str) -> Result<Self, OwnRegionError> {
        let (name, zones) = text.split_once('=').ok_or(OwnRegionError::Form)?;
        if !is_name(name) {
            return Err(OwnRegionError::Name(name.to_owned()));
        }
        if Region::of_aws(name).is_some() {
            return Err(OwnRegionError::Aws(name.to_owned()));
        }
        let zones: Vec<String> = zones.split(',').map(str::to_owned).collect();
        for (at, zone) in zones.iter().enumerate() {
            if letter(name, zone).is_none() {
                return Err(OwnRegionError::Zone { region: name.to_owned(), zone: zone.clone() });
            }
            if zones[..at].contains(zone) {
                return Err(OwnRegionError::Twice(zone.clone()));
            }
        }
        if zones.len() > MAX_ZONES {
            return Err(OwnRegionError::TooMany(name.to_owned()));
        }
        Ok(Self { name: name.to_owned(), zones })
    }
}

fn is_name(name: &str) -> bool {
    let words: Vec<&str> = name.split('-').collect();
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let [first, middle @ .., number] = &words[..] else { return false };
    name.len() <= 32
        && is_word(first)
        && (2..=4).contains(&first.len())
        && !middle.is_empty()
        && middle.iter().all(is_word)
        && number.len() <= 2
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && !number.is_empty()
}

/// The letter that a zone's name ends with, after its region's.
fn letter(region: &str, zone: &str) -> Option<u8> {
    match zone.strip_prefix(region)?.as_bytes() {
        [letter] if letter.is_ascii_lowercase() => Some(*letter),
        _ => None,
    }
}

impl OwnRegion {
    /// The region as all know it. What it says stays until the process ends.
    fn settle(&self) -> Region {
        let name: &'static str = self.name.clone().leak();
        let zone = |zone: &String| {
            let number = letter(name, zone).map_or(0, |letter| letter - b'a' + 1);
            // The same whichever other zones there are, as AWS's ids are.
            Zone { name: zone.clone().leak(), id: format!("{name}-az{number}").leak() }
        };
        let zones: Vec<Zone> = self.zones.iter().map(zone).collect();
        Region { name, long_name: name, opt_in: false, zones: zones.leak() }
    }
}

/// Say which regions there are beside AWS's. Once in a process, before anybody asks; later calls change nothing.
pub fn adopt(regions: &[OwnRegion]) {
    OWN.get_or_init(|| regions.iter().map(OwnRegion::settle).collect());
}

/// Those regions.
pub(crate) fn adopted() -> &'static [Region] {
    OWN.get().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_read_as_they_are_given() {
        let read: OwnRegion = "lab-west-1=lab-west-1b,lab-west-1a".parse().unwrap();
        assert_eq!((read.name.as_str(), read.zones.len()), ("lab-west-1", 2));
        let region = read.settle();
        let zones: Vec<_> = region.zones.iter().map(|zone| (zone.name, zone.id)).collect();
        assert_eq!(zones, [("lab-west-1b", "lab-west-1-az2"), ("lab-west-1a", "lab-west-1-az1")]);
    }

    #[test]
    fn what_is_no_region_says_why() {
        use OwnRegionError::{Aws, Form, Name, TooMany, Twice, Zone};
        let many: Vec<_> = (b'a'..=b'q').map(|letter| format!("lab-west-1{}", char::from(letter))).collect();
        let many = format!("lab-west-1={}", many.join(","));
        let zone = |zone: &str| Zone { region: "lab-west-1".into(), zone: zone.into() };
        for (text, why) in [
            ("", Form),
            ("lab-west-1", Form),
            ("=lab-west-1a", Name("".into())),
            ("lab=laba", Name("lab".into())),
            ("lab-1=lab-1a", Name("lab-1".into())),
            ("Lab-west-1=Lab-west-1a", Name("Lab-west-1".into())),
            ("lab--1=lab--1a", Name("lab--1".into())),
            ("lab-west-=lab-west-a", Name("lab-west-".into())),
            ("eu-west-1=eu-west-1a", Aws("eu-west-1".into())),
            ("lab-west-1=", zone("")),
            ("lab-west-1=rack", zone("rack")),
            ("lab-west-1=lab-west-1", zone("lab-west-1")),
            ("lab-west-1=lab-west-1a,", zone("")),
            ("lab-west-1=lab-west-1a,lab-west-1a", Twice("lab-west-1a".into())),
            (&*many, TooMany("lab-west-1".into())),
        ] {
            assert_eq!(text.parse::<OwnRegion>(), Err(why), "{text}");
        }
    }
}

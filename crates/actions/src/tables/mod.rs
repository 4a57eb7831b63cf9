//! The tables: made by `cargo xtask actions`, compressed, and read when they are first needed. One section for each
//! IAM prefix, so that a gateway unpacks only the services that it sees.

mod operation;

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

pub(crate) use operation::{ActionRow, Row, Segment};

static FILE: &[u8] = include_bytes!("tables.bin");
static INDEX: LazyLock<Index> = LazyLock::new(Index::read);

/// What is known of every service without unpacking its section.
pub(crate) struct Index {
    /// The file's first line: what it was made from.
    pub(crate) sources: &'static str,
    pub(crate) services: Vec<Service>,
    prefixes: Vec<Prefix>,
    by_signing_name: HashMap<&'static str, Vec<usize>>,
    by_prefix: HashMap<&'static str, usize>,
}

/// An IAM prefix and its section.
struct Prefix {
    name: &'static str,
    packed: &'static [u8],
    section: OnceLock<Section>,
}

/// One service as its clients know it.
pub(crate) struct Service {
    /// botocore's name.
    pub(crate) name: &'static str,
    /// The IAM prefix.
    pub(crate) prefix: &'static str,
    /// The prefix's number.
    section: usize,
    pub(crate) signing_name: &'static str,
    pub(crate) version: &'static str,
    /// A letter each: `e`c2, `q`uery, `j`son, `r`est-json, rest-`x`ml, `c`bor.
    pub(crate) protocols: &'static str,
    pub(crate) target_prefix: &'static str,
    /// What stands before the region in its host names: `api.ecr`.
    pub(crate) hosts: Vec<&'static str>,
}

/// What there is under an IAM prefix.
#[derive(Default)]
pub(crate) struct Section {
    /// Its actions, sorted.
    pub(crate) actions: Vec<&'static str>,
    /// Resource types: name and ARN format.
    pub(crate) resources: Vec<(&'static str, &'static str)>,
    /// By botocore's service: there are a few at most.
    pub(crate) operations: Vec<(&'static str, Operations)>,
}

/// A service's operations.
#[derive(Default)]
pub(crate) struct Operations {
    pub(crate) rows: Vec<Row>,
    by_name: HashMap<&'static str, usize>,
}

impl Operations {
    /// An operation by the name that is sent.
    pub(crate) fn named(&self, name: &str) -> Option<&Row> {
        self.by_name.get(name).map(|at| &self.rows[*at])
    }
}

impl Index {
    pub(crate) fn get() -> &'static Self {
        &INDEX
    }

    fn read() -> Self {
        let line = |from: usize| {
            let length = FILE[from..].iter().position(|byte| *byte == b'\n').expect("the file has two lines");
            let text = std::str::from_utf8(&FILE[from..from + length]).expect("its lines are text");
            (text, from + length + 1)
        };
        let (sources, at) = line(0);
        let (length, at) = line(at);
        let length: usize = length.parse().expect("the second line is a length");
        let text = unpack(&FILE[at..at + length]);
        let sections = &FILE[at + length..];

        let mut index = Self {
            sources,
            services: Vec::new(),
            prefixes: Vec::new(),
            by_signing_name: HashMap::new(),
            by_prefix: HashMap::new(),
        };
        for line in text.lines() {
            let fields: Vec<_> = line.split('\t').collect();
            match fields[..] {
                ["P", name, from, length] => {
                    let number = |text: &str| text.parse::<usize>().expect("a place is a number");
                    let from = number(from);
                    let packed = &sections[from..from + number(length)];
                    index.by_prefix.insert(name, index.prefixes.len());
                    index.prefixes.push(Prefix { name, packed, section: OnceLock::new() });
                }
                ["S", name, signing_name, version, protocols, target_prefix, hosts] => {
                    let section = index.prefixes.len() - 1;
                    let prefix = index.prefixes[section].name;
                    let hosts = hosts.split(' ').collect();
                    index.by_signing_name.entry(signing_name).or_default().push(index.services.len());
                    index.services.push(Service {
                        name,
                        prefix,
                        section,
                        signing_name,
                        version,
                        protocols,
                        target_prefix,
                        hosts,
                    });
                }
                _ => unreachable!("the index has lines of two kinds"),
            }
        }
        index
    }

    /// The services that sign with a name.
    pub(crate) fn signing(&self, name: &str) -> impl Iterator<Item = &Service> {
        self.by_signing_name.get(name).into_iter().flatten().map(|at| &self.services[*at])
    }

    /// Every IAM prefix, sorted.
    pub(crate) fn prefixes(&self) -> impl Iterator<Item = &'static str> {
        self.prefixes.iter().map(|prefix| prefix.name)
    }

    /// A prefix's section, unpacked when first asked for.
    pub(crate) fn section(&self, prefix: &str) -> Option<&Section> {
        Some(self.prefixes[*self.by_prefix.get(prefix)?].section())
    }

    /// The section that a service is in.
    pub(crate) fn section_of(&self, service: &Service) -> &Section {
        self.prefixes[service.section].section()
    }

    /// A service's operations.
    pub(crate) fn operations(&self, service: &Service) -> &Operations {
        let (_, operations) = self
            .section_of(service)
            .operations
            .iter()
            .find(|(name, _)| *name == service.name)
            .expect("a service has its lines there");
        operations
    }
}

impl Prefix {
    fn section(&self) -> &Section {
        self.section.get_or_init(|| Section::read(unpack(self.packed)))
    }
}

impl Section {
    fn read(text: &'static str) -> Self {
        let mut section = Self::default();
        for line in text.lines() {
            let (kind, rest) = line.split_once('\t').expect("a line says what it is");
            match kind {
                "A" => section.actions.push(rest),
                "R" => section.resources.push(rest.split_once('\t').expect("a resource has a format")),
                "S" => section.operations.push((rest, Operations::default())),
                _ => {
                    let (_, operations) = section.operations.last_mut().expect("operations follow a service");
                    let row = Row::read(rest);
                    operations.by_name.insert(row.sent, operations.rows.len());
                    operations.rows.push(row);
                }
            }
        }
        section
    }
}

/// Unpacks text that lives as long as the program.
fn unpack(packed: &[u8]) -> &'static str {
    let bytes = miniz_oxide::inflate::decompress_to_vec(packed).expect("the tables are compressed properly");
    String::leak(String::from_utf8(bytes).expect("the tables are text"))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn every_section_can_be_read() {
        let start = Instant::now();
        let index = Index::get();
        println!("{:?} for the index", start.elapsed());
        assert!(index.sources.contains("botocore 1.43.11"), "{}", index.sources);
        let rows: usize = index.services.iter().map(|service| index.operations(service).rows.len()).sum();
        let actions: usize =
            index.prefixes().map(|prefix| index.section(prefix).unwrap().actions.len()).sum();
        println!("{:?} for every section", start.elapsed());
        println!("{} bytes, {rows} operations, {actions} actions", FILE.len());
        assert_eq!(rows, 18_378);
        assert!(actions > 20_000);
    }
}

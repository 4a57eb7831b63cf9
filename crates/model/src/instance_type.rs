//! Instance types: a part of AWS's catalogue, the same in every region. What of it has an effect here are the numbers of
//! interfaces and addresses, and the architecture. Data: `instance_types.txt`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::image::host_architecture;

/// An instance type.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceType {
    /// Such as `t3.micro`.
    pub name: &'static str,
    /// Architectures of images that it runs, under AWS's names.
    pub architectures: Vec<&'static str>,
    /// Who makes its processor.
    pub manufacturer: &'static str,
    /// The processor's clock in GHz, where AWS tells it.
    pub clock: Option<f64>,
    /// Cores.
    pub cores: i32,
    /// Threads of each core.
    pub threads: i32,
    /// Counts of cores that can be asked for. Empty: none but its own.
    pub valid_cores: Vec<i32>,
    /// Counts of threads a core that can be asked for. Empty: none but its own.
    pub valid_threads: Vec<i32>,
    /// Memory in MiB.
    pub memory: i64,
    /// Interfaces that an instance may have.
    pub interfaces: usize,
    /// Addresses of each family that each of them may have.
    pub addresses: usize,
    /// `nitro` or `xen`.
    pub hypervisor: &'static str,
    /// Whether AWS counts it to its current generation.
    pub current: bool,
    /// Whether AWS gives it away to new accounts.
    pub free_tier: bool,
    /// Volumes that an instance may have.
    pub volumes: i32,
    /// `shared`: interfaces count as volumes; or `dedicated`.
    pub volume_limit: &'static str,
    /// Throughput to volumes; of types that are optimised for that.
    pub ebs: Option<EbsRate>,
    /// In AWS's words.
    pub network: &'static str,
}

/// Throughput to volumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EbsRate {
    /// Mbit/s at any time.
    pub baseline: i32,
    /// Operations a second at any time.
    pub baseline_iops: i32,
    /// Mbit/s in bursts.
    pub most: i32,
    /// Operations a second in bursts.
    pub most_iops: i32,
}

static TYPES: LazyLock<BTreeMap<&'static str, InstanceType>> = LazyLock::new(|| {
    let lines = include_str!("instance_types.txt").lines();
    lines.filter_map(InstanceType::read).map(|found| (found.name, found)).collect()
});

impl InstanceType {
    /// All of them, by name.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        TYPES.values()
    }

    /// The type of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        TYPES.get(name)
    }

    /// The type of an instance that was launched without naming one: the smallest one with credits that runs what this
    /// host runs. AWS's, `m1.small`, is of a generation that AWS itself no longer offers to everybody.
    pub fn default_name() -> &'static str {
        if host_architecture() == "arm64" { "t4g.micro" } else { "t3.micro" }
    }

    /// Whether its speed is by credits.
    pub fn has_credits(&self) -> bool {
        self.name.starts_with('t')
    }

    /// How credits are used up unless the launch says it: `standard` for T2, `unlimited` for all later ones.
    pub fn default_credits(&self) -> Option<&'static str> {
        self.has_credits().then(|| if self.name.starts_with("t2.") { "standard" } else { "unlimited" })
    }

    /// Virtual processors.
    pub fn processors(&self) -> i32 {
        self.cores * self.threads
    }

    fn read(line: &'static str) -> Option<Self> {
        let fields: Vec<&str> = line.split('|').collect();
        let &[
            name,
            architectures,
            manufacturer,
            clock,
            cores,
            threads,
            valid_cores,
            valid_threads,
            memory,
            interfaces,
            addresses,
            hypervisor,
            generation,
            free,
            volumes,
            volume_limit,
            ebs,
            network,
        ] = fields.as_slice()
        else {
            return None;
        };
        Some(Self {
            name,
            architectures: architectures.split(',').collect(),
            manufacturer,
            clock: clock.parse().ok(),
            cores: cores.parse().ok()?,
            threads: threads.parse().ok()?,
            valid_cores: numbers(valid_cores),
            valid_threads: numbers(valid_threads),
            memory: memory.parse().ok()?,
            interfaces: interfaces.parse().ok()?,
            addresses: addresses.parse().ok()?,
            hypervisor,
            current: generation == "current",
            free_tier: free == "free",
            volumes: volumes.parse().ok()?,
            volume_limit,
            ebs: EbsRate::read(ebs),
            network,
        })
    }
}

impl EbsRate {
    fn read(text: &str) -> Option<Self> {
        let &[baseline, baseline_iops, most, most_iops] = numbers(text).as_slice() else { return None };
        Some(Self { baseline, baseline_iops, most, most_iops })
    }
}

fn numbers(text: &str) -> Vec<i32> {
    text.split(',').filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_reads() {
        let lines = include_str!("instance_types.txt").lines().filter(|line| !line.starts_with('#'));
        assert_eq!(lines.count(), InstanceType::all().count());
        for found in InstanceType::all() {
            assert!(found.interfaces > 0 && found.addresses > 0 && found.processors() > 0, "{found:?}");
            assert!(matches!(found.hypervisor, "nitro" | "xen"), "{found:?}");
        }
    }

    #[test]
    fn the_default_runs_what_the_host_runs() {
        let default = InstanceType::find(InstanceType::default_name()).unwrap();
        assert!(default.architectures.contains(&host_architecture()));
        assert_eq!(default.default_credits(), Some("unlimited"));
        assert_eq!((default.interfaces, default.addresses), (2, 2));
    }
}

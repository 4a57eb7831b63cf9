//! The kernel's tables: a mirror of what they hold, and the way from there to what they shall hold.
//!
//! The order keeps every moment of the way sound for the packets that pass meanwhile. Lists come before
//! what points to them, and what is added or changed before what is removed. A list that nothing points to
//! any more stays a while, for the packets that found it just before. The epoch comes last:
//! flows are judged anew only once everything is in place.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::{Duration, Instant};

use libbpf_rs::{MapCore, MapFlags, MapHandle};

use crate::counters::Counters;
use crate::error::FabricError;
use crate::layout::{
    Endpoint, Interface, KernelSettings, Layout, Listener, ListenerKey, MemberKey, Place, PlaceKey, Port,
    Probe, Route, RouteKey, RuleChunk, RuleKey, Ruleset, RulesetKey, Subnet, Target, TargetKey,
};
use crate::maps::Maps;
use crate::tables::Tables;

/// How long a list stays that nothing points to. A program takes microseconds, but its CPU may be a virtual one that
/// stands still meanwhile, and changes follow each other within less.
const LINGER: Duration = Duration::from_millis(200);

/// The tables that userspace writes.
pub(crate) struct KernelTables {
    settings: Table<u32, KernelSettings>,
    ports: Table<u32, Port>,
    interfaces: Table<u32, Interface>,
    places: Table<PlaceKey, Place>,
    members: Table<MemberKey, u32>,
    rulesets: Table<RulesetKey, Ruleset>,
    rules: Table<RuleKey, RuleChunk>,
    routes: Table<RouteKey, Route>,
    subnets: Table<u64, Subnet>,
    endpoints: Table<u32, Endpoint>,
    listeners: Table<ListenerKey, Listener>,
    targets: Table<TargetKey, Target>,
    probes: Table<u32, Probe>,
    counters: Counters,
    /// Whether flows must be judged anew, for what was written since the epoch was raised last. True at the
    /// start: whoever wrote the tables before may have been killed just before that.
    stale: bool,
}

impl KernelTables {
    /// Read what the kernel holds.
    pub(crate) fn read(maps: &Maps) -> Result<Self, FabricError> {
        Ok(Self {
            settings: Table::read("settings", &maps.settings)?,
            ports: Table::read("ports", &maps.ports)?,
            interfaces: Table::read("interfaces", &maps.interfaces)?,
            places: Table::read("places", &maps.places)?,
            members: Table::read("members", &maps.members)?,
            rulesets: Table::read("rulesets", &maps.rulesets)?,
            rules: Table::read("rules", &maps.rules)?,
            routes: Table::read("routes", &maps.routes)?,
            subnets: Table::read("subnets", &maps.subnets)?,
            endpoints: Table::read("endpoints", &maps.endpoints)?,
            listeners: Table::read("listeners", &maps.listeners)?,
            targets: Table::read("targets", &maps.targets)?,
            probes: Table::read("probes", &maps.probes)?,
            counters: Counters::new(&maps.traffic)?,
            stale: true,
        })
    }

    /// Have the kernel hold `wanted`, and nothing else. After an error it may be called again.
    pub(crate) fn apply(&mut self, wanted: &Tables) -> Result<(), FabricError> {
        let applied = self.write(None, wanted);
        // A table that failed halfway has changed, and what was written before it too.
        self.stale |= applied.is_err();
        applied
    }

    /// Have the kernel hold the rows of `after` in place of those of `before`, and leave all others. After an error,
    /// [`apply`](Self::apply) mends what is half done.
    pub(crate) fn change(&mut self, before: &Tables, after: &Tables) -> Result<(), FabricError> {
        let applied = self.write(Some(before), after);
        self.stale |= applied.is_err();
        applied
    }

    /// `before`: the rows that are not to stay, unless they are wanted; `None`: all.
    fn write(&mut self, before: Option<&Tables>, wanted: &Tables) -> Result<(), FabricError> {
        self.settings.put(&row(wanted.settings, self.epoch()))?;
        if before.is_none() {
            self.counters.know(self.endpoints.held.values());
        }
        let endpoints = self.counters.assign(&self.endpoints.held, &wanted.endpoints)?;

        self.stale |= self.rules.put(&wanted.rules)?;
        self.stale |= self.members.put(&wanted.members)?;
        self.stale |= self.rulesets.put(&wanted.rulesets)?;
        self.stale |= self.routes.put(&wanted.routes)?;
        self.stale |= self.subnets.put(&wanted.subnets)?;
        self.stale |= self.targets.put(&wanted.targets)?;
        self.stale |= self.listeners.put(&wanted.listeners)?;
        self.stale |= self.interfaces.put(&wanted.interfaces)?;
        self.stale |= self.endpoints.put(&endpoints)?;
        self.probes.put(&wanted.probes)?;
        self.stale |= self.places.put(&wanted.places)?;
        self.ports.put(&wanted.ports)?;

        self.ports.remove_others(before.map(|rows| &rows.ports), &wanted.ports)?;
        self.stale |= self.places.remove_others(before.map(|rows| &rows.places), &wanted.places)?;
        self.probes.remove_others(before.map(|rows| &rows.probes), &wanted.probes)?;
        let gone: Vec<Endpoint> = self
            .endpoints
            .others(before.map(|rows| &rows.endpoints), &endpoints)
            .filter_map(|number| self.endpoints.held.get(&number).copied())
            .collect();
        self.stale |= self.endpoints.remove_others(before.map(|rows| &rows.endpoints), &endpoints)?;
        self.counters.forget(&gone);
        self.stale |=
            self.interfaces.remove_others(before.map(|rows| &rows.interfaces), &wanted.interfaces)?;
        self.stale |= self.subnets.remove_others(before.map(|rows| &rows.subnets), &wanted.subnets)?;
        self.stale |= self.routes.remove_others(before.map(|rows| &rows.routes), &wanted.routes)?;
        self.stale |= self.listeners.remove_others(before.map(|rows| &rows.listeners), &wanted.listeners)?;
        let now = Instant::now();
        self.targets.retire_others(before.map(|rows| &rows.targets), &wanted.targets, now)?;
        self.rulesets.retire_others(before.map(|rows| &rows.rulesets), &wanted.rulesets, now)?;
        self.members.retire_others(before.map(|rows| &rows.members), &wanted.members, now)?;
        self.rules.retire_others(before.map(|rows| &rows.rules), &wanted.rules, now)?;

        if self.stale {
            self.settings.put(&row(wanted.settings, self.epoch().wrapping_add(1)))?;
            self.stale = false;
        }
        Ok(())
    }

    /// How often flows had to be judged anew.
    pub(crate) fn epoch(&self) -> u64 {
        self.settings.held.get(&0).map_or(0, |settings| settings.epoch)
    }
}

fn row(settings: KernelSettings, epoch: u64) -> BTreeMap<u32, KernelSettings> {
    BTreeMap::from([(0, KernelSettings { epoch, ..settings })])
}

/// One table, and what it holds.
struct Table<K, V> {
    name: &'static str,
    map: MapHandle,
    held: BTreeMap<K, V>,
    /// Rows without use, and since when.
    retired: BTreeMap<K, Instant>,
}

impl<K: Layout + Ord + Debug, V: Layout + PartialEq> Table<K, V> {
    fn read(name: &'static str, map: &MapHandle) -> Result<Self, FabricError> {
        let map = MapHandle::try_from(map).map_err(FabricError::bpf(format!("open the table {name}")))?;
        let mut held = BTreeMap::new();
        for key in map.keys() {
            let value = map.lookup(&key, MapFlags::ANY).map_err(|source| FabricError::Table {
                action: "read",
                table: name,
                key: format!("{key:?}"),
                source,
            })?;
            if let (Some(key), Some(value)) = (K::read(&key), value.as_deref().and_then(V::read)) {
                held.insert(key, value);
            }
        }
        Ok(Self { name, map, held, retired: BTreeMap::new() })
    }

    /// Add and change rows, until all of `wanted` are there. Whether anything was different.
    fn put(&mut self, wanted: &BTreeMap<K, V>) -> Result<bool, FabricError> {
        let mut changed = false;
        for (key, value) in wanted {
            if self.held.get(key) == Some(value) {
                continue;
            }
            self.map
                .update(key.bytes(), value.bytes(), MapFlags::ANY)
                .map_err(|source| self.failed("write", key, source))?;
            self.held.insert(*key, *value);
            changed = true;
        }
        Ok(changed)
    }

    /// Remove the rows of `before`, or all, that are not in `wanted`. Whether there were any.
    fn remove_others(
        &mut self,
        before: Option<&BTreeMap<K, V>>,
        wanted: &BTreeMap<K, V>,
    ) -> Result<bool, FabricError> {
        let others: Vec<K> = self.others(before, wanted).collect();
        self.remove(&others)?;
        Ok(!others.is_empty())
    }

    /// Remember the rows of `before`, or all, that are not in `wanted`; and remove those that have been out of use for
    /// long enough.
    fn retire_others(
        &mut self,
        before: Option<&BTreeMap<K, V>>,
        wanted: &BTreeMap<K, V>,
        now: Instant,
    ) -> Result<(), FabricError> {
        self.retired.retain(|key, _| !wanted.contains_key(key));
        let is_due = |since: Instant| now.duration_since(since) >= LINGER;
        let due: Vec<K> =
            self.retired.iter().filter(|(_, since)| is_due(**since)).map(|(key, _)| *key).collect();
        self.remove(&due)?;
        self.retired.retain(|_, since| !is_due(*since));
        let others: Vec<K> = self.others(before, wanted).collect();
        for key in others {
            self.retired.entry(key).or_insert(now);
        }
        Ok(())
    }

    /// Rows that are held, of `before` or of all, and not in `wanted`.
    fn others<'a>(
        &'a self,
        before: Option<&'a BTreeMap<K, V>>,
        wanted: &'a BTreeMap<K, V>,
    ) -> impl Iterator<Item = K> + 'a {
        let held = before.unwrap_or(&self.held).keys().filter(|key| self.held.contains_key(key));
        held.filter(|key| !wanted.contains_key(key)).copied()
    }

    fn remove(&mut self, keys: &[K]) -> Result<(), FabricError> {
        for key in keys {
            match self.map.delete(key.bytes()) {
                Err(source) if source.kind() != libbpf_rs::ErrorKind::NotFound => {
                    return Err(self.failed("remove", key, source));
                }
                _ => self.held.remove(key),
            };
        }
        Ok(())
    }

    fn failed(&self, action: &'static str, key: &K, source: libbpf_rs::Error) -> FabricError {
        FabricError::Table { action, table: self.name, key: format!("{key:?}"), source }
    }
}

#[cfg(test)]
mod tests {
    use libbpf_rs::MapType;
    use libbpf_rs::libbpf_sys::{BPF_F_NO_PREALLOC, bpf_map_create_opts};

    use super::*;

    /// A table in the kernel with room for three rows. It needs root.
    fn table() -> Table<u32, u32> {
        let options = bpf_map_create_opts {
            sz: size_of::<bpf_map_create_opts>() as u64,
            map_flags: BPF_F_NO_PREALLOC,
            ..Default::default()
        };
        let map = MapHandle::create(MapType::Hash, Some("test"), 4, 4, 3, &options).unwrap();
        Table::read("test", &map).unwrap()
    }

    fn rows(keys: &[u32]) -> BTreeMap<u32, u32> {
        keys.iter().map(|key| (*key, key * 10)).collect()
    }

    /// What the kernel holds, whatever the mirror says.
    fn kernel(table: &Table<u32, u32>) -> BTreeMap<u32, u32> {
        Table::read("test", &table.map).unwrap().held
    }

    #[test]
    fn rows_are_added_changed_and_removed() {
        let mut table = table();
        assert!(table.put(&rows(&[1, 2])).unwrap());
        assert!(!table.put(&rows(&[1, 2])).unwrap(), "nothing is different");
        assert!(table.put(&BTreeMap::from([(1, 11)])).unwrap());
        assert_eq!(kernel(&table), BTreeMap::from([(1, 11), (2, 20)]));
        assert!(table.remove_others(None, &rows(&[2])).unwrap());
        assert!(!table.remove_others(None, &rows(&[2])).unwrap());
        assert_eq!(kernel(&table), rows(&[2]));
    }

    #[test]
    fn a_list_stays_a_while() {
        let mut table = table();
        let (now, then) = (Instant::now(), Instant::now() + LINGER);
        table.put(&rows(&[1, 2])).unwrap();
        table.retire_others(None, &rows(&[2]), now).unwrap();
        table.retire_others(None, &rows(&[2]), now).unwrap();
        assert_eq!(kernel(&table), rows(&[1, 2]), "somebody may be reading it");
        table.retire_others(None, &rows(&[2]), then).unwrap();
        assert_eq!(kernel(&table), rows(&[2]));

        table.retire_others(None, &rows(&[]), now).unwrap();
        table.retire_others(None, &rows(&[2]), now).unwrap();
        table.retire_others(None, &rows(&[]), then).unwrap();
        assert_eq!(kernel(&table), rows(&[2]), "it was wanted again meanwhile");
        table.retire_others(None, &rows(&[]), then + LINGER).unwrap();
        assert_eq!(kernel(&table), rows(&[]));
    }

    #[test]
    fn a_full_table_is_named_with_the_row_that_found_no_room() {
        let mut table = table();
        let error = table.put(&rows(&[1, 2, 3, 4])).unwrap_err().to_string();
        assert!(error.contains("cannot write 4 of the kernel's table \"test\""), "{error}");
        assert_eq!(table.held, kernel(&table), "the mirror knows how far it came");
    }

    #[test]
    fn what_somebody_else_removed_is_gone() {
        let mut table = table();
        table.put(&rows(&[1])).unwrap();
        table.map.delete(1u32.bytes()).unwrap();
        assert!(table.remove_others(None, &rows(&[])).unwrap());
        assert_eq!(table.held, rows(&[]));
    }
}

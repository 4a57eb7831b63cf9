//! Which row of table `traffic` each endpoint, and each gateway that leads out of a VPC, counts in: below, both are
//! endpoints.
//!
//! Every packet through an endpoint counts, so the rows are an array's, found without a search; but numbers of
//! interfaces grow for ever. So rows are given out, and taken back when an endpoint is gone: in turn, so that
//! a packet that is still on its way when its endpoint goes does not count for the next one.

use std::collections::{BTreeMap, BTreeSet};

use libbpf_rs::{MapCore, MapFlags, MapHandle};

use crate::error::FabricError;
use crate::layout::{Endpoint, Layout, Traffic};

/// Gives out rows. Row 0 is nobody's.
pub(crate) struct Counters {
    traffic: MapHandle,
    /// The row that was given out last.
    last: u32,
    taken: BTreeSet<u32>,
}

impl Counters {
    pub(crate) fn new(traffic: &MapHandle) -> Result<Self, FabricError> {
        let traffic = MapHandle::try_from(traffic).map_err(FabricError::bpf("open the table traffic"))?;
        Ok(Self { traffic, last: 0, taken: BTreeSet::new() })
    }

    /// These endpoints have their rows, and no others have any.
    pub(crate) fn know<'a>(&mut self, held: impl Iterator<Item = &'a Endpoint>) {
        self.taken = held.map(|endpoint| endpoint.counter).collect();
    }

    /// These endpoints are gone, and their rows are free.
    pub(crate) fn forget(&mut self, gone: &[Endpoint]) {
        for endpoint in gone {
            self.taken.remove(&endpoint.counter);
        }
    }

    /// The endpoints that are `wanted`, with the rows that they have by `held`, or new ones, which are zero.
    /// Where all rows are given out, an endpoint goes uncounted.
    pub(crate) fn assign(
        &mut self,
        held: &BTreeMap<u32, Endpoint>,
        wanted: &BTreeMap<u32, Endpoint>,
    ) -> Result<BTreeMap<u32, Endpoint>, FabricError> {
        let mut assigned = wanted.clone();
        for (number, endpoint) in &mut assigned {
            endpoint.counter = match held.get(number) {
                Some(there) if there.counter != 0 => there.counter,
                _ => self.next()?,
            };
        }
        Ok(assigned)
    }

    fn next(&mut self) -> Result<u32, FabricError> {
        let rows = self.traffic.max_entries();
        let in_turn = (self.last + 1..rows).chain(1..=self.last.min(rows - 1));
        let Some(row) = in_turn.into_iter().find(|row| !self.taken.contains(row)) else { return Ok(0) };
        self.clear(row)?;
        self.taken.insert(row);
        self.last = row;
        Ok(row)
    }

    fn clear(&self, row: u32) -> Result<(), FabricError> {
        let cpus = libbpf_rs::num_possible_cpus().map_err(FabricError::bpf("count the CPUs"))?;
        let zero = vec![Traffic::default().bytes().to_vec(); cpus];
        self.traffic.update_percpu(row.bytes(), &zero, MapFlags::ANY).map_err(|source| FabricError::Table {
            action: "write",
            table: "traffic",
            key: row.to_string(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use libbpf_rs::MapType;
    use libbpf_rs::libbpf_sys::bpf_map_create_opts;

    use super::*;

    /// Counters over a table in the kernel with rows 1 to 3. It needs root.
    fn counters() -> Counters {
        let options =
            bpf_map_create_opts { sz: size_of::<bpf_map_create_opts>() as u64, ..Default::default() };
        let size = size_of::<Traffic>() as u32;
        Counters::new(&MapHandle::create(MapType::PercpuArray, Some("test"), 4, size, 4, &options).unwrap())
            .unwrap()
    }

    fn endpoints(numbers: &[u32]) -> BTreeMap<u32, Endpoint> {
        numbers.iter().map(|number| (*number, Endpoint::default())).collect()
    }

    fn rows(assigned: &BTreeMap<u32, Endpoint>) -> Vec<(u32, u32)> {
        assigned.iter().map(|(number, endpoint)| (*number, endpoint.counter)).collect()
    }

    #[test]
    fn an_endpoint_keeps_its_row_and_a_free_one_is_given_out_in_turn() {
        let mut counters = counters();
        let first = counters.assign(&BTreeMap::new(), &endpoints(&[70000, 80000])).unwrap();
        assert_eq!(rows(&first), [(70000, 1), (80000, 2)]);
        let second = counters.assign(&first, &endpoints(&[80000, 90000])).unwrap();
        counters.forget(&[first[&70000]]);
        assert_eq!(rows(&second), [(80000, 2), (90000, 3)], "row 1 rests");
        let third = counters.assign(&second, &endpoints(&[80000, 90000, 95000])).unwrap();
        assert_eq!(rows(&third), [(80000, 2), (90000, 3), (95000, 1)]);
        let full = counters.assign(&third, &endpoints(&[80000, 90000, 95000, 99000])).unwrap();
        assert_eq!(full[&99000].counter, 0, "no row is left");
    }

    #[test]
    fn a_new_row_is_zero() {
        let mut counters = counters();
        let cpus = libbpf_rs::num_possible_cpus().unwrap();
        let used = Traffic { flows: 7, ..Traffic::default() };
        let values = vec![used.bytes().to_vec(); cpus];
        counters.traffic.update_percpu(1u32.bytes(), &values, MapFlags::ANY).unwrap();
        counters.assign(&BTreeMap::new(), &endpoints(&[5])).unwrap();
        let values = counters.traffic.lookup_percpu(1u32.bytes(), MapFlags::ANY).unwrap().unwrap();
        assert!(values.iter().all(|value| Traffic::read(value) == Some(Traffic::default())));
    }
}

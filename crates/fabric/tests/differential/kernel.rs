//! The packet programs, with tables of their own.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use libbpf_rs::{MapCore, MapFlags, ProgramInput};
use linkway_fabric::Reason;
use linkway_fabric::layout::{Count, DropKey, Layout};
use linkway_fabric::tables::Tables;
use nix::sched::{CloneFlags, unshare};

use crate::loaded::{self, Loaded, Room, clear};
use crate::{SERVICE, STRANGER, UPLINK};

const FLOW_ENTRIES: u32 = 4_096;

/// `TC_ACT_SHOT`.
const SHOT: u32 = 2;

/// The programs, loaded with tables of their own, in a namespace that has the devices.
pub(crate) struct Kernel(pub(crate) Loaded, RefCell<BTreeMap<u32, Vec<(Reason, u64)>>>);

impl Kernel {
    pub(crate) fn new() -> Self {
        unshare(CloneFlags::CLONE_NEWNET).expect("the tests need root");
        let mut ip = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        let mut script = ip.stdin.take().unwrap();
        for index in UPLINK..=STRANGER {
            writeln!(script, "link add name d{index} index {index} type veth peer name p{index}").unwrap();
        }
        drop(script);
        assert!(ip.wait().unwrap().success());
        // Fewer buckets to walk through.
        Self(loaded::with(Room::Flows(FLOW_ENTRIES)), RefCell::default())
    }

    pub(crate) fn hold(&self, tables: &Tables) {
        let maps = &self.0.maps;
        put(&maps.settings, [(&0u32, &tables.settings)]);
        replace(&maps.ports, &tables.ports);
        replace(&maps.interfaces, &tables.interfaces);
        replace(&maps.places, &tables.places);
        replace(&maps.members, &tables.members);
        replace(&maps.rulesets, &tables.rulesets);
        replace(&maps.rules, &tables.rules);
        replace(&maps.subnets, &tables.subnets);
        replace(&maps.routes, &tables.routes);
        replace(&maps.endpoints, &tables.endpoints);
        replace(&maps.listeners, &tables.listeners);
        replace(&maps.targets, &tables.targets);
        replace(&maps.probes, &tables.probes);
    }

    /// Send a packet by the device of an interface.
    pub(crate) fn pass(&self, device: u32, interface: u32, bytes: &[u8]) -> Result<Vec<u8>, Reason> {
        // `struct __sk_buff`, as bytes, since the kernel refuses what is not zero in its padding.
        let mut context = [0; 192];
        context[40..44].copy_from_slice(&device.to_ne_bytes());
        let mut out = vec![0; bytes.len() + 256];
        let progs = &self.0.progs;
        let program = match device {
            SERVICE => &progs.from_service,
            UPLINK => &progs.from_uplink,
            _ => &progs.from_workload,
        };
        let input = ProgramInput {
            context_in: Some(&mut context),
            data_in: Some(bytes),
            data_out: Some(&mut out),
            ..Default::default()
        };
        let output = program.test_run(input).unwrap();
        let frame = output.data.unwrap();
        // A drop may be answered, by RST, which goes back: it is counted all the same.
        let is_back = frame[..6] == bytes[6..12];
        let reason = if output.return_value == SHOT || is_back { self.dropped(interface) } else { None };
        assert!(output.return_value != SHOT || reason.is_some(), "a drop that nobody has counted");
        reason.map_or_else(|| Ok(frame.to_vec()), Err)
    }

    /// Why the interface's last packet was dropped, if it was.
    fn dropped(&self, interface: u32) -> Option<Reason> {
        let after = self.drops(interface);
        let before = self.1.borrow_mut().insert(interface, after.clone());
        let before = before.unwrap_or_else(|| Reason::all().map(|reason| (reason, 0)).collect());
        let mut reasons = after.into_iter().zip(before).filter(|(after, before)| after != before);
        let found = reasons.next();
        assert!(reasons.next().is_none(), "counted for two reasons");
        found.map(|((reason, now), (_, before))| {
            assert_eq!(now, before + 1, "{reason}");
            reason
        })
    }

    /// What an interface has sent in vain, for each reason.
    fn drops(&self, interface: u32) -> Vec<(Reason, u64)> {
        let count = |reason: Reason| {
            let key = DropKey { interface, reason: reason.0 };
            let values = self.0.maps.drops.lookup_percpu(key.bytes(), MapFlags::ANY).unwrap();
            values.into_iter().flatten().map(|value| Count::read(&value).unwrap().packets).sum()
        };
        Reason::all().map(|reason| (reason, count(reason))).collect()
    }
}

pub(crate) fn put<'a, K: Layout + 'a, V: Layout + 'a>(
    map: &impl MapCore,
    rows: impl IntoIterator<Item = (&'a K, &'a V)>,
) {
    for (key, value) in rows {
        map.update(key.bytes(), value.bytes(), MapFlags::ANY).unwrap();
    }
}

pub(crate) fn replace<'a, K: Layout + 'a, V: Layout + 'a>(
    map: &impl MapCore,
    rows: impl IntoIterator<Item = (&'a K, &'a V)>,
) {
    clear(map);
    put(map, rows);
}

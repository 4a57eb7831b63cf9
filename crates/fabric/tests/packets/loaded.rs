//! The programs with their tables, as worlds have them one after the other: the verifier takes longer than most tests.

use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

use libbpf_rs::skel::{OpenSkel, Skel, SkelBuilder};
use libbpf_rs::{MapCore, MapFlags, MapType};
use linkway_fabric::programs::{LinkwaySkel, LinkwaySkelBuilder};

pub type Loaded = &'static LinkwaySkel<'static>;

/// What tables have room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// [`ROOM`] at most; but those for flows and for events.
    Usual,
    /// The same, and so many entries of flows.
    Flows(u32),
    /// As in a fabric.
    Full,
}

const ROOM: u32 = 4096;

/// Interfaces that have counters.
const COUNTED: u32 = 64;

static SPARE: Mutex<Vec<Loaded>> = Mutex::new(Vec::new());

/// With empty tables.
pub fn with(room: Room) -> Loaded {
    let usual = || SPARE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let spare = if room == Room::Usual { usual() } else { None };
    spare.unwrap_or_else(|| load(room))
}

fn load(room: Room) -> Loaded {
    let object = Box::leak(Box::new(MaybeUninit::uninit()));
    let mut opened = LinkwaySkelBuilder::default().open(object).unwrap();
    // The kernel makes room for a table of full size at once, which takes longer than a test.
    for mut table in opened.open_object_mut().maps_mut() {
        let most = if table.name() == "traffic" { COUNTED } else { ROOM };
        if room != Room::Full && table.name() != "flows" && table.name() != "events" {
            let entries = table.max_entries().min(most);
            table.set_max_entries(entries).unwrap();
        }
    }
    if let Room::Flows(entries) = room {
        opened.maps.flows.set_max_entries(entries).unwrap();
    }
    Box::leak(Box::new(opened.load().unwrap()))
}

/// Removes all rows.
pub fn clear(map: &impl MapCore) {
    for key in map.keys().collect::<Vec<_>>() {
        map.delete(&key).unwrap();
    }
}

/// For the next world. Its events must have been consumed.
pub fn give_back(loaded: Loaded) {
    for map in loaded.object().maps() {
        match map.map_type() {
            MapType::Hash | MapType::PercpuHash | MapType::LpmTrie => clear(&map),
            // Constants cannot be written.
            MapType::Array if map.name().to_string_lossy().contains(".rodata") => {}
            MapType::Array => {
                map.update(&[0; 4], &vec![0; map.value_size() as usize], MapFlags::ANY).unwrap();
            }
            MapType::PercpuArray => {
                let cpus = libbpf_rs::num_possible_cpus().unwrap();
                let nothing = vec![vec![0; map.value_size() as usize]; cpus];
                for number in 0..map.max_entries() {
                    map.update_percpu(&number.to_ne_bytes(), &nothing, MapFlags::ANY).unwrap();
                }
            }
            MapType::RingBuf => {}
            other => panic!("a table of another kind: {other:?}"),
        }
    }
    SPARE.lock().unwrap_or_else(PoisonError::into_inner).push(loaded);
}

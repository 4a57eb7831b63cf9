//! Every reason that a packet may be dropped for has its packet test.

use std::fs;
use std::path::Path;

use linkway_fabric::Reason;
use linkway_fabric::layout::{Flow, FlowKey, address};

use crate::frame::{Frame, SYN};
use crate::world::*;

/// The enum's name of it, such as `DROP_NO_ROUTE`.
fn name_in_c(reason: Reason) -> String {
    let letters = reason.name().chars().flat_map(|letter| {
        let before = if letter.is_ascii_uppercase() { "_" } else { "" };
        before.chars().chain([letter.to_ascii_uppercase()])
    });
    format!("DROP{}", letters.collect::<String>())
}

/// The tests assert counters by `assert_drops`, whole: so a reason that one of them names there was met.
#[test]
fn every_reason_is_asserted_by_a_test() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packets");
    let files = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    let texts: Vec<String> = files.map(|path| fs::read_to_string(path).unwrap()).collect();
    let asserted = |reason: &Reason| {
        let row = format!("::{},", name_in_c(*reason));
        let met = |text: &String| text.split("assert_drops(").skip(1).any(|rest| rest.contains(&row));
        texts.iter().any(met)
    };
    let missing: Vec<_> = Reason::all().filter(|reason| !asserted(reason)).collect();
    assert_eq!(missing, [], "reasons without a packet test");
}

/// Where nothing is translated there is no other port to try.
#[test]
fn a_key_that_answers_would_have_but_that_is_anothers() {
    let world = World::new();
    let key = FlowKey {
        vpc: CONSUMER,
        protocol: 6,
        source: address(NEIGHBOUR_IP),
        destination: address(CLIENT_IP),
        source_port: 80u16.to_be(),
        destination_port: 40000u16.to_be(),
        ..FlowKey::default()
    };
    let flow = Flow { seen: u64::MAX / 2, idle_seconds: 350, sender: NEIGHBOUR, ..Flow::default() };
    world.put(&world.skeleton.maps.flows, &key, &flow);
    let syn = Frame::tcp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 80), SYN);
    assert_eq!(world.send(CLIENT, &syn), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_FLOW_TABLE_BUSY, 1)]);
    assert_eq!(world.flows().len(), 1, "and it stays");
    assert_eq!(world.share(CLIENT), (0, 0));
}

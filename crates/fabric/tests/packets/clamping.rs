//! The maximum segment size that both ends of a connection through an endpoint announce.

use crate::frame::{ACK, Frame, PSH, SYN, Transport};
use crate::frame6::Frame6;
use crate::ipv6::{CLIENT_IP6, ENDPOINT_IP6, NODE_IP6, TARGET_IP6, dual_stack};
use crate::world::*;

const LIMIT: u16 = 8500 - 20 - 20;

fn mss(size: u16) -> [u8; 4] {
    let [high, low] = size.to_be_bytes();
    [2, 4, high, low]
}

/// The options that a SYN with these has at the target, and those that an answer with them has at the client. All
/// else is as it was, checksums included.
#[track_caller]
fn clamped(options: &[u8]) -> Vec<u8> {
    let world = World::new();
    let of = |frame: Frame| match frame.transport {
        Transport::Tcp { options, .. } => options,
        other => panic!("{other:?}"),
    };
    let syn = Frame::tcp((CLIENT_IP, 40000), (ENDPOINT_IP, 443), SYN).tcp_options(options);
    let there = of(world.send(CLIENT, &syn.payload(b"odd")).frame());
    let answer = Frame::tcp((TARGET_IP, 8443), (NODE_IP, 40000), SYN | ACK).tcp_options(options);
    let back = world.send(TARGET, &answer).frame();
    let expected = Frame::tcp((ENDPOINT_IP, 443), (CLIENT_IP, 40000), SYN | ACK).tcp_options(&there);
    assert_eq!(back, expected.macs(ROUTER_MAC, mac(CLIENT)), "both ways alike");
    world.assert_drops(&[]);
    assert_eq!(world.traffic(ENDPOINT), (1, 1, 1));
    there
}

#[test]
fn it_is_lowered_both_ways_to_what_the_endpoint_carries() {
    for (size, seen) in [(65495, LIMIT), (LIMIT + 1, LIMIT), (LIMIT, LIMIT), (1460, 1460), (0, 0)] {
        assert_eq!(clamped(&mss(size)), mss(seen));
    }
}

#[test]
fn wherever_among_the_options_it_is() {
    // As Linux sends them: SACK permitted, time stamps, window scale.
    let others = [4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 3, 7];
    assert_eq!(clamped(&[&mss(9000)[..], &others].concat()), [&mss(LIMIT)[..], &others].concat());
    assert_eq!(clamped(&[&others[..], &mss(9000)].concat()), [&others[..], &mss(LIMIT)].concat());
    // At an odd place, so that its bytes are of two words.
    for before in 1..=3 {
        let nothing = vec![1; before];
        let rest = vec![0; 4 - before];
        let with = |size| [&nothing[..], &mss(size), &rest].concat();
        assert_eq!(clamped(&with(0x5bcd)), with(LIMIT), "{before} bytes before it");
    }
    let last = |size| [&[1; 36][..], &mss(size)].concat();
    assert_eq!(clamped(&last(9000)), last(LIMIT), "at the end of the longest header");
    assert_eq!(clamped(&[1; 40]), [1; 40]);
    assert!(clamped(&[]).is_empty());
    let twice = [mss(9000), mss(9001)].concat();
    assert_eq!(clamped(&twice), [mss(LIMIT), mss(LIMIT)].concat(), "receivers go by the last one");
}

#[test]
fn options_that_make_no_sense_are_left_as_they_are() {
    for options in [
        vec![0, 2, 4, 0xff],                // after the end of all
        vec![7, 0, 2, 4, 0xff, 0xff, 1, 1], // of no length
        vec![7, 1, 2, 4, 0xff, 0xff, 1, 1], // shorter than itself
        vec![7, 9, 2, 4, 0xff, 0xff, 1, 1], // beyond the header
        vec![1, 1, 1, 2],                   // cut off before its length
        vec![1, 1, 2, 4],                   // cut off after it
        vec![2, 3, 0xff, 1],                // of another length
        vec![2, 6, 0xff, 0xff, 0xff, 0xff, 1, 1],
    ] {
        assert_eq!(clamped(&options), options);
    }
}

#[test]
fn only_a_syn_through_an_endpoint_is_touched() {
    let world = World::new();
    let options = mss(9000);
    let direct = Frame::tcp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 80), SYN).tcp_options(&options);
    assert_eq!(world.send(CLIENT, &direct).frame(), direct.macs(ROUTER_MAC, mac(NEIGHBOUR)));
    let balancer = Frame::tcp((SECOND_IP, 40000), (NODE_IP, 443), SYN).tcp_options(&options);
    let there = Frame::tcp((NODE_IP, 40000), (TARGET_IP, 8443), SYN).tcp_options(&options);
    assert_eq!(world.send(SECOND, &balancer).frame(), there.macs(ROUTER_MAC, mac(TARGET)));
    world.send(CLIENT, &Frame::tcp((CLIENT_IP, 40001), (ENDPOINT_IP, 443), SYN)).frame();
    let later = Frame::tcp((CLIENT_IP, 40001), (ENDPOINT_IP, 443), ACK | PSH).tcp_options(&options);
    let there = Frame::tcp((NODE_IP, 40001), (TARGET_IP, 8443), ACK | PSH).tcp_options(&options);
    assert_eq!(world.send(CLIENT, &later).frame(), there.macs(ROUTER_MAC, mac(TARGET)));
    world.assert_drops(&[]);
}

#[test]
fn towards_the_gateway_too() {
    let world = World::new();
    let syn = Frame::tcp((CLIENT_IP, 40000), (AWS_IP, 443), SYN).tcp_options(&mss(9000));
    let there = Frame::tcp((SERVICE_CLIENT_IP, 40000), (SERVICE_AWS_IP, 443), SYN).tcp_options(&mss(LIMIT));
    assert_eq!(world.send(CLIENT, &syn).frame(), there.macs(ROUTER_MAC, mac(SERVICE)));
}

#[test]
fn less_of_ipv6_whose_header_is_longer() {
    let world = dual_stack();
    let syn = |from, to, size| {
        let mut frame = Frame6::tcp(from, to, SYN);
        let Transport::Tcp { options, .. } = &mut frame.transport else { unreachable!() };
        *options = mss(size).to_vec();
        frame
    };
    let sent = syn((CLIENT_IP6, 40000), (ENDPOINT_IP6, 443), 9000).macs(mac(CLIENT), ROUTER_MAC);
    let Outcome::Sent(seen) = world.send_bytes(CLIENT, &sent.bytes()) else { panic!("it was dropped") };
    let there = syn((NODE_IP6, 40000), (TARGET_IP6, 8443), 8500 - 40 - 20);
    assert_eq!(Frame6::read(&seen), there.macs(ROUTER_MAC, mac(TARGET)));
}

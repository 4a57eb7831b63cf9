//! Security groups and their rules.

use super::*;

#[test]
fn an_interface_with_the_same_groups_in_another_order_has_the_same_set() {
    let mut state = State::default();
    let vpc = state.vpc("10.0.0.0/16");
    let subnet = state.subnet(&vpc, "10.0.3.0/24", 'a');
    let (one, two) = (state.group(&vpc), state.group(&vpc));
    let first = state.interface(&subnet, "10.0.3.4", &[&one, &two], InterfaceRole::Available);
    let second = state.interface(&subnet, "10.0.3.5", &[&two, &one], InterfaceRole::Available);
    let third = state.interface(&subnet, "10.0.3.6", &[&two], InterfaceRole::Available);

    let tables = compiled(&state);
    let set = |id| tables.interfaces[&state.number(id)].groups;
    assert_eq!(set(&first), set(&second));
    assert_ne!(set(&first), set(&third));
    let member = |set, group| {
        let group = state.get::<SecurityGroup>(group).number;
        tables.members.contains_key(&MemberKey { groups: set, group, pad: 0 })
    };
    assert!(member(set(&first), &one) && member(set(&first), &two) && member(set(&third), &two));
    assert!(!member(set(&third), &one));
}

#[test]
fn rules_come_in_the_order_of_their_numbers_with_those_of_all_groups() {
    let mut state = State::default();
    let vpc = state.vpc("10.0.0.0/16");
    let subnet = state.subnet(&vpc, "10.0.3.0/24", 'a');
    let (one, two) = (state.group(&vpc), state.group(&vpc));
    let eni = state.interface(&subnet, "10.0.3.4", &[&two, &one], InterfaceRole::Available);
    let ids: Vec<_> = (0..19)
        .map(|n| {
            state.rule(
                if n % 2 == 0 { &one } else { &two },
                Direction::Ingress,
                tcp(n, n),
                cidr("10.0.0.0/8"),
            )
        })
        .collect();
    state.rule(&one, Direction::Egress, anything(), cidr("0.0.0.0/0"));

    let tables = compiled(&state);
    let numbers: Vec<u32> =
        rules(&state, &tables, &eni, rule_direction::RULE_INGRESS).iter().map(|rule| rule.id).collect();
    let expected: Vec<u32> = ids.iter().map(|id| state.get::<SecurityGroupRule>(id).number).collect();
    assert_eq!(numbers, expected);
    assert_eq!(rules(&state, &tables, &eni, rule_direction::RULE_EGRESS).len(), 1);
}

#[test]
fn rules_say_what_the_api_said() {
    let mut state = State::default();
    let vpc = state.vpc("10.0.0.0/16");
    let subnet = state.subnet(&vpc, "10.0.3.0/24", 'a');
    let (group, peer, gone) = (state.group(&vpc), state.group(&vpc), state.group(&vpc));
    let eni = state.interface(&subnet, "10.0.3.4", &[&group], InterfaceRole::Available);
    let traffic = |protocol, from, to| Traffic { protocol, from, to };
    let mut add = |traffic, peer| {
        state.rule(&group, Direction::Ingress, traffic, peer);
    };
    add(tcp(80, 443), cidr("10.1.2.3/16"));
    add(traffic(Some(UDP), Some(-1), Some(-1)), Peer::Group(peer.clone()));
    add(traffic(Some(1), Some(8), Some(-1)), cidr("0.0.0.0/0"));
    add(traffic(Some(1), Some(-1), Some(-1)), cidr("0.0.0.0/0"));
    add(traffic(Some(47), None, None), cidr("192.0.2.1/32"));
    // Nothing can match these: the group is gone; and protocol 0, which is not "any".
    add(anything(), Peer::Group(gone.clone()));
    add(traffic(Some(0), None, None), cidr("0.0.0.0/0"));
    add(anything(), cidr("::/0"));
    add(anything(), cidr("2001:db8::1/32"));
    state.remove::<SecurityGroup>(&gone);

    let tables = compiled(&state);
    let rules = rules(&state, &tables, &eni, rule_direction::RULE_INGRESS);
    let seen: Vec<_> = rules.iter().map(|rule| (rule.protocol, rule.from, rule.to, rule.prefix)).collect();
    assert_eq!(
        seen,
        [
            (TCP, 80, 443, 96 + 16),
            (UDP, 0, 0xffff, 0),
            (1, 8, 0xffff, 96),
            (1, 0xffff, 0xffff, 96),
            (47, 0, 0xffff, 128),
            (0, 0, 0xffff, 0),
            (0, 0, 0xffff, 32),
        ]
    );
    assert_eq!(layout::ip(&rules[0].address), ip("10.1.0.0").to_ipv6_mapped(), "the range's own address");
    assert_eq!(layout::ip(&rules[6].address).to_string(), "2001:db8::");
    assert_eq!(rules[1].peer, peer_kind::PEER_GROUP.0 as u8);
    assert_eq!(rules[1].group, state.get::<SecurityGroup>(&peer).number);
}

#[test]
fn a_rule_towards_a_prefix_list_is_a_rule_towards_each_of_its_ranges() {
    let mut state = State::default();
    let vpc = state.vpc("10.0.0.0/16");
    let subnet = state.subnet(&vpc, "10.0.0.0/24", 'a');
    let sg = state.group(&vpc);
    let eni = state.interface(&subnet, "10.0.0.4", &[&sg], InterfaceRole::Available);
    let list = state.prefix_list(&["10.1.0.0/16", "192.0.2.0/24"]);
    state.rule(&sg, Direction::Ingress, tcp(443, 443), Peer::PrefixList(list.clone()));
    let s3 = "pl-63a5400a".parse().unwrap();
    state.rule(&sg, Direction::Ingress, tcp(80, 80), Peer::PrefixList(s3));
    let seen = |state: &State| -> Vec<_> {
        let rules = rules(state, &compiled(state), &eni, rule_direction::RULE_INGRESS);
        rules.iter().map(|rule| (rule.from, layout::ip(&rule.address), rule.prefix, rule.peer)).collect()
    };
    let range = |port: u16, address: &str, prefix: u32| {
        (port, ip(address).to_ipv6_mapped(), 96 + prefix, peer_kind::PEER_CIDR.0 as u8)
    };
    let of_s3 = [range(80, "3.5.0.0", 19), range(80, "52.216.0.0", 15), range(80, "54.231.0.0", 16)];
    let own = [range(443, "10.1.0.0", 16), range(443, "192.0.2.0", 24)];
    assert_eq!(seen(&state), [own.as_slice(), &of_s3].concat());
    // A list that changes changes the rule; one that is gone lets nobody in.
    state.change::<PrefixList>(&list, |list| list.versions[0].entries.truncate(1));
    assert_eq!(seen(&state), [&own[..1], &of_s3].concat());
    state.remove::<PrefixList>(&list);
    assert_eq!(seen(&state), of_s3);
}

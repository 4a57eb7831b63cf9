//! Network ACLs and route tables in the way of an endpoint.

use linkway_model::network_acl::{NetworkAcl, NetworkAclEntry};
use linkway_model::route_table::{Route, RouteTable, RouteTarget};

use super::*;

/// An entry: its number, whether it is about what leaves, whether it allows, and the ports of TCP.
type Entry = (i32, bool, bool, (u16, u16));

impl Rds {
    /// Give the subnet of this number an ACL.
    fn acl(&mut self, subnet: usize, entries: &[Entry]) -> NetworkAclId {
        let id = NetworkAclId::random();
        let entry = |(number, egress, allow, ports): &Entry| NetworkAclEntry {
            number: *number,
            egress: *egress,
            protocol: Some(6),
            cidr: "0.0.0.0/0".parse().unwrap(),
            allow: *allow,
            ports: Some(*ports),
            icmp: None,
        };
        self.world.put(NetworkAcl {
            id: id.clone(),
            owner: "123456789012".parse().unwrap(),
            region: "us-east-1".into(),
            vpc: self.vpc.clone(),
            is_default: false,
            entries: entries.iter().map(entry).collect(),
            tags: Tags::new(),
        });
        let subnet = self.subnets[subnet].clone();
        self.world.change::<Subnet>(&subnet, |subnet| subnet.network_acl.1 = id.clone());
        id
    }
}

const ANY: (u16, u16) = (0, u16::MAX);

#[test]
fn an_acl_in_the_way_is_told_with_the_entry_that_decides() {
    let mut rds = Rds::new();
    // The first zone's interface is in the sender's own subnet, where no ACL is asked.
    let acl = rds.acl(1, &[(50, false, false, (443, 443)), (100, false, true, ANY), (100, true, true, ANY)]);
    let found = rds.only("acl-closed");
    assert_eq!(found.severity, Severity::Warning);
    let told = format!("{acl} denies tcp 443 in from 10.0.1.5 by its entry 50");
    assert!(found.message.starts_with(&told), "{}", found.message);
    let command = format!(
        "aws --region us-east-1 ec2 create-network-acl-entry --network-acl-id {acl} --ingress --rule-number 49 \
         --protocol 6 --port-range From=443,To=443 --cidr-block 10.0.1.5/32 --rule-action allow"
    );
    assert_eq!(found.command, Some(command));
}

#[test]
fn answers_need_all_of_the_ports_that_clients_send_from() {
    let mut rds = Rds::new();
    let entries = [(100, false, true, (443, 443)), (100, true, true, (1024, 65535))];
    rds.acl(1, &entries);
    assert_eq!(rds.findings(), []);
    for ports in [(1024, 50000), (40000, 65535), (443, 443)] {
        let acl = rds.acl(1, &[entries[0], (100, true, true, ports)]);
        let found = rds.only("acl-closed");
        let told = format!("{acl} denies answers to tcp");
        assert!(found.message.starts_with(&told), "{}", found.message);
        assert!(found.message.contains("by its entry *"), "{}", found.message);
        assert!(found.command.unwrap().contains("--egress --rule-number 32766"));
    }
    // A hole in the middle.
    let acl = rds.acl(1, &[entries[0], (10, true, false, (41000, 41010)), entries[1]]);
    let found = rds.only("acl-closed");
    assert!(found.message.contains(&format!("{acl} denies answers")), "{}", found.message);
    assert!(found.message.contains("by its entry 10"), "{}", found.message);
}

#[test]
fn a_route_that_leads_astray_is_told_and_where_all_are_stopped_it_is_an_error() {
    let mut rds = Rds::new();
    let id = RouteTableId::random();
    rds.world.put(RouteTable {
        id: id.clone(),
        owner: "123456789012".parse().unwrap(),
        region: "us-east-1".into(),
        vpc: rds.vpc.clone(),
        main_association: None,
        associations: vec![(RouteTableAssociationId::random(), rds.subnets[0].clone())],
        routes: vec![Route {
            destination: "10.0.2.0/24".parse().unwrap(),
            target: RouteTarget::NetworkInterface(NetworkInterfaceId::random()),
        }],
        tags: Tags::new(),
    });
    let found = rds.only("route-astray");
    assert_eq!(found.severity, Severity::Warning);
    assert!(found.message.starts_with(&format!("{id} has a route there whose target is gone")));
    let command = format!(
        "aws --region us-east-1 ec2 delete-route --route-table-id {id} --destination-cidr-block 10.0.2.0/24"
    );
    assert_eq!(found.command, Some(command));
    rds.change(|endpoint| drop(endpoint.subnets.remove(0)));
    let found = rds.ids();
    assert!(found.contains(&(Severity::Error, "route-astray".into())), "{found:?}");
}

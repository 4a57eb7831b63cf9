//! DNS.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};

use linkway_resolver::{Resolver, Settings, fuzzing};

use crate::api::World;

/// First address of the client range.
const CLIENTS: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 0);
/// The longest reply by UDP.
const UDP_PAYLOAD: usize = 4096;

/// What the VPC of whoever asks has: names of instances, of an endpoint and of a balancer.
const STATE: &str = "\
ec2 Action=CreateVpc&CidrBlock=10.0.0.0/16
ec2 Action=ModifyVpcAttribute&VpcId={vpc-}&EnableDnsHostnames.Value=true
ec2 Action=CreateSubnet&VpcId={vpc-}&CidrBlock=10.0.0.0/24&AvailabilityZone=us-east-1a
ec2 Action=CreateNetworkInterface&SubnetId={subnet-}&PrivateIpAddress=10.0.0.10
ec2 Action=CreateVpcEndpoint&VpcId={vpc-}&VpcEndpointType=Interface&ServiceName=com.amazonaws.us-east-1.rds&SubnetId.1={subnet-}&PrivateDnsEnabled=true
elasticloadbalancing Action=CreateLoadBalancer&Version=2015-12-01&Name=db&Type=network&Scheme=internal&Subnets.member.1={subnet-}";

fn as_ipv4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

static RESOLVER: LazyLock<(Resolver, IpAddr)> = LazyLock::new(|| {
    let state = World::with(STATE).store.snapshot();
    let client = state.network_interfaces.values().map(|interface| interface.number).min();
    let client = u32::from(CLIENTS) + client.expect("the script makes an interface");
    let resolver = Resolver::new(Settings { upstream: None, client_base: CLIENTS, as_ipv4 });
    resolver.publish(Arc::clone(&state));
    (resolver, IpAddr::V4(client.into()))
});

/// Answers a message that comes from an interface in a VPC; then, if it is a query, takes the same message for an
/// upstream's answer to it. The first byte says how it comes: odd, by TCP.
///
/// What is sent back is a response, under the query's id, and by UDP no longer than the client takes.
pub fn dns(bytes: &[u8]) {
    let Some((first, packet)) = bytes.split_first() else { return };
    let by_tcp = first & 1 != 0;
    let (resolver, client) = &*RESOLVER;
    let mut answer = packet.to_vec();
    if let Some(flags) = answer.get_mut(2) {
        *flags |= 0x80;
    }
    let replies =
        [fuzzing::reply(resolver, packet, *client, by_tcp), fuzzing::relay(packet, &answer, by_tcp)];
    for reply in replies.into_iter().flatten() {
        assert_eq!(reply[..2], packet[..2], "another id");
        assert!(reply[2] & 0x80 != 0, "no response");
        assert!(by_tcp || reply.len() <= UDP_PAYLOAD, "{} bytes by UDP", reply.len());
    }
}

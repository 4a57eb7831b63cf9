//! A device of a workload's as its namespace has it: what is really there, whatever the state says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use futures_util::TryStreamExt;
use ipnet::IpNet;
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::address::{AddressAttribute, AddressMessage, AddressScope};
use rtnetlink::packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use rtnetlink::packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteType};
use rtnetlink::{Error, RouteMessageBuilder};

use crate::error::FabricError;
use crate::link::Netlink;

/// A device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its MAC address, such as `0a:6c:00:00:00:01`.
    pub mac: String,
    /// Its MTU in bytes.
    pub mtu: u32,
    /// Whether it is up.
    pub up: bool,
    /// Its addresses with the length of their subnet's prefix, but for those that are valid on the link only.
    pub addresses: Vec<IpNet>,
    /// Routes of the namespace's main table by which packets leave: by this device and by others.
    pub routes: Vec<Route>,
}

/// A way out of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// What it is the way to.
    pub destination: IpNet,
    /// The next hop.
    pub gateway: Option<IpAddr>,
    /// Whether it is by the device that was asked for.
    pub own: bool,
}

/// Look at a device of the namespace at `namespace`: `None` if it has none of this name. Takes CAP_SYS_ADMIN.
pub fn inspect(namespace: &Path, device: &str) -> Result<Option<Device>, FabricError> {
    let netlink = Netlink::open(namespace)?;
    netlink.run(format!("look at the device {device}"), async {
        let handle = &netlink.handle;
        let links: Vec<LinkMessage> = handle.link().get().execute().try_collect().await?;
        let name = LinkAttribute::IfName(device.to_owned());
        let Some(link) = links.into_iter().find(|link| link.attributes.contains(&name)) else {
            return Ok(None);
        };
        let index = link.header.index;
        let addresses = handle.address().get().set_link_index_filter(index).execute();
        let addresses: Vec<AddressMessage> = addresses.try_collect().await?;
        let four = RouteMessageBuilder::<Ipv4Addr>::new().build();
        let six = RouteMessageBuilder::<Ipv6Addr>::new().build();
        let mut routes: Vec<RouteMessage> = handle.route().get(four).execute().try_collect().await?;
        routes.extend(handle.route().get(six).execute().try_collect::<Vec<_>>().await?);
        Ok::<_, Error>(Some(Device {
            mac: link.attributes.iter().find_map(mac).unwrap_or_default(),
            mtu: link.attributes.iter().find_map(mtu).unwrap_or_default(),
            up: link.header.flags.contains(LinkFlags::Up),
            addresses: addresses.iter().filter_map(address).collect(),
            routes: routes.iter().filter_map(|message| route(message, index)).collect(),
        }))
    })
}

fn mac(attribute: &LinkAttribute) -> Option<String> {
    let LinkAttribute::Address(bytes) = attribute else { return None };
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"))
}

fn mtu(attribute: &LinkAttribute) -> Option<u32> {
    if let LinkAttribute::Mtu(mtu) = attribute { Some(*mtu) } else { None }
}

fn address(message: &AddressMessage) -> Option<IpNet> {
    if message.header.scope != AddressScope::Universe {
        return None;
    }
    // IPv4 has it as the local address, IPv6 as the only one.
    let local = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Local(address) => Some(*address),
        _ => None,
    });
    let address = local.or_else(|| {
        message.attributes.iter().find_map(|attribute| match attribute {
            AddressAttribute::Address(address) => Some(*address),
            _ => None,
        })
    })?;
    IpNet::new(address, message.header.prefix_len).ok()
}

fn route(message: &RouteMessage, device: u32) -> Option<Route> {
    if message.header.kind != RouteType::Unicast || table(message) != u32::from(libc::RT_TABLE_MAIN) {
        return None;
    }
    let (mut destination, mut gateway, mut own) = (None, None, false);
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(address) => destination = ip(address),
            RouteAttribute::Gateway(address) => gateway = ip(address),
            RouteAttribute::Oif(index) => own = *index == device,
            _ => {}
        }
    }
    // A default route has no destination.
    let any = match message.header.address_family {
        AddressFamily::Inet6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    };
    let length = message.header.destination_prefix_length;
    let destination = IpNet::new(destination.unwrap_or(any), length).ok()?;
    Some(Route { destination, gateway, own })
}

/// A route's table, which stands in the header if its number is small.
fn table(message: &RouteMessage) -> u32 {
    let long = message.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Table(table) => Some(*table),
        _ => None,
    });
    long.unwrap_or_else(|| u32::from(message.header.table))
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some(IpAddr::V4(*address)),
        RouteAddress::Inet6(address) => Some(IpAddr::V6(*address)),
        _ => None,
    }
}

//! Devices, addresses and routes of one network namespace, by rtnetlink.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use ipnet::{IpNet, Ipv4Net};
use linkway_model::network_interface::Mac;
use rtnetlink::packet_route::address::{AddressAttribute, AddressFlags, AddressMessage, CacheInfo};
use rtnetlink::packet_route::link::{InfoData, InfoVeth, LinkAttribute, LinkMessage, State};
use rtnetlink::packet_route::route::{RouteMessage, RouteScope, RouteType};
use rtnetlink::{Error, Handle, LinkMessageBuilder, LinkUnspec, LinkVeth, RouteMessageBuilder};
use tokio::runtime::{Builder, Runtime};

use crate::error::FabricError;
use crate::namespace;

/// AWS's MTU of an interface endpoint.
pub(crate) const MTU: u32 = 8500;

/// The loopback device's index, in every namespace.
pub(crate) const LOOPBACK: u32 = 1;

/// How long a device may take to notice that its other end is up, before we go on without.
const PATIENCE: Duration = Duration::from_secs(1);

/// The lifetime of an IPv6 address that has no end, in seconds (RFC 4861, 4.6.2).
const FOR_EVER: u32 = u32::MAX;

/// A device of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) mac: Vec<u8>,
    pub(crate) mtu: u32,
}

/// One end of a veth pair.
pub(crate) struct End<'a> {
    pub(crate) name: &'a str,
    pub(crate) mac: Mac,
}

/// An address of each family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Both {
    pub(crate) ipv4: Ipv4Addr,
    pub(crate) ipv6: Ipv6Addr,
}

/// A connection to the kernel's configuration of one namespace. The socket belongs to the namespace that it
/// was opened in, whichever thread uses it.
pub(crate) struct Netlink {
    runtime: Runtime,
    pub(crate) handle: Handle,
}

impl Netlink {
    /// For the namespace at `path`.
    pub(crate) fn open(path: &Path) -> Result<Self, FabricError> {
        namespace::enter(path, Self::here)
    }

    /// For the namespace that this thread is in.
    pub(crate) fn here() -> Result<Self, FabricError> {
        let socket = Path::new("a netlink socket");
        let runtime =
            Builder::new_current_thread().enable_io().build().map_err(FabricError::io("open", socket))?;
        let entered = runtime.enter();
        let (connection, handle, _) = rtnetlink::new_connection().map_err(FabricError::io("open", socket))?;
        drop(entered);
        runtime.spawn(connection);
        Ok(Self { runtime, handle })
    }

    /// All devices, by name.
    pub(crate) fn links(&self) -> Result<BTreeMap<String, Link>, FabricError> {
        self.run("list devices", async {
            let found: Vec<LinkMessage> = self.handle.link().get().execute().try_collect().await?;
            Ok(found.iter().filter_map(named).collect())
        })
    }

    /// A device by its name.
    pub(crate) fn link(&self, name: &str) -> Result<Option<Link>, FabricError> {
        Ok(self.links()?.remove(name))
    }

    /// Make a veth pair, both ends down: one end here, the other in the namespace at `path`.
    pub(crate) fn add_pair(&self, here: &End<'_>, there: &End<'_>, path: &Path) -> Result<(), FabricError> {
        let namespace = File::open(path).map_err(FabricError::io("open", path))?;
        let peer = LinkMessageBuilder::<LinkUnspec>::new()
            .name(there.name)
            .address(there.mac.0.to_vec())
            .mtu(MTU)
            .setns_by_fd(namespace.as_raw_fd())
            .build();
        let pair = LinkMessageBuilder::<LinkVeth>::new(here.name, there.name)
            .address(here.mac.0.to_vec())
            .mtu(MTU)
            .set_info_data(InfoData::Veth(InfoVeth::Peer(peer)))
            .build();
        self.run(
            format!("make the device {} in {}", there.name, path.display()),
            self.handle.link().add(pair).execute(),
        )
    }

    /// Remove a device, and with it the other end of its pair. No error if it is gone.
    pub(crate) fn delete(&self, index: u32) -> Result<(), FabricError> {
        self.run(format!("remove device {index}"), async {
            unless(libc::ENODEV, self.handle.link().del(index).execute().await)
        })
    }

    /// Set a device up.
    pub(crate) fn up(&self, index: u32) -> Result<(), FabricError> {
        let up = LinkMessageBuilder::<LinkUnspec>::new().index(index).up().build();
        self.run(format!("set device {index} up"), self.handle.link().set(up).execute())
    }

    /// Set a device's MTU.
    pub(crate) fn set_mtu(&self, index: u32, mtu: u32) -> Result<(), FabricError> {
        let link = LinkMessageBuilder::<LinkUnspec>::new().index(index).mtu(mtu).build();
        self.run(format!("set the MTU of device {index}"), self.handle.link().set(link).execute())
    }

    /// Wait until a device whose other end has just come up can send. Until the kernel has noticed, which it
    /// does in the background, what is sent there is lost: an answer to ARP, say, which costs a second.
    pub(crate) fn wait_until_running(&self, index: u32) -> Result<(), FabricError> {
        let start = Instant::now();
        loop {
            let found: Vec<LinkMessage> = self.run(format!("look at device {index}"), async {
                self.handle.link().get().match_index(index).execute().try_collect().await
            })?;
            let up = LinkAttribute::OperState(State::Up);
            if found.iter().any(|link| link.attributes.contains(&up)) || start.elapsed() > PATIENCE {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Give a device exactly these addresses, each with its network's prefix. Link-local ones of IPv6, which the
    /// kernel has made, stay.
    pub(crate) fn set_addresses(&self, index: u32, addresses: &[IpNet]) -> Result<(), FabricError> {
        self.run(format!("set the addresses of device {index}"), async {
            let request = self.handle.address().get().set_link_index_filter(index);
            let found: Vec<_> = request.execute().try_collect().await?;
            let first = addresses.iter().find(|address| matches!(address, IpNet::V6(_)));
            for address in addresses {
                self.add(index, *address, first == Some(address)).await?;
            }
            for message in found {
                let goes = address(&message).is_some_and(|there| {
                    !matches!(there, IpAddr::V6(there) if there.is_unicast_link_local())
                        && addresses.iter().all(|address| address.addr() != there)
                });
                if goes {
                    self.handle.address().del(message).execute().await?;
                }
            }
            Ok(())
        })
    }

    /// Give a device one more address, unless it has it.
    pub(crate) fn add_address(&self, index: u32, address: IpNet) -> Result<(), FabricError> {
        self.run(format!("give device {index} the address {address}"), self.add(index, address, true))
    }

    /// Nobody else has the address, so it is used without trying first. Of IPv6's, connections that name none come
    /// from the preferred one; of IPv4's from the first that was given.
    async fn add(&self, index: u32, address: IpNet, preferred: bool) -> Result<(), Error> {
        let mut request = self.handle.address().add(index, address.addr(), address.prefix_len());
        if matches!(address, IpNet::V6(_)) {
            let mut lifetime = CacheInfo::default();
            lifetime.ifa_valid = FOR_EVER;
            lifetime.ifa_preferred = if preferred { FOR_EVER } else { 0 };
            let attributes = &mut request.message_mut().attributes;
            attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
            attributes.push(AddressAttribute::CacheInfo(lifetime));
            request = request.replace();
        }
        unless(libc::EEXIST, request.execute().await)
    }

    /// Add a route by a gateway that is a neighbour on the device, unless there is one to the same range.
    pub(crate) fn add_route(
        &self,
        index: u32,
        destination: IpNet,
        gateway: Both,
        source: Option<Both>,
    ) -> Result<(), FabricError> {
        let route = route(index, destination, gateway, source);
        self.run(format!("add the route to {destination}"), async {
            unless(libc::EEXIST, self.handle.route().add(route).execute().await)
        })
    }

    /// Add a route to what is a neighbour on the device, unless there is one.
    pub(crate) fn add_direct_route(&self, index: u32, destination: Ipv4Net) -> Result<(), FabricError> {
        let route = RouteMessageBuilder::<Ipv4Addr>::new()
            .destination_prefix(destination.network(), destination.prefix_len())
            .output_interface(index)
            .scope(RouteScope::Link)
            .build();
        self.run(format!("add the route to {destination}"), async {
            unless(libc::EEXIST, self.handle.route().add(route).execute().await)
        })
    }

    /// Have this namespace answer at every address of a range.
    pub(crate) fn add_local_range(&self, range: IpNet) -> Result<(), FabricError> {
        let route = match range {
            IpNet::V4(range) => RouteMessageBuilder::<Ipv4Addr>::new()
                .destination_prefix(range.network(), range.prefix_len())
                .scope(RouteScope::Host)
                .output_interface(LOOPBACK)
                .table_id(u32::from(libc::RT_TABLE_LOCAL))
                .kind(RouteType::Local)
                .build(),
            IpNet::V6(range) => RouteMessageBuilder::<Ipv6Addr>::new()
                .destination_prefix(range.network(), range.prefix_len())
                .output_interface(LOOPBACK)
                .table_id(u32::from(libc::RT_TABLE_LOCAL))
                .kind(RouteType::Local)
                .build(),
        };
        self.run(format!("answer for {range}"), async {
            unless(libc::EEXIST, self.handle.route().add(route).execute().await)
        })
    }

    /// Say for good which MAC an address has.
    pub(crate) fn set_neighbour(&self, index: u32, ip: IpAddr, mac: Mac) -> Result<(), FabricError> {
        let neighbour = self.handle.neighbours().add(index, ip).link_layer_address(&mac.0).replace();
        self.run(format!("set the neighbour {ip}"), neighbour.execute())
    }

    pub(crate) fn run<T>(
        &self,
        action: impl Into<String>,
        request: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, FabricError> {
        self.runtime.block_on(request).map_err(FabricError::netlink(action))
    }
}

/// Whether a device takes part in IPv6. If it does, it believes no router and does not wait to see whether its
/// addresses are anybody else's, as tables say who has which. Call it in the device's namespace. Nothing to do where the
/// kernel has none.
pub(crate) fn set_ipv6(device: &str, enabled: bool) -> Result<(), FabricError> {
    for option in ["accept_ra", "autoconf", "accept_redirects", "accept_dad", "router_solicitations"] {
        set_option(&format!("ipv6/conf/{device}/{option}"), "0")?;
    }
    set_option(&format!("ipv6/conf/{device}/disable_ipv6"), if enabled { "0" } else { "1" })
}

/// Whether the kernel has IPv6 at all.
pub fn has_ipv6() -> bool {
    Path::new("/proc/sys/net/ipv6").exists()
}

/// Write a file under `/proc/sys/net`, which is that of this thread's namespace. No error if it is not there.
pub(crate) fn set_option(name: &str, value: &str) -> Result<(), FabricError> {
    let path = Path::new("/proc/sys/net").join(name);
    match fs::write(&path, value) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FabricError::io("write", &path)(error)),
        _ => Ok(()),
    }
}

/// Read a file under `/proc/sys/net`, which is that of this thread's namespace.
pub(crate) fn get_option(name: &str) -> Result<String, FabricError> {
    let path = Path::new("/proc/sys/net").join(name);
    fs::read_to_string(&path).map_err(FabricError::io("read", &path))
}

/// A route by a gateway on a device, in the main table.
pub(crate) fn route(index: u32, destination: IpNet, gateway: Both, source: Option<Both>) -> RouteMessage {
    match destination {
        IpNet::V4(destination) => {
            let route = RouteMessageBuilder::<Ipv4Addr>::new()
                .destination_prefix(destination.network(), destination.prefix_len())
                .gateway(gateway.ipv4)
                .output_interface(index)
                .onlink();
            source.map_or(route.clone(), |source| route.pref_source(source.ipv4)).build()
        }
        IpNet::V6(destination) => {
            let route = RouteMessageBuilder::<Ipv6Addr>::new()
                .destination_prefix(destination.network(), destination.prefix_len())
                .gateway(gateway.ipv6)
                .output_interface(index)
                .onlink();
            source.map_or(route.clone(), |source| route.pref_source(source.ipv6)).build()
        }
    }
}

/// The address itself: of a link to one peer, the near end's.
fn address(message: &AddressMessage) -> Option<IpAddr> {
    let local = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Local(address) => Some(*address),
        _ => None,
    });
    local.or_else(|| {
        message.attributes.iter().find_map(|attribute| match attribute {
            AddressAttribute::Address(address) => Some(*address),
            _ => None,
        })
    })
}

fn named(message: &LinkMessage) -> Option<(String, Link)> {
    let name = message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.clone()),
        _ => None,
    })?;
    let mac = message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::Address(mac) => Some(mac.clone()),
        _ => None,
    });
    let mtu = message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::Mtu(mtu) => Some(*mtu),
        _ => None,
    });
    let index = message.header.index;
    Some((name, Link { index, mac: mac.unwrap_or_default(), mtu: mtu.unwrap_or(MTU) }))
}

/// Success, if it failed only with this error number.
pub(crate) fn unless(number: i32, result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(Error::NetlinkError(message)) if message.raw_code() == -number => Ok(()),
        other => other,
    }
}

//! Routes by source: an instance's devices beside its first one answer by the way that a packet came.
//!
//! The first device has the default route. What leaves from another device's address must leave by that device, as
//! its sources are checked: a rule for each address leads to a table of the device's own.

use std::net::IpAddr;

use futures_util::TryStreamExt;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use rtnetlink::IpVersion;
use rtnetlink::packet_route::route::{RouteAttribute, RouteHeader, RouteMessage};
use rtnetlink::packet_route::rule::{RuleAction, RuleAttribute, RuleMessage};

use crate::error::FabricError;
use crate::link::{self, Both, Netlink, unless};

/// The table of an instance's device: beyond those that a distribution names.
pub(crate) fn table(device_index: i32) -> Option<u32> {
    u32::try_from(device_index).ok().filter(|index| *index > 0).map(|index| 1000 + index)
}

impl Netlink {
    /// Have exactly what leaves from `sources` go by `table`, whose routes are by gateways on a device.
    pub(crate) fn route_by_source(
        &self,
        index: u32,
        gateway: Both,
        table: u32,
        sources: &[IpAddr],
    ) -> Result<(), FabricError> {
        self.run(format!("route what leaves by device {index}"), async {
            for everything in [IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())] {
                if sources.iter().any(|source| source.is_ipv4() == everything.addr().is_ipv4()) {
                    let mut route = link::route(index, everything, gateway, None);
                    in_table(&mut route, table);
                    unless(libc::EEXIST, self.handle.route().add(route).replace().execute().await)?;
                }
            }
            let mut ours: Vec<RuleMessage> = Vec::new();
            for version in [IpVersion::V4, IpVersion::V6] {
                let rules = self.handle.rule().get(version).execute();
                let rules: Vec<RuleMessage> = rules.try_collect().await?;
                ours.extend(rules.into_iter().filter(|rule| is_of(rule, table)));
            }
            let there: Vec<_> = ours.iter().filter_map(source).collect();
            for source in sources.iter().filter(|source| !there.contains(source)) {
                let rule =
                    self.handle.rule().add().table_id(table).priority(table).action(RuleAction::ToTable);
                match source {
                    IpAddr::V4(source) => rule.v4().source_prefix(*source, 32).execute().await?,
                    IpAddr::V6(source) => rule.v6().source_prefix(*source, 128).execute().await?,
                }
            }
            for rule in ours {
                if source(&rule).is_none_or(|source| !sources.contains(&source)) {
                    self.handle.rule().del(rule).execute().await?;
                }
            }
            Ok(())
        })
    }
}

/// Puts a route of the main table into another one.
fn in_table(route: &mut RouteMessage, table: u32) {
    route.header.table = RouteHeader::RT_TABLE_UNSPEC;
    route.attributes.push(RouteAttribute::Table(table));
}

fn is_of(rule: &RuleMessage, table: u32) -> bool {
    rule.attributes.contains(&RuleAttribute::Table(table))
}

fn source(rule: &RuleMessage) -> Option<IpAddr> {
    rule.attributes.iter().find_map(|attribute| match attribute {
        RuleAttribute::Source(source) => Some(*source),
        _ => None,
    })
}

//! Routes by source: an instance's devices beside its first one answer by the way that a packet came.
//!
//! The first device has the default route. What leaves from another device's address must leave by that device, as
//! its sources are checked: a rule for each address leads to a table of the device's own.

use std::net::{IpAddr, Ipv4Addr};

use futures_util::TryStreamExt;
use rtnetlink::packet_route::rule::{RuleAction, RuleAttribute, RuleMessage};
use rtnetlink::{IpVersion, RouteMessageBuilder};

use crate::error::FabricError;
use crate::link::{Netlink, unless};

/// The table of an instance's device: beyond those that a distribution names.
pub(crate) fn table(device_index: i32) -> Option<u32> {
    u32::try_from(device_index).ok().filter(|index| *index > 0).map(|index| 1000 + index)
}

impl Netlink {
    /// Have exactly what leaves from `sources` go by `table`, whose one route is by a gateway on a device.
    pub(crate) fn route_by_source(
        &self,
        index: u32,
        gateway: Ipv4Addr,
        table: u32,
        sources: &[Ipv4Addr],
    ) -> Result<(), FabricError> {
        let route = RouteMessageBuilder::<Ipv4Addr>::new()
            .destination_prefix(Ipv4Addr::UNSPECIFIED, 0)
            .gateway(gateway)
            .output_interface(index)
            .table_id(table)
            .onlink()
            .build();
        self.run(format!("route what leaves by device {index}"), async {
            unless(libc::EEXIST, self.handle.route().add(route).replace().execute().await)?;
            let rules = self.handle.rule().get(IpVersion::V4).execute();
            let rules: Vec<RuleMessage> = rules.try_collect().await?;
            let ours: Vec<_> = rules.into_iter().filter(|rule| is_of(rule, table)).collect();
            let there: Vec<_> = ours.iter().filter_map(source).collect();
            for source in sources.iter().filter(|source| !there.contains(source)) {
                let rule = self.handle.rule().add().v4().source_prefix(*source, 32).table_id(table);
                rule.action(RuleAction::ToTable).priority(table).execute().await?;
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

fn is_of(rule: &RuleMessage, table: u32) -> bool {
    rule.attributes.contains(&RuleAttribute::Table(table))
}

fn source(rule: &RuleMessage) -> Option<Ipv4Addr> {
    rule.attributes.iter().find_map(|attribute| match attribute {
        RuleAttribute::Source(IpAddr::V4(source)) => Some(*source),
        _ => None,
    })
}

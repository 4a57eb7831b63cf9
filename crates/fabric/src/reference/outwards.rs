//! What leaves a VPC: by an internet gateway, or through a NAT gateway and by an internet gateway then.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;

use crate::layout::{self, Interface, PlaceKey};
use crate::programs::types::{drop_reason, endpoint_state, interface_kind, place_flag};
use crate::ranges;

use super::between::{End, Hop, OUTSIDE};
use super::{Delivery, Judge, Way};

impl Judge<'_> {
    /// A NAT gateway sends on as itself, where the route table of its own subnet leads to an internet gateway or to a
    /// gateway endpoint.
    pub(super) fn through_nat(
        &self,
        vpc: u32,
        hop: Hop,
        (number, nat): (u32, &Interface),
    ) -> Result<Vec<Way>, drop_reason> {
        if self.packet.destination.is_ipv6() {
            return Err(drop_reason::DROP_NO_UPLINK);
        }
        let onwards = self.redirected(Hop {
            from: End { number, subnet: nat.subnet },
            to: None,
            source: layout::either_ip(&nat.address),
            destination: self.packet.destination,
        });
        self.cross(&onwards, self.rule_port())?;
        let to = onwards.to.ok_or(drop_reason::DROP_NO_UPLINK)?;
        let gateway = self.tables.interfaces.get(&to.number);
        match gateway.map(|gateway| interface_kind(gateway.kind.into())) {
            Some(interface_kind::INTERFACE_ENDPOINT) if to.subnet == OUTSIDE && self.is_open(number) => {
                self.endpoint(number, &[hop, onwards], to.number)
            }
            Some(interface_kind::INTERFACE_INTERNET) => {
                self.out(vpc, &[hop, onwards], number, onwards.source).map(|delivery| vec![Ok(delivery)])
            }
            _ => Err(drop_reason::DROP_NO_UPLINK),
        }
    }

    /// Through the gateway of this number, from a private address that an elastic one has to stand for. To the
    /// internet only, and only where there is an uplink.
    pub(super) fn out(
        &self,
        vpc: u32,
        hops: &[Hop],
        gateway: u32,
        source: IpAddr,
    ) -> Result<Delivery, drop_reason> {
        let settings = &self.tables.settings;
        let IpAddr::V4(destination) = self.packet.destination else {
            return Err(drop_reason::DROP_NO_UPLINK);
        };
        if ranges::PRIVATE
            .iter()
            .any(|(network, prefix)| Ipv4Net::new_assert(*network, *prefix).contains(&destination))
        {
            return Err(drop_reason::DROP_PRIVATE_DESTINATION);
        }
        if settings.uplink_device == 0 || !self.is_open(gateway) {
            return Err(drop_reason::DROP_NO_UPLINK);
        }
        if !self.is_public(vpc, source) {
            return Err(drop_reason::DROP_NO_PUBLIC_ADDRESS);
        }
        Ok(Delivery {
            device: settings.uplink_device,
            mac: settings.uplink_mac,
            source: Ipv4Addr::from(settings.uplink_source.to_ne_bytes()).into(),
            destination: destination.into(),
            port: self.port().unwrap_or(0),
            answer: self.answer(hops),
        })
    }

    /// Whether packets may go through the gateway of this number.
    fn is_open(&self, gateway: u32) -> bool {
        let way = self.tables.endpoints.get(&gateway);
        way.is_some_and(|way| way.state == endpoint_state::ENDPOINT_AVAILABLE.0)
    }

    /// Whether an elastic address stands for an address of a VPC.
    fn is_public(&self, vpc: u32, source: IpAddr) -> bool {
        let place = self.tables.places.get(&PlaceKey { vpc, address: layout::address(source) });
        place.is_some_and(|place| place.flags & place_flag::PLACE_PUBLIC.0 != 0)
    }
}

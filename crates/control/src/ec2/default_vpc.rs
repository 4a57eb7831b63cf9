//! What an account has in each region from the beginning: a default VPC with a subnet a zone, an internet gateway and a
//! route to it. Made when it is first asked for, and not again by itself.
//!
//! Source: the Amazon VPC User Guide, "Default VPCs".

use std::net::Ipv4Addr;
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net};
use linkway_model::account_region::AccountRegion;
use linkway_model::region::{Region, Zone};
use linkway_model::route_table::{Route, RouteTable, RouteTarget};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::{Snapshot, Tags};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    CreateDefaultSubnetRequest, CreateDefaultSubnetResult, CreateDefaultVpcRequest, CreateDefaultVpcResult,
    Vpc as VpcShape,
};

use crate::ec2::{cidr, dhcp_options, internet_gateway, subnet, vpc};
use crate::error::NetworkError;
use crate::lookup::Owned;
use crate::{Caller, Control, Error};

/// Prefix length of a default subnet.
const SUBNET: u8 = 20;

/// The range of every default VPC.
fn range() -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(172, 31, 0, 0), 16)
}

/// The caller's default VPC, if it has one.
pub(crate) fn of<'a>(state: &'a Snapshot, caller: &Caller) -> Option<&'a Arc<Vpc>> {
    state.all::<Vpc>().find(|vpc| vpc.is_default && vpc.belongs_to(caller))
}

/// Give the caller what every account has in the region, unless that was done.
pub(crate) fn ensure(tx: &mut Transaction, caller: &Caller) {
    if is_due(tx, caller) {
        tx.put(AccountRegion { key: AccountRegion::key_of(&caller.account, &caller.region) });
        make(tx, caller);
    }
}

fn is_due(state: &Snapshot, caller: &Caller) -> bool {
    Region::find(&caller.region).is_some()
        && state.get::<AccountRegion>(AccountRegion::key_of(&caller.account, &caller.region)).is_none()
}

impl Control {
    /// The state, for an operation that only reads and shows what the account has in the region from the beginning.
    pub(crate) fn read_given(&self, caller: &Caller, dry_run: Option<bool>) -> Result<Arc<Snapshot>, Error> {
        let state = self.read(dry_run)?;
        if !is_due(&state, caller) {
            return Ok(state);
        }
        let given = self.write(None, |tx| {
            ensure(tx, caller);
            Ok(())
        });
        // A disk that takes nothing more does not keep anybody from reading what there is.
        if let Err(error) = given {
            tracing::warn!(%error, "the default VPC could not be written");
        }
        self.read(dry_run)
    }
}

fn make(tx: &mut Transaction, caller: &Caller) -> Arc<Vpc> {
    let made = vpc::found(tx, caller, range(), "default".into(), Tags::new());
    tx.update::<Vpc>(&made.id, |vpc| {
        vpc.is_default = true;
        vpc.enable_dns_hostnames = true;
    });
    let gateway = internet_gateway::write(tx, caller, Some(made.id.clone()), Tags::new());
    let everywhere = Route {
        destination: IpNet::V4(Ipv4Net::default()),
        target: RouteTarget::InternetGateway(gateway.id),
    };
    tx.update::<RouteTable>(&made.main_route_table, |table| table.routes.push(everywhere));
    let zones = Region::find(&caller.region).map_or(&[][..], |region| region.zones);
    let vpc = tx.get::<Vpc>(&made.id).cloned().unwrap_or_else(|| Arc::new(made));
    for zone in zones {
        // There is room: no region has as many zones as the range has parts.
        if let Some(range) = free(tx, &vpc) {
            write_subnet(tx, &vpc, zone, range);
        }
    }
    vpc
}

/// The first part of a default VPC's range that no subnet has.
fn free(state: &Snapshot, vpc: &Vpc) -> Option<Ipv4Net> {
    let mut parts = vpc.cidrs.first()?.cidr.subnets(SUBNET).ok()?;
    parts.find(|part| {
        !state.all::<Subnet>().any(|other| other.vpc == vpc.id && cidr::overlap(other.cidr, *part))
    })
}

fn write_subnet(tx: &mut Transaction, vpc: &Vpc, zone: &Zone, range: Ipv4Net) -> Subnet {
    let subnet = Subnet {
        default_for_az: true,
        map_public_ip_on_launch: true,
        ..subnet::new(vpc, zone, range, Tags::new())
    };
    tx.put(subnet.clone());
    subnet
}

pub(crate) fn create_vpc(
    control: &Control,
    caller: &Caller,
    input: CreateDefaultVpcRequest,
) -> Result<CreateDefaultVpcResult, Error> {
    control.write(input.dry_run, |tx| {
        // An account that has not asked before has one all the same.
        ensure(tx, caller);
        if of(tx, caller).is_some() {
            return Err(NetworkError::DefaultVpcExists.into());
        }
        dhcp_options::default(tx, caller);
        let vpc = make(tx, caller);
        let shape = VpcShape { state: Some("pending".into()), ..vpc::shape(&vpc) };
        Ok(CreateDefaultVpcResult { vpc: Some(shape) })
    })
}

pub(crate) fn create_subnet(
    control: &Control,
    caller: &Caller,
    input: CreateDefaultSubnetRequest,
) -> Result<CreateDefaultSubnetResult, Error> {
    if input.ipv6_native == Some(true) {
        return Err(Error::Unsupported("Subnets have one IPv4 CIDR block.".into()));
    }
    if input.availability_zone.is_none() && input.availability_zone_id.is_none() {
        return Err(Error::MissingParameter("AvailabilityZone"));
    }
    control.write(input.dry_run, |tx| {
        ensure(tx, caller);
        let vpc = Arc::clone(of(tx, caller).ok_or(NetworkError::NoDefaultVpc)?);
        let zone =
            subnet::zone(caller, input.availability_zone.as_deref(), input.availability_zone_id.as_deref())?;
        let present = tx
            .all::<Subnet>()
            .find(|other| other.vpc == vpc.id && other.default_for_az && other.zone == zone.name);
        if let Some(present) = present {
            let (subnet, zone) = (present.id.to_string(), zone.name.to_owned());
            return Err(NetworkError::DefaultSubnetExists { subnet, zone }.into());
        }
        let range = free(tx, &vpc).ok_or_else(|| Error::SubnetConflict(range().to_string()))?;
        let subnet = write_subnet(tx, &vpc, zone, range);
        Ok(CreateDefaultSubnetResult { subnet: Some(subnet::shape(tx, &subnet)) })
    })
}

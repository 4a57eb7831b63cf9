//! Where an instance is launched, and which interfaces it gets there.

use std::collections::{BTreeSet, HashMap};

use std::sync::Arc;

use linkway_model::instance_type::InstanceType;
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::region::{Region, Zone};
use linkway_model::security_group::SecurityGroup;
use linkway_model::subnet::Subnet;
use linkway_model::{AttachmentId, InstanceId, NetworkInterfaceId, Snapshot, SubnetId, Tags, Timestamp};
use linkway_store::Transaction;
use linkway_wire::ec2::{InstanceNetworkInterfaceSpecification, RunInstancesRequest};

use crate::ec2::default_vpc;
use crate::ec2::network_interface::{Asked, AskedIpv6, addresses_in};
use crate::error::InstanceError;
use crate::lookup::{Owned, named, own};
use crate::{Caller, Error};

/// The interfaces of a launch: the same for each instance of it.
pub(super) struct Plan<'a> {
    /// Where the first one is.
    pub(super) subnet: Arc<Subnet>,
    interfaces: Vec<Planned<'a>>,
}

struct Planned<'a> {
    index: i32,
    delete_on_termination: bool,
    kind: Kind<'a>,
}

enum Kind<'a> {
    New { subnet: Arc<Subnet>, asked: Asked<'a> },
    Given(Arc<NetworkInterface>),
}

impl<'a> Plan<'a> {
    /// Read the plan of a launch. `groups` are the groups that it names for the instance itself, as ids.
    pub(super) fn read(
        state: &Snapshot,
        caller: &Caller,
        input: &'a RunInstancesRequest,
        groups: &'a [String],
    ) -> Result<Self, Error> {
        let zone = placement_zone(caller, input)?;
        let interfaces = if input.network_interfaces.is_empty() {
            let subnet = match &input.subnet_id {
                Some(id) => Arc::clone(own::<Subnet>(state, caller, id)?),
                None => default_subnet(state, caller, zone)?,
            };
            let address = input.private_ip_address.as_deref();
            let ipv6 = AskedIpv6 {
                addresses: &input.ipv6_addresses,
                count: input.ipv6_address_count,
                primary: input.enable_primary_ipv6,
            };
            let asked = Asked { groups, description: None, address, addresses: &[], more: None, ipv6 };
            vec![Planned { index: 0, delete_on_termination: true, kind: Kind::New { subnet, asked } }]
        } else {
            check_instance_level(input)?;
            given(state, caller, zone, &input.network_interfaces)?
        };
        let plan = Self { subnet: first_subnet(state, &interfaces)?, interfaces };
        if zone.is_some_and(|zone| zone.name != plan.subnet.zone) {
            return Err(Error::InvalidParameterCombination(format!(
                "The availability zone of the subnet '{}' is {}, which is not the one of the placement.",
                plan.subnet.id, plan.subnet.zone
            )));
        }
        plan.check_places(state)?;
        Ok(plan)
    }

    /// All interfaces are in one VPC and zone.
    fn check_places(&self, state: &Snapshot) -> Result<(), Error> {
        for planned in &self.interfaces {
            let (vpc, zone) = match &planned.kind {
                Kind::New { subnet, .. } => (&subnet.vpc, Some(&subnet.zone)),
                Kind::Given(found) => {
                    (&found.vpc, state.get::<Subnet>(&found.subnet).map(|subnet| &subnet.zone))
                }
            };
            if *vpc != self.subnet.vpc {
                return Err(Error::InvalidParameterCombination(
                    "Network interface attachments may not cross VPC boundaries.".into(),
                ));
            }
            if zone != Some(&self.subnet.zone) {
                return Err(Error::InvalidParameterCombination(
                    "All network interfaces of an instance must be in the same availability zone.".into(),
                ));
            }
        }
        Ok(())
    }

    /// What cannot be the same for several instances is not there, and each has no more than its type allows.
    pub(super) fn check(&self, instances: i32, found: &InstanceType) -> Result<(), Error> {
        if self.interfaces.len() > found.interfaces {
            let count = self.interfaces.len();
            return Err(Error::AttachmentLimitExceeded { count, of: found.name.into() });
        }
        for planned in &self.interfaces {
            let (addresses, single) = match &planned.kind {
                Kind::New { subnet, asked } => {
                    let (primary, secondary) = asked.addresses()?;
                    let more = usize::try_from(asked.more.unwrap_or(0)).unwrap_or(usize::MAX);
                    let count = secondary.len().saturating_add(more).saturating_add(1);
                    let single = primary.is_some() || !secondary.is_empty() || asked.ipv6.names_addresses();
                    (count.max(asked.ipv6.count_in(subnet)?), single)
                }
                Kind::Given(interface) => {
                    (interface.addresses().count().max(interface.ipv6_addresses.len()), true)
                }
            };
            if addresses > found.addresses {
                return Err(Error::PrivateIpAddressLimitExceeded);
            }
            if single && instances > 1 {
                return Err(Error::InvalidParameterCombination(
                    "Private IP addresses and network interface IDs may be specified for one instance only."
                        .into(),
                ));
            }
        }
        Ok(())
    }

    /// For how many instances the subnets have addresses.
    pub(super) fn room(&self, state: &Snapshot) -> usize {
        let mut needs = HashMap::<&SubnetId, (usize, &Subnet)>::new();
        for planned in &self.interfaces {
            if let Kind::New { subnet, asked } = &planned.kind {
                let more = usize::try_from(asked.more.unwrap_or(0)).unwrap_or(0);
                needs.entry(&subnet.id).or_insert((0, subnet)).0 += 1 + more + asked.addresses.len();
            }
        }
        let room = |(need, subnet): &(usize, &Subnet)| {
            subnet.usable().count().saturating_sub(addresses_in(state, subnet).len()) / need
        };
        needs.values().map(room).min().unwrap_or(usize::MAX)
    }

    /// Make an instance's interfaces, or take those that are there. Returns the one at device index 0.
    pub(super) fn make(
        &self,
        tx: &mut Transaction,
        caller: &Caller,
        instance: &InstanceId,
        now: Timestamp,
        tags: &Tags,
    ) -> Result<NetworkInterfaceId, Error> {
        let mut first = None;
        for planned in &self.interfaces {
            let role = InterfaceRole::Instance {
                instance: instance.clone(),
                attachment: AttachmentId::random(),
                device_index: planned.index,
                attached: now,
                delete_on_termination: planned.delete_on_termination,
            };
            let id = match &planned.kind {
                Kind::New { subnet, asked } => asked.make(tx, caller, subnet, role, now, tags.clone())?.id,
                Kind::Given(interface) => {
                    tx.update::<NetworkInterface>(&interface.id, |interface| interface.role = role);
                    interface.id.clone()
                }
            };
            if planned.index == 0 {
                first = Some(id);
            }
        }
        first.ok_or_else(|| InstanceError::NoFirstInterface.into())
    }
}

fn first_subnet(state: &Snapshot, interfaces: &[Planned<'_>]) -> Result<Arc<Subnet>, Error> {
    let first = interfaces.iter().find(|planned| planned.index == 0);
    match &first.ok_or(InstanceError::NoFirstInterface)?.kind {
        Kind::New { subnet, .. } => Ok(Arc::clone(subnet)),
        Kind::Given(interface) => state
            .get::<Subnet>(&interface.subnet)
            .cloned()
            .ok_or_else(|| crate::lookup::not_found::<Subnet>(interface.subnet.as_str())),
    }
}

/// The zone that a launch's placement names.
fn placement_zone(caller: &Caller, input: &RunInstancesRequest) -> Result<Option<&'static Zone>, Error> {
    let Some(placement) = &input.placement else { return Ok(None) };
    let (asked, parameter) = match (&placement.availability_zone, &placement.availability_zone_id) {
        (Some(_), Some(_)) => {
            return Err(Error::InvalidParameterCombination(
                "The parameter availabilityZone cannot be used with the parameter availabilityZoneId".into(),
            ));
        }
        (Some(name), None) => (name, "availability zone"),
        (None, Some(id)) => (id, "availability zone ID"),
        (None, None) => return Ok(None),
    };
    let zones = Region::find(&caller.region).map_or(&[][..], |region| region.zones);
    let found = zones.iter().find(|zone| asked == zone.name || asked == zone.id);
    found.map(Some).ok_or_else(|| Error::InvalidParameterValue(format!("Invalid {parameter}: [{asked}]")))
}

/// The default VPC's subnet in a zone; any of them if no zone is asked for.
fn default_subnet(state: &Snapshot, caller: &Caller, zone: Option<&Zone>) -> Result<Arc<Subnet>, Error> {
    let vpc = default_vpc::of(state, caller).ok_or(Error::NoDefaultVpc)?;
    let mut subnets: Vec<_> = state
        .all::<Subnet>()
        .filter(|subnet| subnet.vpc == vpc.id && subnet.default_for_az)
        .filter(|subnet| zone.is_none_or(|zone| zone.name == subnet.zone))
        .collect();
    subnets.sort_by_key(|subnet| &subnet.zone);
    subnets.first().map(|subnet| Arc::clone(subnet)).ok_or_else(|| {
        InstanceError::MissingInput(match zone {
            Some(zone) => format!("No default subnet for availability zone: '{}'.", zone.name),
            None => format!("No subnets found for the default VPC '{}'. Please specify a subnet.", vpc.id),
        })
        .into()
    })
}

/// Beside interfaces, a launch says nothing about the network.
fn check_instance_level(input: &RunInstancesRequest) -> Result<(), Error> {
    let what = if input.subnet_id.is_some() {
        "subnet ID"
    } else if !input.security_group_ids.is_empty() || !input.security_groups.is_empty() {
        "security groups"
    } else if input.private_ip_address.is_some() {
        "private IP address"
    } else if !input.ipv6_addresses.is_empty() || input.ipv6_address_count.is_some() {
        "IPv6 address"
    } else {
        return Ok(());
    };
    Err(Error::InvalidParameterCombination(format!(
        "Network interfaces and an instance-level {what} may not be specified on the same request"
    )))
}

fn given<'a>(
    state: &Snapshot,
    caller: &Caller,
    zone: Option<&Zone>,
    specifications: &'a [InstanceNetworkInterfaceSpecification],
) -> Result<Vec<Planned<'a>>, Error> {
    let mut indexes = BTreeSet::new();
    let mut interfaces = BTreeSet::new();
    let mut planned = Vec::new();
    for specification in specifications {
        check_supported(specification)?;
        let index = specification.device_index.ok_or_else(|| {
            Error::InvalidParameterValue("Each network interface requires a device index.".into())
        })?;
        if !indexes.insert(index) {
            return Err(Error::InvalidParameterValue(
                "Each network interface requires a unique device index.".into(),
            ));
        }
        let kind = match &specification.network_interface_id {
            Some(id) => {
                check_given(specification)?;
                let found = own::<NetworkInterface>(state, caller, id)?;
                if !interfaces.insert(&found.id) {
                    return Err(Error::InvalidParameterValue(format!(
                        "Network interface ID '{id}' may not be specified on multiple interfaces."
                    )));
                }
                if found.role != InterfaceRole::Available {
                    return Err(Error::AttachedInterface(id.clone()));
                }
                Kind::Given(Arc::clone(found))
            }
            None => Kind::New {
                subnet: match &specification.subnet_id {
                    Some(id) => Arc::clone(named::<Subnet>(state, caller, Some(id), "SubnetId")?),
                    None => default_subnet(state, caller, zone)?,
                },
                asked: Asked {
                    groups: &specification.groups,
                    description: specification.description.as_deref(),
                    address: specification.private_ip_address.as_deref(),
                    addresses: &specification.private_ip_addresses,
                    more: specification.secondary_private_ip_address_count,
                    ipv6: AskedIpv6 {
                        addresses: &specification.ipv6_addresses,
                        count: specification.ipv6_address_count,
                        primary: specification.primary_ipv6,
                    },
                },
            },
        };
        let new = specification.network_interface_id.is_none();
        let delete_on_termination = specification.delete_on_termination.unwrap_or(new);
        planned.push(Planned { index, delete_on_termination, kind });
    }
    if !indexes.contains(&0) {
        return Err(InstanceError::NoFirstInterface.into());
    }
    planned.sort_by_key(|planned| planned.index);
    Ok(planned)
}

/// An interface that is there has its properties already.
fn check_given(specification: &InstanceNetworkInterfaceSpecification) -> Result<(), Error> {
    let what = if specification.subnet_id.is_some() {
        "a subnet"
    } else if specification.private_ip_address.is_some() || !specification.private_ip_addresses.is_empty() {
        "a private IP address"
    } else if !specification.ipv6_addresses.is_empty() || specification.ipv6_address_count.is_some() {
        "an IPv6 address"
    } else if !specification.groups.is_empty() {
        "security groups"
    } else if specification.delete_on_termination == Some(true) {
        "delete on termination as true"
    } else {
        return Ok(());
    };
    Err(Error::InvalidParameterCombination(format!(
        "A network interface may not specify both a network interface ID and {what}"
    )))
}

fn check_supported(specification: &InstanceNetworkInterfaceSpecification) -> Result<(), Error> {
    let asked = |count: Option<i32>| count.is_some_and(|count| count != 0);
    let refuse = |why: &str| Err(Error::Unsupported(why.into()));
    if specification.interface_type.as_deref().is_some_and(|kind| kind != "interface") {
        return refuse("Network interfaces are of type 'interface'.");
    }
    if specification.associate_public_ip_address == Some(true)
        || specification.associate_carrier_ip_address == Some(true)
    {
        return refuse(
            "Instances get no public addresses by themselves. An elastic address can be associated.",
        );
    }
    if specification.network_card_index.is_some_and(|card| card != 0) {
        return Err(Error::InvalidParameterValue("The instance has one network card, of index 0.".into()));
    }
    if asked(specification.ipv4_prefix_count)
        || asked(specification.ipv6_prefix_count)
        || !specification.ipv4_prefixes.is_empty()
        || !specification.ipv6_prefixes.is_empty()
    {
        return refuse("Network interfaces have addresses and no prefixes.");
    }
    if specification.ena_srd_specification.is_some()
        || specification.ena_queue_count.is_some()
        || specification.connection_tracking_specification.is_some()
    {
        return refuse("Network interfaces have neither ENA Express nor queues nor timeouts of their own.");
    }
    Ok(())
}

/// The ids of the groups that a launch names for the instance itself: by ids, and by names of the default VPC's.
pub(super) fn groups(
    state: &Snapshot,
    caller: &Caller,
    input: &RunInstancesRequest,
) -> Result<Vec<String>, Error> {
    if input.security_groups.is_empty() {
        return Ok(input.security_group_ids.clone());
    }
    if input.subnet_id.is_some() {
        return Err(Error::InvalidParameterCombination(
            "The parameter groupName cannot be used with the parameter subnet".into(),
        ));
    }
    let vpc = default_vpc::of(state, caller).ok_or(Error::NoDefaultVpcForGroupName)?;
    let mut ids = input.security_group_ids.clone();
    for name in &input.security_groups {
        // AWS takes ids here, too.
        let found = state
            .all::<SecurityGroup>()
            .find(|group| {
                group.vpc == vpc.id
                    && group.belongs_to(caller)
                    && (group.name == *name || group.id.as_str() == name)
            })
            .ok_or_else(|| Error::GroupNameNotFound(name.clone()))?;
        ids.push(found.id.to_string());
    }
    Ok(ids)
}

//! Routes of a route table.

use std::sync::Arc;

use ipnet::IpNet;
use linkway_model::internet_gateway::{EgressOnlyInternetGateway, InternetGateway};
use linkway_model::nat_gateway::NatGateway;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::route_table::{Route, RouteTable, RouteTarget};
use linkway_model::vpc::Vpc;
use linkway_model::{Snapshot, VpcId};
use linkway_wire::ec2::{CreateRouteRequest, CreateRouteResult, DeleteRouteRequest, ReplaceRouteRequest};

use crate::ec2::instance::primary_interface;
use crate::ec2::vpc_endpoint;
use crate::error::NetworkError;
use crate::lookup::{named, own};
use crate::{Caller, Control, Error};

/// Routes that a table may have, beside the local ones. Source: the Amazon VPC User Guide, "Amazon VPC quotas".
const MAX_ROUTES: usize = 500;

/// Where a request has a route lead: the members that `CreateRoute` and `ReplaceRoute` share.
struct Asked<'a> {
    gateway: Option<&'a str>,
    egress_only_gateway: Option<&'a str>,
    nat_gateway: Option<&'a str>,
    interface: Option<&'a str>,
    instance: Option<&'a str>,
    /// Kinds of target that do not exist here, with what is asked for.
    elsewhere: Vec<(&'static str, &'a str)>,
}

macro_rules! asked {
    ($input:expr) => {
        Asked {
            gateway: $input.gateway_id.as_deref(),
            egress_only_gateway: $input.egress_only_internet_gateway_id.as_deref(),
            nat_gateway: $input.nat_gateway_id.as_deref(),
            interface: $input.network_interface_id.as_deref(),
            instance: $input.instance_id.as_deref(),
            elsewhere: [
                ("VPC peering connections", &$input.vpc_peering_connection_id),
                ("transit gateways", &$input.transit_gateway_id),
                ("VPC endpoints", &$input.vpc_endpoint_id),
                ("local gateways", &$input.local_gateway_id),
                ("carrier gateways", &$input.carrier_gateway_id),
                ("core networks", &$input.core_network_arn),
                ("ODB networks", &$input.odb_network_arn),
            ]
            .into_iter()
            .filter_map(|(kind, id)| Some((kind, id.as_deref()?)))
            .collect(),
        }
    };
}

/// The destination of any of the three requests.
macro_rules! destination {
    ($input:expr) => {
        destination(
            $input.destination_cidr_block.as_deref(),
            $input.destination_ipv6_cidr_block.as_deref(),
            $input.destination_prefix_list_id.as_deref(),
        )
    };
}

pub(crate) fn create_route(
    control: &Control,
    caller: &Caller,
    input: CreateRouteRequest,
) -> Result<CreateRouteResult, Error> {
    control.write(input.dry_run, |tx| {
        let table =
            Arc::clone(named::<RouteTable>(tx, caller, input.route_table_id.as_deref(), "RouteTableId")?);
        let destination = destination!(input)?;
        let target = target(tx, caller, &table, &asked!(input))?;
        check_inside(tx, &table.vpc, destination, &target)?;
        match table.routes.iter().find(|route| route.destination == destination) {
            // Asking for what is so changes nothing.
            Some(route) if route.target == target => {}
            Some(_) => return Err(NetworkError::RouteExists(destination).into()),
            None if table.routes.len() >= MAX_ROUTES => return Err(NetworkError::RouteLimitExceeded.into()),
            None => {
                let route = Route { destination, target };
                tx.update::<RouteTable>(&table.id, |table| table.routes.push(route));
            }
        }
        Ok(CreateRouteResult { return_: Some(true) })
    })
}

pub(crate) fn replace_route(
    control: &Control,
    caller: &Caller,
    input: ReplaceRouteRequest,
) -> Result<(), Error> {
    control.write(input.dry_run, |tx| {
        let table = Arc::clone(named::<RouteTable>(tx, caller, input.route_table_id.as_deref(), "RouteTableId")?);
        let destination = destination!(input)?;
        if is_local(tx, &table.vpc, destination) {
            if input.local_target == Some(true) {
                return Ok(());
            }
            return Err(Error::Unsupported(format!(
                "The local route {destination} cannot lead elsewhere: addresses of a VPC are reached directly."
            )));
        }
        let target = target(tx, caller, &table, &asked!(input))?;
        check_inside(tx, &table.vpc, destination, &target)?;
        if !table.routes.iter().any(|route| route.destination == destination) {
            return Err(Error::InvalidParameterValue(format!(
                "There is no route defined for '{destination}' in the route table. Use CreateRoute instead."
            )));
        }
        tx.update::<RouteTable>(&table.id, |table| {
            for route in table.routes.iter_mut().filter(|route| route.destination == destination) {
                route.target = target.clone();
            }
        });
        Ok(())
    })
}

pub(crate) fn delete_route(
    control: &Control,
    caller: &Caller,
    input: DeleteRouteRequest,
) -> Result<(), Error> {
    control.write(input.dry_run, |tx| {
        let table =
            Arc::clone(named::<RouteTable>(tx, caller, input.route_table_id.as_deref(), "RouteTableId")?);
        if let Some(list) = &input.destination_prefix_list_id
            && vpc_endpoint::routes(tx, &table).any(|(_, gateway)| gateway.prefix_list.as_str() == list)
        {
            return Err(Error::InvalidParameterValue(format!(
                "cannot remove VPC endpoint route {list} in route table {}",
                table.id
            )));
        }
        let destination = destination!(input)?;
        if is_local(tx, &table.vpc, destination) {
            return Err(Error::InvalidParameterValue(format!(
                "cannot remove local route {destination} in route table {}",
                table.id
            )));
        }
        if !table.routes.iter().any(|route| route.destination == destination) {
            return Err(NetworkError::RouteNotFound { destination, table: table.id.to_string() }.into());
        }
        tx.update::<RouteTable>(&table.id, |table| {
            table.routes.retain(|route| route.destination != destination)
        });
        Ok(())
    })
}

/// The one destination of a request, in its canonical form.
fn destination(v4: Option<&str>, v6: Option<&str>, prefix_list: Option<&str>) -> Result<IpNet, Error> {
    let (text, parameter) = match (v4, v6, prefix_list) {
        (Some(text), None, None) => (text, "destinationCidrBlock"),
        (None, Some(text), None) => (text, "destinationIpv6CidrBlock"),
        (None, None, Some(id)) => {
            return Err(Error::Unsupported(format!("Routes to prefix lists are not supported: {id}")));
        }
        (None, None, None) => return Err(Error::MissingParameter("destinationCidrBlock")),
        _ => {
            return Err(Error::InvalidParameterCombination(
                "The request must contain exactly one of destinationCidrBlock, destinationIpv6CidrBlock and \
                 destinationPrefixListId"
                    .into(),
            ));
        }
    };
    let net = text.parse::<IpNet>().ok().filter(|net| net.addr().is_ipv4() == v4.is_some());
    net.map(|net| net.trunc()).ok_or_else(|| {
        Error::InvalidParameterValue(format!(
            "Value ({text}) for parameter {parameter} is invalid. This is not a valid CIDR block."
        ))
    })
}

/// The one target of a request, which must be one for the table's VPC.
fn target(
    state: &Snapshot,
    caller: &Caller,
    table: &RouteTable,
    asked: &Asked<'_>,
) -> Result<RouteTarget, Error> {
    let given = [
        asked.gateway,
        asked.egress_only_gateway,
        asked.nat_gateway,
        asked.interface,
        asked.instance,
        asked.elsewhere.first().map(|(_, id)| *id),
    ];
    if given.iter().flatten().count() != 1 || asked.elsewhere.len() > 1 {
        return Err(Error::InvalidParameterCombination(
            "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, \
             egressOnlyInternetGatewayId, vpcPeeringConnectionId, transitGatewayId and instanceId"
                .into(),
        ));
    }
    if let Some((kind, id)) = asked.elsewhere.first() {
        return Err(Error::Unsupported(format!("Routes to {kind} are not supported: {id}")));
    }
    let here = |vpc: &VpcId, what: &str, id: &str| {
        if *vpc == table.vpc {
            return Ok(());
        }
        Err(Error::InvalidParameterValue(format!(
            "route table {} and {what} {id} belong to different networks",
            table.id
        )))
    };
    if let Some(id) = asked.gateway {
        let gateway = own::<InternetGateway>(state, caller, id)
            .map_err(|_| NetworkError::GatewayNotFound(id.to_owned()))?;
        // One that is attached to nothing belongs to no network.
        if gateway.vpc.as_ref() != Some(&table.vpc) {
            return Err(Error::InvalidParameterValue(format!(
                "route table {} and network gateway {id} belong to different networks",
                table.id
            )));
        }
        return Ok(RouteTarget::InternetGateway(gateway.id.clone()));
    }
    if let Some(id) = asked.egress_only_gateway {
        let gateway = own::<EgressOnlyInternetGateway>(state, caller, id)?;
        here(&gateway.vpc, "egress only internet gateway", id)?;
        return Ok(RouteTarget::EgressOnlyInternetGateway(gateway.id.clone()));
    }
    if let Some(id) = asked.nat_gateway {
        let gateway = own::<NatGateway>(state, caller, id)
            .ok()
            .filter(|found| found.state.is_live())
            .ok_or_else(|| NetworkError::RouteNatGatewayNotFound(id.to_owned()))?;
        here(&gateway.vpc, "NAT gateway", id)?;
        return Ok(RouteTarget::NatGateway(gateway.id.clone()));
    }
    let interface = match asked.instance {
        Some(id) => primary_interface(state, caller, id)?,
        None => Arc::clone(named::<NetworkInterface>(state, caller, asked.interface, "NetworkInterfaceId")?),
    };
    here(&interface.vpc, "interface", interface.id.as_str())?;
    Ok(RouteTarget::NetworkInterface(interface.id.clone()))
}

fn is_local(state: &Snapshot, vpc: &VpcId, destination: IpNet) -> bool {
    state.get::<Vpc>(vpc).is_some_and(|vpc| vpc.ranges().any(|range| range == destination))
}

/// Refuse a route within the VPC unless AWS has it too: to an interface, or of a subnet to a NAT gateway.
fn check_inside(
    state: &Snapshot,
    vpc: &VpcId,
    destination: IpNet,
    target: &RouteTarget,
) -> Result<(), Error> {
    let holds = |vpc: &Arc<Vpc>| vpc.ranges().any(|range| range.contains(&destination));
    let inside = state.get::<Vpc>(vpc).is_some_and(holds);
    if inside && !matches!(target, RouteTarget::NetworkInterface(_) | RouteTarget::NatGateway(_)) {
        return Err(Error::InvalidParameterValue(format!(
            "The destination CIDR block {destination} is equal to or more specific than one of this VPC's CIDR \
             blocks. This route can target only an interface or an instance."
        )));
    }
    if is_local(state, vpc, destination) {
        return Err(NetworkError::RouteExists(destination).into());
    }
    Ok(())
}

//! Tags, of whatever has them.

use std::sync::Arc;

use linkway_model::dhcp_options::DhcpOptions;
use linkway_model::elastic_address::ElasticAddress;
use linkway_model::endpoint_service::EndpointService;
use linkway_model::flow_log::FlowLog;
use linkway_model::image::Image;
use linkway_model::instance::Instance;
use linkway_model::internet_gateway::{EgressOnlyInternetGateway, InternetGateway};
use linkway_model::key_pair::KeyPair;
use linkway_model::launch_template::LaunchTemplate;
use linkway_model::nat_gateway::NatGateway;
use linkway_model::network_acl::NetworkAcl;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::prefix_list::PrefixList;
use linkway_model::route_table::RouteTable;
use linkway_model::security_group::{SecurityGroup, SecurityGroupRule};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_model::{AccountId, EndpointConnectionId, ServicePermissionId, Snapshot, Tags, VolumeId};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    CreateTagsRequest, DeleteTagsRequest, DescribeTagsRequest, DescribeTagsResult, Tag, TagDescription,
};

use crate::ec2::volume;
use crate::filter::{Field, Filters, fields, one};
use crate::lookup::{Owned, own};
use crate::page::{Page, USUAL};
use crate::{Caller, Control, Error, tags};

/// Names every kind of resource with tags of its own to `$use`, a macro that takes the type.
macro_rules! each_kind {
    ($use:ident) => {
        $use!(Vpc);
        $use!(Subnet);
        $use!(SecurityGroup);
        $use!(SecurityGroupRule);
        $use!(NetworkInterface);
        $use!(RouteTable);
        $use!(NetworkAcl);
        $use!(InternetGateway);
        $use!(EgressOnlyInternetGateway);
        $use!(ElasticAddress);
        $use!(NatGateway);
        $use!(DhcpOptions);
        $use!(PrefixList);
        $use!(FlowLog);
        $use!(Instance);
        $use!(Image);
        $use!(KeyPair);
        $use!(LaunchTemplate);
        $use!(VpcEndpoint);
        $use!(EndpointService);
    };
}

/// A resource's tags, and whose it is.
pub(crate) struct Found<'a> {
    pub(crate) owner: &'a AccountId,
    pub(crate) region: &'a str,
    pub(crate) tags: &'a Tags,
}

/// The tags of the resource of this type and id, whoever has it.
pub(crate) fn find<'a>(state: &'a Snapshot, resource_type: &str, id: &str) -> Option<Found<'a>> {
    macro_rules! find_kind {
        ($kind:ty) => {
            if resource_type == <$kind>::NOUN.resource_type {
                let found = state.get::<$kind>(id)?;
                return Some(Found { owner: found.owner(), region: found.region(), tags: found.tags() });
            }
        };
    }
    each_kind!(find_kind);
    None
}

/// One tag of one resource.
struct Entry {
    resource_id: String,
    resource_type: &'static str,
    key: String,
    value: String,
}

const FILTERS: &[Field<Entry>] = fields! {
    "key" => |_, entry| one(&entry.key);
    "resource-id" => |_, entry| one(&entry.resource_id);
    "resource-type" => |_, entry| one(entry.resource_type);
    "value" => |_, entry| one(&entry.value);
};

pub(crate) fn create(control: &Control, caller: &Caller, input: CreateTagsRequest) -> Result<(), Error> {
    if input.tags.is_empty() {
        return Err(Error::MissingParameter("Tag"));
    }
    change_all(control, caller, input.dry_run, &input.resources, |present| tags::add(present, &input.tags))
}

pub(crate) fn delete(control: &Control, caller: &Caller, input: DeleteTagsRequest) -> Result<(), Error> {
    change_all(control, caller, input.dry_run, &input.resources, |present| {
        remove(present, &input.tags);
        Ok(())
    })
}

/// Take tags away: all of them but AWS's own when none is named; one with a value only if it has this value.
fn remove(present: &mut Tags, named: &[Tag]) {
    if named.is_empty() {
        present.retain(|key, _| key.starts_with("aws:"));
    }
    for Tag { key, value } in named {
        let key = key.as_deref().unwrap_or_default();
        if value.is_none() || value.as_ref() == present.get(key) {
            present.remove(key);
        }
    }
}

fn change_all(
    control: &Control,
    caller: &Caller,
    dry_run: Option<bool>,
    resources: &[String],
    change: impl Fn(&mut Tags) -> Result<(), Error>,
) -> Result<(), Error> {
    if resources.is_empty() {
        return Err(Error::MissingParameter("resourceIdSet"));
    }
    // Of an id that cannot be one, these operations say so in words of their own. Source: EC2's list of error codes
    // (`InvalidID`).
    let in_own_words = |id: &String, error| match error {
        Error::Malformed { .. } => Error::UnknownId(id.clone()),
        error => error,
    };
    control.write(dry_run, |tx| {
        let mut all = resources.iter();
        all.try_for_each(|id| change_one(tx, caller, id, &change).map_err(|error| in_own_words(id, error)))
    })
}

fn change_one(
    tx: &mut Transaction,
    caller: &Caller,
    id: &str,
    change: &impl Fn(&mut Tags) -> Result<(), Error>,
) -> Result<(), Error> {
    if id.starts_with(ServicePermissionId::PREFIX) {
        return change_permission(tx, caller, id, change);
    }
    if id.starts_with(EndpointConnectionId::PREFIX) {
        return change_connection(tx, caller, id, change);
    }
    if id.starts_with(VolumeId::PREFIX) {
        return change_volume(tx, caller, id, change);
    }
    // A service's ids begin like an endpoint's, and a range's association like a VPC's: digits must follow.
    let digits = id.rsplit('-').next().unwrap_or_default();
    let prefix = &id[..id.len() - digits.len()];
    macro_rules! change_kind {
        ($kind:ty) => {
            if prefix == <$kind>::NOUN.prefix {
                let mut resource = <$kind>::clone(own::<$kind>(tx, caller, id)?);
                change(resource.tags_mut())?;
                tx.put(resource);
                return Ok(());
            }
        };
    }
    each_kind!(change_kind);
    Err(Error::UnknownId(id.to_owned()))
}

/// A permission is a part of its service.
fn change_permission(
    tx: &mut Transaction,
    caller: &Caller,
    id: &str,
    change: &impl Fn(&mut Tags) -> Result<(), Error>,
) -> Result<(), Error> {
    let service = tx.all::<EndpointService>().find(|service| {
        service.belongs_to(caller) && service.permissions.iter().any(|found| found.id.as_str() == id)
    });
    let mut service = EndpointService::clone(service.ok_or_else(|| Error::UnknownId(id.to_owned()))?);
    for permission in service.permissions.iter_mut().filter(|found| found.id.as_str() == id) {
        change(&mut permission.tags)?;
    }
    tx.put(service);
    Ok(())
}

/// A volume is a part of its instance.
fn change_volume(
    tx: &mut Transaction,
    caller: &Caller,
    id: &str,
    change: &impl Fn(&mut Tags) -> Result<(), Error>,
) -> Result<(), Error> {
    let (instance, mut found) = volume::find(tx, caller, id)?;
    change(&mut found.tags)?;
    volume::change(tx, &instance, &found.id.clone(), |volume| volume.tags = found.tags);
    Ok(())
}

/// A connection is a part of its endpoint, and its tags the provider's.
fn change_connection(
    tx: &mut Transaction,
    caller: &Caller,
    id: &str,
    change: &impl Fn(&mut Tags) -> Result<(), Error>,
) -> Result<(), Error> {
    let endpoint = tx
        .all::<VpcEndpoint>()
        .find(|endpoint| endpoint.connection.as_str() == id && is_provider(tx, caller, endpoint));
    let mut endpoint = VpcEndpoint::clone(endpoint.ok_or_else(|| Error::UnknownId(id.to_owned()))?);
    change(&mut endpoint.connection_tags)?;
    tx.put(endpoint);
    Ok(())
}

fn is_provider(state: &Snapshot, caller: &Caller, endpoint: &VpcEndpoint) -> bool {
    state.get::<EndpointService>(&endpoint.service).is_some_and(|service| service.belongs_to(caller))
}

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeTagsRequest,
) -> Result<DescribeTagsResult, Error> {
    let state = control.read(input.dry_run)?;
    let filters = Filters::new(FILTERS, &input.filters)?;
    let mut entries = all(&state, caller);
    entries.retain(|entry| {
        filters.matches(&state, entry, &Tags::from([(entry.key.clone(), entry.value.clone())]))
    });
    let order = |entry: &Entry| format!("{} {}", entry.resource_id, entry.key);
    entries.sort_by_key(order);
    let page = Page::new(USUAL, input.max_results, &input.next_token);
    let (entries, next_token) = page.cut(entries, order)?;
    Ok(DescribeTagsResult { next_token, tags: entries.into_iter().map(shape).collect() })
}

/// Every tag of everything that the caller has.
fn all(state: &Snapshot, caller: &Caller) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut list = |id: &str, resource_type, tags: &Tags| {
        entries.extend(tags.iter().map(|(key, value)| Entry {
            resource_id: id.to_owned(),
            resource_type,
            key: key.clone(),
            value: value.clone(),
        }));
    };
    macro_rules! list_kind {
        ($kind:ty) => {
            for found in state.all::<$kind>().filter(|found| found.belongs_to(caller)) {
                list(found.id.as_str(), <$kind>::NOUN.resource_type, &found.tags);
            }
        };
    }
    each_kind!(list_kind);
    for found in volume::all(state, caller) {
        list(found.volume.id.as_str(), "volume", &found.volume.tags);
    }
    for service in state.all::<EndpointService>().filter(|service| service.belongs_to(caller)) {
        for permission in &service.permissions {
            list(permission.id.as_str(), "vpc-endpoint-service-permission", &permission.tags);
        }
    }
    let connections = state.all::<VpcEndpoint>().filter(|endpoint| is_provider(state, caller, endpoint));
    for endpoint in connections.map(Arc::as_ref) {
        list(endpoint.connection.as_str(), "vpc-endpoint-connection", &endpoint.connection_tags);
    }
    entries
}

fn shape(entry: Entry) -> TagDescription {
    TagDescription {
        key: Some(entry.key),
        resource_id: Some(entry.resource_id),
        resource_type: Some(entry.resource_type.into()),
        value: Some(entry.value),
    }
}

//! Sets of DHCP options, and which one a VPC has.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use linkway_model::dhcp_options::DhcpOptions;
use linkway_model::vpc::Vpc;
use linkway_model::{DhcpOptionsId, Tags};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    AssociateDhcpOptionsRequest, AttributeValue, CreateDhcpOptionsRequest, CreateDhcpOptionsResult,
    DeleteDhcpOptionsRequest, DescribeDhcpOptionsRequest, DescribeDhcpOptionsResult, DhcpConfiguration,
    DhcpOptions as DhcpOptionsShape, NewDhcpConfiguration,
};

use crate::describe::select;
use crate::ec2::dependency::refuse_if_used;
use crate::filter::{Field, fields, many, one};
use crate::lookup::{Owned, named, own, required};
use crate::page::{Page, USUAL};
use crate::{Caller, Control, Error, tags};

/// Servers that an option may name.
const MAX_SERVERS: usize = 4;

/// The VPC's own resolver, in the place of an address.
const OWN_RESOLVER: &str = "AmazonProvidedDNS";

const FILTERS: &[Field<DhcpOptions>] = fields! {
    "dhcp-options-id" => |_, found| one(&found.id);
    "key" => |_, found| many(found.options.iter().map(|(key, _)| key));
    "owner-id" => |_, found| one(&found.owner);
    "value" => |_, found| many(found.options.iter().flat_map(|(_, values)| values));
};

/// The set that an account's VPCs get in a region, made if it is not there.
pub(crate) fn default(tx: &mut Transaction, caller: &Caller) -> DhcpOptionsId {
    let present = tx.all::<DhcpOptions>().find(|found| found.is_default && found.belongs_to(caller));
    if let Some(found) = present {
        return found.id.clone();
    }
    let domain = match caller.region.as_str() {
        "us-east-1" => "ec2.internal".to_owned(),
        region => format!("{region}.compute.internal"),
    };
    // VPCs that were made before sets of options were kept name one already.
    let unkept = |id: &DhcpOptionsId| *id != DhcpOptionsId::none() && tx.get::<DhcpOptions>(id).is_none();
    let named = tx
        .all::<Vpc>()
        .find(|vpc| vpc.belongs_to(caller) && unkept(&vpc.dhcp_options))
        .map(|vpc| vpc.dhcp_options.clone());
    let options = DhcpOptions {
        id: named.unwrap_or_else(DhcpOptionsId::random),
        owner: caller.account.clone(),
        region: caller.region.clone(),
        is_default: true,
        options: vec![
            ("domain-name".into(), vec![domain]),
            ("domain-name-servers".into(), vec![OWN_RESOLVER.into()]),
        ],
        tags: Tags::new(),
    };
    let id = options.id.clone();
    tx.put(options);
    id
}

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    input: CreateDhcpOptionsRequest,
) -> Result<CreateDhcpOptionsResult, Error> {
    let tags = tags::specified(&input.tag_specifications, DhcpOptions::NOUN.resource_type)?;
    if input.dhcp_configurations.is_empty() {
        return Err(Error::MissingParameter("dhcpConfiguration"));
    }
    let mut options = Vec::new();
    for configuration in input.dhcp_configurations {
        let (key, values) = checked(configuration)?;
        if options.iter().any(|(present, _)| *present == key) {
            return Err(Error::InvalidParameterValue(format!("Duplicate DHCP option '{key}' specified.")));
        }
        options.push((key, values));
    }
    let options = control.write(input.dry_run, |tx| {
        let options = DhcpOptions {
            id: DhcpOptionsId::random(),
            owner: caller.account.clone(),
            region: caller.region.clone(),
            is_default: false,
            options,
            tags,
        };
        tx.put(options.clone());
        Ok(options)
    })?;
    Ok(CreateDhcpOptionsResult { dhcp_options: Some(shape(&options)) })
}

/// An option of a request, if AWS has it and it can have these values.
fn checked(configuration: NewDhcpConfiguration) -> Result<(String, Vec<String>), Error> {
    let key = required(configuration.key, "DhcpConfiguration.Key")?;
    let values = configuration.values;
    let is_v4 = |value: &String| value.parse::<Ipv4Addr>().is_ok();
    let is_address = |value: &String| value.parse::<IpAddr>().is_ok();
    let servers = 1..=MAX_SERVERS;
    let fits = match key.as_str() {
        "domain-name" => values.len() == 1 && !values[0].is_empty(),
        "domain-name-servers" => {
            servers.contains(&values.len())
                && values.iter().all(|value| is_address(value) || value == OWN_RESOLVER)
        }
        "ntp-servers" => servers.contains(&values.len()) && values.iter().all(is_address),
        "netbios-name-servers" => servers.contains(&values.len()) && values.iter().all(is_v4),
        "netbios-node-type" => values.len() == 1 && matches!(values[0].as_str(), "1" | "2" | "4" | "8"),
        "ipv6-address-preferred-lease-time" => {
            values.len() == 1 && values[0].parse::<u32>().is_ok_and(|seconds| seconds >= 140)
        }
        _ => {
            return Err(Error::InvalidParameterValue(format!(
                "Value ({key}) for parameter name is invalid. Unknown DHCP option"
            )));
        }
    };
    if fits {
        Ok((key, values))
    } else {
        Err(Error::InvalidParameterValue(format!(
            "Value ({}) for parameter {key} is invalid.",
            values.join(", ")
        )))
    }
}

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeDhcpOptionsRequest,
) -> Result<DescribeDhcpOptionsResult, Error> {
    let state = control.read_given(caller, input.dry_run)?;
    let page = Page::new(USUAL, input.max_results, &input.next_token);
    let (sets, next_token) = select(&state, caller, &input.dhcp_options_ids, FILTERS, &input.filters, page)?;
    Ok(DescribeDhcpOptionsResult { dhcp_options: sets.iter().map(|set| shape(set)).collect(), next_token })
}

fn shape(options: &DhcpOptions) -> DhcpOptionsShape {
    let value = |value: &String| AttributeValue { value: Some(value.clone()) };
    let configuration = |(key, values): &(String, Vec<String>)| DhcpConfiguration {
        key: Some(key.clone()),
        values: values.iter().map(value).collect(),
    };
    DhcpOptionsShape {
        dhcp_configurations: options.options.iter().map(configuration).collect(),
        dhcp_options_id: Some(options.id.to_string()),
        owner_id: Some(options.owner.to_string()),
        tags: tags::shape(&options.tags),
    }
}

pub(crate) fn associate(
    control: &Control,
    caller: &Caller,
    input: AssociateDhcpOptionsRequest,
) -> Result<(), Error> {
    let asked = required(input.dhcp_options_id, "DhcpOptionsId")?;
    control.write(input.dry_run, |tx| {
        let vpc = named::<Vpc>(tx, caller, input.vpc_id.as_deref(), "VpcId")?.id.clone();
        let options = match asked.as_str() {
            "default" => DhcpOptionsId::none(),
            id => own::<DhcpOptions>(tx, caller, id)?.id.clone(),
        };
        tx.update::<Vpc>(&vpc, |vpc| vpc.dhcp_options = options);
        Ok(())
    })
}

pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteDhcpOptionsRequest,
) -> Result<(), Error> {
    control.write(input.dry_run, |tx| {
        let id = input.dhcp_options_id.as_deref();
        let options = Arc::clone(named::<DhcpOptions>(tx, caller, id, "DhcpOptionsId")?);
        let words = format!("The dhcpOptions '{}' has dependencies and cannot be deleted.", options.id);
        let vpcs = tx.all::<Vpc>().filter(|vpc| vpc.dhcp_options == options.id).map(|vpc| vpc.id.to_string());
        refuse_if_used(words, vpcs)?;
        tx.delete::<DhcpOptions>(&options.id);
        Ok(())
    })
}

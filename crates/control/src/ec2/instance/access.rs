//! Whether a caller may launch what it asks for: once it is known what that is, with what a launch leaves open filled
//! in. So it is asked here, and not before the operation.
//!
//! Source: `RunInstances` in AWS's Service Authorization Reference. What a request names and nobody has stays in the
//! question by its name: the operation refuses it afterwards.

use std::collections::BTreeMap;

use linkway_model::instance_type::InstanceType;
use linkway_model::launch::MetadataOptions;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::{ImageId, Snapshot, Tags, Timestamp, VolumeId, iam};
use linkway_wire::ec2::RunInstancesRequest;

use super::network::{default_subnet, groups, placement_zone};
use super::settings;
use crate::access::{Need, Resource, ResourceKeys};
use crate::ec2::{image, volume};
use crate::{Caller, Control, Error, tags};

/// Ask whether the caller may launch this.
///
/// # Errors
///
/// AWS's denial of `ec2:RunInstances`, or of `ec2:CreateTags` for the tags that come with it.
pub(super) fn require(
    control: &Control,
    state: &Snapshot,
    caller: &Caller,
    input: &RunInstancesRequest,
) -> Result<(), Error> {
    control.require(state, caller, "ec2", || Launch { state, caller, input }.needs())
}

struct Launch<'a> {
    state: &'a Snapshot,
    caller: &'a Caller,
    input: &'a RunInstancesRequest,
}

impl Launch<'_> {
    fn needs(&self) -> Vec<Need> {
        let mut resources = self.named();
        let mut needs = Vec::new();
        for (kind, keys) in self.made() {
            let mut context = BTreeMap::new();
            let specified = self.input.tag_specifications.iter();
            let specified = specified.filter(|given| given.resource_type.as_deref() == Some(kind));
            let mut given = Tags::new();
            for specification in specified {
                // Tags that cannot be ones are refused when they are put.
                if tags::add(&mut given, &specification.tags).is_err() {
                    continue;
                }
            }
            if !given.is_empty() {
                context.insert("aws:TagKeys".to_owned(), given.keys().cloned().collect::<Vec<_>>());
                let request_tags =
                    given.iter().map(|(key, value)| (format!("aws:RequestTag/{key}"), vec![value.clone()]));
                context.extend(request_tags);
            }
            let resource = Resource { arn: self.arn(kind, "*"), unknown: false, keys };
            let one = vec![resource.clone()];
            needs.push(Need { action: "ec2:RunInstances".into(), resources: one, context: context.clone() });
            if !context.is_empty() {
                context.insert("ec2:CreateAction".to_owned(), vec!["RunInstances".to_owned()]);
                let resource = Resource { keys: ResourceKeys::default(), ..resource };
                needs.push(Need { action: "ec2:CreateTags".into(), resources: vec![resource], context });
            }
        }
        resources.sort_by(|one, other| one.arn.cmp(&other.arn));
        resources.dedup_by(|one, other| one.arn == other.arn);
        needs.push(Need { action: "ec2:RunInstances".into(), resources, context: BTreeMap::new() });
        needs
    }

    fn arn(&self, kind: &str, id: &str) -> String {
        let Caller { account, region, .. } = self.caller;
        format!("arn:aws:ec2:{region}:{account}:{kind}/{id}")
    }

    /// The subnet of each interface that is made; `None`: there is none.
    fn subnets(&self) -> Vec<Option<String>> {
        let zone = placement_zone(self.caller, self.input).ok().flatten();
        let or_default = |named: &Option<String>| {
            let default =
                || default_subnet(self.state, self.caller, zone).ok().map(|subnet| subnet.id.to_string());
            named.clone().or_else(default)
        };
        let Self { input, .. } = self;
        if input.network_interfaces.is_empty() {
            return vec![or_default(&input.subnet_id)];
        }
        let made = input.network_interfaces.iter().filter(|given| given.network_interface_id.is_none());
        made.map(|given| or_default(&given.subnet_id)).collect()
    }

    /// What is there, and used.
    fn named(&self) -> Vec<Resource> {
        let Self { input, state, .. } = self;
        let subnets: Vec<String> = self.subnets().into_iter().flatten().collect();
        let given = input.network_interfaces.iter();
        let interfaces = given.clone().filter_map(|given| given.network_interface_id.clone());
        let mut asked =
            groups(state, self.caller, input).unwrap_or_else(|_| input.security_group_ids.clone());
        asked.extend(given.flat_map(|given| given.groups.iter().cloned()));
        let template = input.launch_template.iter().filter_map(|given| given.launch_template_id.clone());
        let vpc_of =
            |subnet: &String| state.get::<Subnet>(subnet).and_then(|subnet| state.get::<Vpc>(&subnet.vpc));
        if asked.is_empty() {
            asked.extend(subnets.iter().filter_map(vpc_of).map(|vpc| vpc.default_security_group.to_string()));
        }
        let image = input.image_id.iter().map(|id| format!("arn:aws:ec2:{}::image/{id}", self.caller.region));
        let names = |kind: &'static str, ids: Vec<String>| ids.into_iter().map(move |id| self.arn(kind, &id));
        let arns = image
            .chain(names("subnet", subnets))
            .chain(names("security-group", asked))
            .chain(names("network-interface", interfaces.collect()))
            .chain(names("launch-template", template.collect()))
            .chain(names("key-pair", input.key_name.iter().cloned().collect()));
        arns.map(|arn| Resource::named(state, arn)).collect()
    }

    /// What is made: the types, and the keys of each.
    fn made(&self) -> Vec<(&'static str, ResourceKeys)> {
        let mut made = vec![("instance", self.instance())];
        for subnet in self.subnets() {
            let mut keys = ResourceKeys::default();
            if let Some(subnet) = subnet.and_then(|subnet| self.state.get::<Subnet>(subnet)) {
                keys.add_place(subnet);
            }
            made.push(("network-interface", keys));
        }
        let image: Option<ImageId> = self.input.image_id.as_ref().and_then(|id| id.parse().ok());
        let image = image.and_then(|id| image::visible(self.state, self.caller, &id));
        let volumes = image.and_then(|image| volume::wanted(&image, &self.input.block_device_mappings).ok());
        for wanted in volumes.into_iter().flatten() {
            let mut keys = ResourceKeys::default();
            self.zone().into_iter().for_each(|zone| keys.add_zone(&zone));
            keys.add_volume(&wanted.make(VolumeId::random(), Timestamp::UNIX_EPOCH, Tags::new()));
            made.push(("volume", keys));
        }
        made
    }

    /// Where the instance is to be.
    fn zone(&self) -> Option<String> {
        let given =
            self.input.network_interfaces.iter().find_map(|given| given.network_interface_id.as_ref());
        let given = given.and_then(|id| self.state.get::<NetworkInterface>(id));
        let given = given.map(|interface| interface.subnet.to_string());
        let subnet = self.subnets().into_iter().flatten().next().or(given)?;
        self.state.get::<Subnet>(subnet).map(|subnet| subnet.zone.clone())
    }

    fn instance(&self) -> ResourceKeys {
        let Self { input, state, caller } = self;
        let mut keys = ResourceKeys::default();
        keys.add("ec2:InstanceType", input.instance_type.as_deref().unwrap_or(InstanceType::default_name()));
        keys.add("ec2:InstanceMarketType", "on-demand");
        keys.add("ec2:RootDeviceType", "ebs");
        keys.add("ec2:EbsOptimized", input.ebs_optimized.unwrap_or(false));
        let placement = input.placement.as_ref();
        keys.add("ec2:Tenancy", placement.and_then(|given| given.tenancy.as_deref()).unwrap_or("default"));
        self.zone().into_iter().for_each(|zone| keys.add_zone(&zone));
        let metadata = input.metadata_options.clone().unwrap_or_default();
        if let Ok(options) = settings::metadata(MetadataOptions::default(), &metadata) {
            keys.add_metadata(&options);
        }
        if let Some(profile) = &input.iam_instance_profile {
            let by_name = |name: &String| {
                let key = iam::Named::key_of(&caller.account, name);
                state.get::<iam::InstanceProfile>(key).map(|found| found.named.arn("instance-profile"))
            };
            let arn = profile.arn.clone().or_else(|| profile.name.as_ref().and_then(by_name));
            arn.into_iter().for_each(|arn| keys.add("ec2:InstanceProfile", arn));
        }
        keys
    }
}

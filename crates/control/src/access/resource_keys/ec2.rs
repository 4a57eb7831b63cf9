//! The keys of EC2's resources: of those that are there, and of those that a request makes.

use linkway_model::aws_service::AwsService;
use linkway_model::elastic_address::ElasticAddress;
use linkway_model::endpoint_service::EndpointService;
use linkway_model::image::Image;
use linkway_model::instance::Instance;
use linkway_model::key_pair::KeyPair;
use linkway_model::launch::{MetadataOptions, Volume};
use linkway_model::nat_gateway::NatGateway;
use linkway_model::network_acl::NetworkAcl;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::region::Zone;
use linkway_model::route_table::RouteTable;
use linkway_model::security_group::SecurityGroup;
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_model::{Snapshot, Tags, VpcId};

use super::ResourceKeys;
use crate::ec2::tag;
use crate::lookup::Owned;

/// Where an ARN says that its resource is.
pub(super) struct Place<'a> {
    pub(super) state: &'a Snapshot,
    pub(super) region: &'a str,
    /// Empty in an image's.
    pub(super) account: &'a str,
}

impl Place<'_> {
    fn has<T: Owned>(&self, found: &T) -> bool {
        found.region() == self.region && found.owner().as_str() == self.account
    }
}

/// Add the keys of the resource of this name: a type and an id, such as `vpc/vpc-0a1b2c3d`.
pub(super) fn add(keys: &mut ResourceKeys, place: &Place<'_>, name: &str) {
    let Some((kind, id)) = name.split_once('/') else { return };
    let state = place.state;
    match kind {
        // By its name, of which there is one.
        "key-pair" => {
            let mut pairs = state.all::<KeyPair>();
            if let Some(pair) = pairs.find(|pair| pair.name == id && place.has(&***pair)) {
                keys.add("ec2:KeyPairName", &pair.name);
                keys.add("ec2:KeyPairType", pair.kind.name());
                keys.add_tagged(&pair.tags);
            }
        }
        // Those of the host are in no table, and an ARN has no account.
        "image" => {
            let found = id.parse().ok().and_then(|id| Image::find(state, &id));
            if let Some(image) = found.filter(|image| image.region == place.region) {
                keys.add("ec2:ImageID", id);
                keys.add("ec2:ImageType", "machine");
                keys.add("ec2:Owner", image.owner_alias().unwrap_or(image.owner.as_str()));
                keys.add("ec2:Public", image.public);
                keys.add("ec2:RootDeviceType", "ebs");
                keys.add_tagged(&image.tags);
            }
        }
        // A part of its instance.
        "volume" => {
            let own = state.all::<Instance>().filter(|instance| place.has(&***instance));
            let mut volumes = own.flat_map(|instance| {
                let volumes = instance.launch.iter().flat_map(|launch| &launch.volumes);
                volumes.map(move |volume| (instance, volume))
            });
            if let Some((instance, volume)) = volumes.find(|(_, volume)| volume.id.as_str() == id) {
                keys.add_zone(&instance.zone);
                keys.add("ec2:VolumeID", id);
                keys.add_volume(volume);
                keys.add_tagged(&volume.tags);
            }
        }
        _ => {
            let found = tag::find(state, kind, id);
            let is_here = |found: &tag::Found<'_>| {
                found.region == place.region && found.owner.as_str() == place.account
            };
            if let Some(found) = found.filter(is_here) {
                keys.add_tagged(found.tags);
                keys.add_properties(state, kind, id);
            }
        }
    }
}

impl ResourceKeys {
    fn add_tagged(&mut self, tags: &Tags) {
        self.add_tags(Some("ec2:ResourceTag"), Some(tags));
    }

    /// The keys of a type's own, of what is there.
    fn add_properties(&mut self, state: &Snapshot, kind: &str, id: &str) {
        match kind {
            "vpc" => {
                self.add("ec2:VpcID", id);
                self.add_of(state, id, |keys, vpc: &Vpc| keys.add("ec2:Tenancy", &vpc.tenancy));
            }
            "subnet" => {
                self.add("ec2:SubnetID", id);
                self.add_of(state, id, |keys, subnet: &Subnet| {
                    keys.add_vpc(subnet, &subnet.vpc);
                    keys.add_zone(&subnet.zone);
                });
            }
            "network-interface" => {
                self.add("ec2:NetworkInterfaceID", id);
                let subnet =
                    state.get::<NetworkInterface>(id).and_then(|found| state.get::<Subnet>(&found.subnet));
                subnet.into_iter().for_each(|subnet| self.add_place(subnet));
            }
            "security-group" => {
                self.add("ec2:SecurityGroupID", id);
                self.add_of(state, id, |keys, group: &SecurityGroup| keys.add_vpc(group, &group.vpc));
            }
            "route-table" => {
                self.add("ec2:RouteTableID", id);
                self.add_of(state, id, |keys, table: &RouteTable| keys.add_vpc(table, &table.vpc));
            }
            "network-acl" => {
                self.add("ec2:NetworkAclID", id);
                self.add_of(state, id, |keys, acl: &NetworkAcl| keys.add_vpc(acl, &acl.vpc));
            }
            "natgateway" => self.add_of(state, id, |keys, nat: &NatGateway| keys.add_vpc(nat, &nat.vpc)),
            "internet-gateway" => self.add("ec2:InternetGatewayID", id),
            "dhcp-options" => self.add("ec2:DhcpOptionsID", id),
            "elastic-ip" => {
                self.add("ec2:AllocationId", id);
                self.add("ec2:Domain", "vpc");
                self.add_of(state, id, |keys, elastic: &ElasticAddress| {
                    keys.add("ec2:PublicIpAddress", elastic.address);
                });
            }
            "instance" => {
                self.add("ec2:InstanceID", id);
                self.add_of(state, id, Self::add_instance);
            }
            "vpc-endpoint" => self.add_of(state, id, |keys, endpoint: &VpcEndpoint| {
                keys.add_service(state, &endpoint.service_name, &endpoint.region);
            }),
            "vpc-endpoint-service" => self.add_of(state, id, |keys, service: &EndpointService| {
                keys.add("ec2:VpceServiceRegion", &service.region);
                if let Some(private_dns) = &service.private_dns {
                    keys.add("ec2:VpceServicePrivateDnsName", &private_dns.name);
                }
            }),
            _ => {}
        }
    }

    fn add_of<T: Owned>(&mut self, state: &Snapshot, id: &str, add: impl FnOnce(&mut Self, &T)) {
        if let Some(found) = state.get::<T>(id) {
            add(self, found);
        }
    }

    fn add_vpc(&mut self, of: &impl Owned, vpc: &VpcId) {
        self.add("ec2:Vpc", format!("arn:aws:ec2:{}:{}:vpc/{vpc}", of.region(), of.owner()));
    }

    /// Of an interface that is, or is made, in this subnet.
    pub(crate) fn add_place(&mut self, subnet: &Subnet) {
        self.add("ec2:Subnet", subnet.arn());
        self.add_vpc(subnet, &subnet.vpc);
        self.add("ec2:AvailabilityZone", &subnet.zone);
    }

    pub(crate) fn add_zone(&mut self, zone: &str) {
        self.add("ec2:AvailabilityZone", zone);
        if let Some(found) = Zone::find(zone) {
            self.add("ec2:AvailabilityZoneId", found.id);
        }
    }

    fn add_instance(&mut self, instance: &Instance) {
        self.add_zone(&instance.zone);
        self.add("ec2:InstanceMarketType", "on-demand");
        self.add("ec2:RootDeviceType", "ebs");
        let Some(launch) = &instance.launch else { return };
        self.add("ec2:InstanceType", &launch.instance_type);
        self.add("ec2:EbsOptimized", launch.kept.ebs_optimized);
        self.add("ec2:Tenancy", &launch.kept.tenancy);
        self.add_metadata(&launch.metadata);
        if let Some(profile) = &launch.profile {
            self.add("ec2:InstanceProfile", &profile.arn);
        }
    }

    /// Of how an instance reads its metadata.
    pub(crate) fn add_metadata(&mut self, options: &MetadataOptions) {
        let word = |on: bool| if on { "enabled" } else { "disabled" };
        self.add("ec2:MetadataHttpEndpoint", word(options.enabled));
        self.add("ec2:MetadataHttpTokens", if options.tokens_required { "required" } else { "optional" });
        self.add("ec2:MetadataHttpPutResponseHopLimit", options.hop_limit);
        self.add("ec2:InstanceMetadataTags", word(options.tags));
    }

    /// Of what a volume is, or is to be.
    pub(crate) fn add_volume(&mut self, volume: &Volume) {
        self.add("ec2:VolumeType", &volume.kind);
        self.add("ec2:VolumeSize", volume.size);
        self.add("ec2:Encrypted", volume.encrypted);
        let numbers = [("ec2:VolumeIops", volume.iops), ("ec2:VolumeThroughput", volume.throughput)];
        for (key, number) in numbers {
            number.into_iter().for_each(|number| self.add(key, number));
        }
    }

    /// Of an endpoint to the service of this name, which is in this region.
    pub(crate) fn add_service(&mut self, state: &Snapshot, service: &str, region: &str) {
        self.add("ec2:VpceServiceName", service);
        self.add("ec2:VpceServiceRegion", region);
        let of_customer = || {
            let id = service.strip_prefix("com.amazonaws.vpce.")?.rsplit('.').next()?;
            state.get::<EndpointService>(id).map(|found| found.owner.as_str())
        };
        let owner = AwsService::find(service).map(|_| "amazon").or_else(of_customer);
        owner.into_iter().for_each(|owner| self.add("ec2:VpceServiceOwner", owner));
    }
}

//! What tests begin with: a control plane, a caller, and short ways to make things.

use std::sync::{Arc, Mutex};

use linkway_control::{Caller, Control, Settings};
use linkway_model::Timestamp;
use linkway_store::Store;
use linkway_wire::ApiError;
use linkway_wire::ec2::*;

/// A control plane, with a clock that tests move.
pub(crate) struct World {
    pub(crate) control: Control,
    pub(crate) store: Arc<Store>,
    pub(crate) clock: Arc<Mutex<Timestamp>>,
}

impl World {
    pub(crate) fn new() -> Self {
        let store = Arc::new(Store::ephemeral());
        let clock = Arc::new(Mutex::new("2026-01-02T03:04:05Z".parse::<Timestamp>().unwrap()));
        let time = Arc::clone(&clock);
        let settings = Settings { clock: Arc::new(move || *time.lock().unwrap()), ..Settings::default() };
        Self { control: Control::new(Arc::clone(&store), settings), store, clock }
    }

    pub(crate) fn create_vpc(&self, cidr: &str) -> Result<Vpc, ApiError> {
        let input = CreateVpcRequest { cidr_block: some(cidr), ..Default::default() };
        self.control.create_vpc(&caller(), input).map(|answer| answer.vpc.unwrap())
    }

    /// A VPC's id.
    pub(crate) fn vpc(&self, cidr: &str) -> String {
        self.create_vpc(cidr).unwrap().vpc_id.unwrap()
    }

    /// The default VPC's id.
    pub(crate) fn default_vpc(&self) -> String {
        let input =
            DescribeVpcsRequest { filters: vec![filter("is-default", &["true"])], ..Default::default() };
        self.control.describe_vpcs(&caller(), input).unwrap().vpcs.remove(0).vpc_id.unwrap()
    }

    /// Delete the default VPC, and what stands in the way.
    pub(crate) fn delete_default_vpc(&self) {
        let vpc = self.default_vpc();
        let of_vpc = vec![filter("vpc-id", &[&vpc])];
        let input = DescribeSubnetsRequest { filters: of_vpc, ..Default::default() };
        for subnet in self.control.describe_subnets(&caller(), input).unwrap().subnets {
            let input = DeleteSubnetRequest { subnet_id: subnet.subnet_id, dry_run: None };
            self.control.delete_subnet(&caller(), input).unwrap();
        }
        let groups = self.store.snapshot().security_groups.clone();
        for group in groups.values().filter(|group| group.vpc.as_str() == vpc && group.name != "default") {
            let input =
                DeleteSecurityGroupRequest { group_id: some(group.id.as_str()), ..Default::default() };
            self.control.delete_security_group(&caller(), input).unwrap();
        }
        let input = DescribeInternetGatewaysRequest {
            filters: vec![filter("attachment.vpc-id", &[&vpc])],
            ..Default::default()
        };
        let gateway = self.control.describe_internet_gateways(&caller(), input).unwrap();
        let gateway = gateway.internet_gateways[0].internet_gateway_id.clone();
        let input = DetachInternetGatewayRequest {
            internet_gateway_id: gateway,
            vpc_id: Some(vpc.clone()),
            dry_run: None,
        };
        self.control.detach_internet_gateway(&caller(), input).unwrap();
        self.control.delete_vpc(&caller(), DeleteVpcRequest { vpc_id: Some(vpc), dry_run: None }).unwrap();
    }

    /// The id of an internet gateway that is attached to `vpc`.
    pub(crate) fn gateway(&self, vpc: &str) -> String {
        let made = self.control.create_internet_gateway(&caller(), Default::default()).unwrap();
        let id = made.internet_gateway.unwrap().internet_gateway_id.unwrap();
        self.attach_gateway(&id, vpc).unwrap();
        id
    }

    pub(crate) fn attach_gateway(&self, gateway: &str, vpc: &str) -> Result<(), ApiError> {
        let input = AttachInternetGatewayRequest {
            internet_gateway_id: some(gateway),
            vpc_id: some(vpc),
            dry_run: None,
        };
        self.control.attach_internet_gateway(&caller(), input)
    }

    pub(crate) fn detach_gateway(&self, gateway: &str, vpc: &str) -> Result<(), ApiError> {
        let input = DetachInternetGatewayRequest {
            internet_gateway_id: some(gateway),
            vpc_id: some(vpc),
            dry_run: None,
        };
        self.control.detach_internet_gateway(&caller(), input)
    }

    /// A route table's id.
    pub(crate) fn table(&self, vpc: &str) -> String {
        let input = CreateRouteTableRequest { vpc_id: some(vpc), ..Default::default() };
        let made = self.control.create_route_table(&caller(), input).unwrap();
        made.route_table.unwrap().route_table_id.unwrap()
    }

    pub(crate) fn describe_table(&self, id: &str) -> RouteTable {
        let input = DescribeRouteTablesRequest { route_table_ids: vec![id.into()], ..Default::default() };
        self.control.describe_route_tables(&caller(), input).unwrap().route_tables.remove(0)
    }

    /// An elastic address: its allocation, and itself.
    pub(crate) fn address(&self) -> (String, String) {
        let made = self.control.allocate_address(&caller(), Default::default()).unwrap();
        (made.allocation_id.unwrap(), made.public_ip.unwrap())
    }

    /// Let every life cycle go on: the packet path follows.
    pub(crate) fn advance(&self) {
        let now = *self.clock.lock().unwrap();
        self.control.advance(self.store.snapshot().revision, now);
    }

    pub(crate) fn create_subnet(&self, vpc: &str, cidr: &str, zone: &str) -> Result<Subnet, ApiError> {
        let input = CreateSubnetRequest {
            vpc_id: some(vpc),
            cidr_block: some(cidr),
            availability_zone: some(zone),
            ..Default::default()
        };
        self.control.create_subnet(&caller(), input).map(|answer| answer.subnet.unwrap())
    }

    /// A subnet's id, in the region's first zone.
    pub(crate) fn subnet(&self, vpc: &str, cidr: &str) -> String {
        self.create_subnet(vpc, cidr, "us-east-1a").unwrap().subnet_id.unwrap()
    }

    pub(crate) fn create_group(&self, vpc: &str, name: &str) -> Result<String, ApiError> {
        let input = CreateSecurityGroupRequest {
            vpc_id: some(vpc),
            group_name: some(name),
            description: some("for tests"),
            ..Default::default()
        };
        self.control.create_security_group(&caller(), input).map(|answer| answer.group_id.unwrap())
    }

    /// A security group's id.
    pub(crate) fn group(&self, vpc: &str, name: &str) -> String {
        self.create_group(vpc, name).unwrap()
    }

    pub(crate) fn describe_group(&self, id: &str) -> SecurityGroup {
        let input = DescribeSecurityGroupsRequest { group_ids: vec![id.into()], ..Default::default() };
        self.control.describe_security_groups(&caller(), input).unwrap().security_groups.remove(0)
    }

    pub(crate) fn allow_in(
        &self,
        group: &str,
        permissions: Vec<IpPermission>,
    ) -> Result<AuthorizeSecurityGroupIngressResult, ApiError> {
        let input = AuthorizeSecurityGroupIngressRequest {
            group_id: some(group),
            ip_permissions: permissions,
            ..Default::default()
        };
        self.control.authorize_security_group_ingress(&caller(), input)
    }

    pub(crate) fn create_interface(&self, subnet: &str) -> Result<NetworkInterface, ApiError> {
        let input = CreateNetworkInterfaceRequest { subnet_id: some(subnet), ..Default::default() };
        self.control
            .create_network_interface(&caller(), input)
            .map(|answer| answer.network_interface.unwrap())
    }

    pub(crate) fn tag(&self, id: &str, key: &str, value: &str) -> Result<(), ApiError> {
        let input = CreateTagsRequest {
            resources: vec![id.into()],
            tags: vec![tag(key, value)],
            ..Default::default()
        };
        self.control.create_tags(&caller(), input)
    }
}

pub(crate) fn caller() -> Caller {
    caller_of("111111111111", "us-east-1")
}

pub(crate) fn caller_of(account: &str, region: &str) -> Caller {
    Caller::root(account.parse().unwrap(), region.into())
}

pub(crate) fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub(crate) fn tag(key: &str, value: &str) -> Tag {
    Tag { key: some(key), value: some(value) }
}

pub(crate) fn filter(name: &str, values: &[&str]) -> Filter {
    Filter { name: some(name), values: values.iter().map(|value| (*value).to_owned()).collect() }
}

/// A permission with one range.
pub(crate) fn range(protocol: &str, ports: Option<(i32, i32)>, cidr: &str) -> IpPermission {
    IpPermission {
        ip_protocol: some(protocol),
        from_port: ports.map(|(from, _)| from),
        to_port: ports.map(|(_, to)| to),
        ip_ranges: vec![IpRange { cidr_ip: some(cidr), description: None }],
        ..Default::default()
    }
}

/// A permission with one group.
pub(crate) fn peer(protocol: &str, port: i32, group: &str) -> IpPermission {
    IpPermission {
        ip_protocol: some(protocol),
        from_port: Some(port),
        to_port: Some(port),
        user_id_group_pairs: vec![UserIdGroupPair { group_id: some(group), ..Default::default() }],
        ..Default::default()
    }
}

/// AWS's words for a VPC in which something is.
pub(crate) fn in_use(vpc: &str) -> String {
    format!("The vpc '{vpc}' has dependencies and cannot be deleted.")
}

/// Asserts that something was refused with this code, and these words somewhere in the message.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, ApiError>, code: &str, words: &str) {
    let error = answer.expect_err("this must be refused");
    assert_eq!(error.code, code, "{error}");
    assert!(error.message.contains(words), "{error}");
}

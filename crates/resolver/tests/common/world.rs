//! Snapshots, built by hand.

use std::net::Ipv4Addr;
use std::sync::Arc;

use linkway_model::aws_prefix_list::AwsPrefixList;
use linkway_model::aws_service::AwsService;
use linkway_model::database::{DbEngine, DbInstance, DbStatus};
use linkway_model::endpoint_service::{EndpointService, PrivateDns, ServiceState, VerificationState};
use linkway_model::instance::{Instance, InstanceState};
use linkway_model::ip_address_type::IpAddressType;
use linkway_model::load_balancer::*;
use linkway_model::network_interface::{InterfaceRole, Mac, NetworkInterface};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::{Vpc, VpcCidr};
use linkway_model::vpc_endpoint::{DnsRecordIpType, EndpointState, EndpointSubnet, Gateway, VpcEndpoint};
use linkway_model::*;

pub const HEALTHY: TargetHealth = TargetHealth::Healthy;
pub const DOWN: TargetHealth = TargetHealth::Unhealthy(HealthReason::Timeout);

/// A state in the making. What it makes belongs to one account.
#[derive(Default)]
pub struct World {
    pub snapshot: Snapshot,
    interfaces: u32,
}

impl World {
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::new(self.snapshot.clone())
    }

    pub fn put<T: Resource>(&mut self, document: T) {
        self.snapshot.revision += 1;
        self.snapshot.put(Arc::new(document));
    }

    pub fn get<T: Resource>(&self, id: impl AsRef<str>) -> Arc<T> {
        Arc::clone(self.snapshot.get::<T>(id).unwrap())
    }

    pub fn change<T: Resource>(&mut self, id: impl AsRef<str>, change: impl FnOnce(&mut T)) {
        let mut document = T::clone(&self.get::<T>(id));
        change(&mut document);
        self.put(document);
    }

    /// A VPC with both DNS attributes on.
    pub fn vpc(&mut self, region: &str, cidr: &str) -> VpcId {
        let id = VpcId::random();
        self.put(Vpc {
            id: id.clone(),
            number: self.snapshot.vpcs.len() as u32 + 1,
            owner: owner(),
            region: region.into(),
            cidrs: vec![VpcCidr { association: VpcCidrAssociationId::random(), cidr: cidr.parse().unwrap() }],
            ipv6_cidrs: Vec::new(),
            tenancy: "default".into(),
            is_default: false,
            enable_dns_support: true,
            enable_dns_hostnames: true,
            enable_network_address_usage_metrics: false,
            dhcp_options: DhcpOptionsId::random(),
            default_security_group: SecurityGroupId::random(),
            main_route_table: RouteTableId::random(),
            default_network_acl: NetworkAclId::random(),
            tags: Tags::new(),
        });
        id
    }

    pub fn subnet(&mut self, vpc: &VpcId, zone: &str, cidr: &str) -> SubnetId {
        let id = SubnetId::random();
        self.put(Subnet {
            id: id.clone(),
            owner: owner(),
            region: self.get::<Vpc>(vpc).region.clone(),
            vpc: vpc.clone(),
            cidr: cidr.parse().unwrap(),
            ipv6_cidr: None,
            assign_ipv6_address_on_creation: false,
            enable_dns64: false,
            resource_name_aaaa_record: false,
            zone: zone.into(),
            default_for_az: false,
            map_public_ip_on_launch: false,
            hostname_type: "ip-name".into(),
            resource_name_a_record: false,
            network_acl: (NetworkAclAssociationId::random(), NetworkAclId::random()),
            tags: Tags::new(),
        });
        id
    }

    /// An interface. Its number is one more than the last one's.
    pub fn interface(&mut self, subnet: &SubnetId, address: &str, role: InterfaceRole) -> NetworkInterfaceId {
        let (id, subnet) = (NetworkInterfaceId::random(), self.get::<Subnet>(subnet));
        self.interfaces += 1;
        self.put(NetworkInterface {
            id: id.clone(),
            number: self.interfaces,
            owner: owner(),
            region: subnet.region.clone(),
            vpc: subnet.vpc.clone(),
            subnet: subnet.id.clone(),
            description: String::new(),
            mac: Mac::of(self.interfaces),
            address: address.parse().unwrap(),
            secondary_addresses: Vec::new(),
            ipv6_addresses: Vec::new(),
            primary_ipv6: false,
            groups: Vec::new(),
            source_dest_check: true,
            role,
            created: Timestamp::UNIX_EPOCH,
            tags: Tags::new(),
        });
        id
    }

    /// An instance that runs, with the interface that is there for it.
    pub fn instance(&mut self, id: &InstanceId, subnet: &SubnetId, interface: &NetworkInterfaceId) {
        let placed = self.get::<Subnet>(subnet);
        self.put(Instance {
            id: id.clone(),
            reservation: ReservationId::random(),
            owner: placed.owner.clone(),
            region: placed.region.clone(),
            vpc: placed.vpc.clone(),
            subnet: subnet.clone(),
            zone: placed.zone.clone(),
            interface: interface.clone(),
            command: Vec::new(),
            launch: None,
            process: None,
            state: InstanceState::Running,
            cause: None,
            reason: String::new(),
            launched: Timestamp::UNIX_EPOCH,
            ended: None,
            tags: Tags::new(),
        });
    }

    /// An interface to ask from. Returns its number.
    pub fn workload(&mut self, subnet: &SubnetId, address: &str) -> u32 {
        self.interface(subnet, address, InterfaceRole::Available);
        self.interfaces
    }

    /// A balancer with a node in each subnet, and one listener on port 5432, that forwards to `targets`.
    pub fn balancer(
        &mut self,
        nodes: &[(&SubnetId, &str)],
        targets: &[(&str, TargetHealth)],
    ) -> (String, String) {
        let number = self.snapshot.load_balancers.len();
        let arn = format!("arn:aws:elasticloadbalancing:us-east-1:{}:loadbalancer/net/lb{number}/0", owner());
        let nodes: Vec<_> = nodes
            .iter()
            .map(|(subnet, address)| LoadBalancerNode {
                subnet: (*subnet).clone(),
                zone: self.get::<Subnet>(subnet).zone.clone(),
                interface: self.interface(
                    subnet,
                    address,
                    InterfaceRole::LoadBalancer { load_balancer: arn.clone() },
                ),
            })
            .collect();
        let vpc = self.get::<Subnet>(&nodes[0].subnet).vpc.clone();
        self.put(LoadBalancer {
            arn: arn.clone(),
            owner: owner(),
            region: "us-east-1".into(),
            name: format!("lb{number}"),
            vpc,
            internal: true,
            ip_address_type: IpAddressType::Ipv4,
            dns_name: format!("lb{number}-0123456789abcdef.elb.us-east-1.amazonaws.com"),
            nodes,
            groups: Vec::new(),
            filters_private_link: false,
            attributes: Default::default(),
            active: true,
            since: 1,
            created: Timestamp::UNIX_EPOCH,
            tags: Tags::new(),
        });
        let group = self.listener(&arn, 5432, targets);
        (arn, group)
    }

    /// A listener that forwards to a target group of its own. Returns the group.
    pub fn listener(&mut self, balancer: &str, port: u16, targets: &[(&str, TargetHealth)]) -> String {
        let group = self.target_group(self.get::<LoadBalancer>(balancer).vpc.clone(), targets);
        self.put(Listener {
            arn: format!("{balancer}/{port}"),
            owner: owner(),
            region: "us-east-1".into(),
            load_balancer: balancer.into(),
            protocol: Protocol::Tcp,
            port,
            target_group: group.clone(),
            order: None,
            tls: None,
            attributes: Default::default(),
            tags: Tags::new(),
        });
        group
    }

    fn target_group(&mut self, vpc: VpcId, targets: &[(&str, TargetHealth)]) -> String {
        let number = self.snapshot.target_groups.len();
        let arn = format!("arn:aws:elasticloadbalancing:us-east-1:{}:targetgroup/tg{number}/0", owner());
        self.put(TargetGroup {
            arn: arn.clone(),
            owner: owner(),
            region: "us-east-1".into(),
            name: format!("tg{number}"),
            vpc,
            protocol: Protocol::Tcp,
            port: 5432,
            target_type: TargetType::Ip,
            ip_address_type: IpAddressType::Ipv4,
            health_check: HealthCheck {
                protocol: Protocol::Tcp,
                port: None,
                path: String::new(),
                matcher: String::new(),
                interval_seconds: 10,
                timeout_seconds: 5,
                healthy_threshold: 3,
                unhealthy_threshold: 3,
            },
            attributes: Default::default(),
            targets: targets
                .iter()
                .map(|(address, health)| Target {
                    id: TargetId::Ip(address.parse().unwrap()),
                    port: 5432,
                    zone: None,
                    health: *health,
                    draining_since: None,
                })
                .collect(),
            tags: Tags::new(),
        });
        arn
    }

    pub fn set_health(&mut self, group: &str, address: &str, health: TargetHealth) {
        let id = TargetId::Ip(address.parse().unwrap());
        self.change::<TargetGroup>(group, |group| {
            group.targets.iter_mut().find(|target| target.id == id).unwrap().health = health;
        });
    }

    /// A service behind a balancer, in us-east-1.
    pub fn service(&mut self, balancer: &str, private_name: Option<&str>) -> EndpointServiceId {
        let id = EndpointServiceId::random();
        self.put(EndpointService {
            id: id.clone(),
            owner: owner(),
            region: "us-east-1".into(),
            state: ServiceState::Available,
            acceptance_required: false,
            load_balancers: vec![balancer.into()],
            zones: self.get::<LoadBalancer>(balancer).nodes.iter().map(|node| node.zone.clone()).collect(),
            private_dns: private_name.map(|name| PrivateDns {
                name: name.into(),
                state: VerificationState::Verified,
                record_name: "_6e86v84tqgqubxbwii1m".into(),
                record_value: "vpce:l6p0ERxlTt45jevFwOCp".into(),
                verification_requested: false,
            }),
            permissions: Vec::new(),
            supported_ip_address_types: vec!["ipv4".into()],
            owner_pays: false,
            tags: Tags::new(),
        });
        id
    }

    /// An available endpoint, with private DNS if the service has a private name.
    pub fn endpoint(&mut self, service: &EndpointServiceId, places: &[(&SubnetId, &str)]) -> VpcEndpointId {
        let service = self.get::<EndpointService>(service);
        let private_dns = service.private_dns.is_some();
        self.endpoint_to(service.name(), service.id.clone(), private_dns, places)
    }

    /// An available endpoint, with private DNS, to the AWS service of this full name.
    pub fn aws_endpoint(&mut self, name: &str, places: &[(&SubnetId, &str)]) -> VpcEndpointId {
        let id = AwsService::find(name).unwrap().0.id("us-east-1");
        self.endpoint_to(name.to_owned(), id, true, places)
    }

    /// An available gateway endpoint to the AWS service of this full name, which no route table leads to.
    pub fn gateway_endpoint(&mut self, name: &str, subnet: &SubnetId) -> VpcEndpointId {
        let list = AwsPrefixList::all("us-east-1").into_iter().find(|list| list.name == name).unwrap();
        let gateway = Gateway { number: 9_000, prefix_list: list.id, route_tables: Vec::new() };
        let id =
            self.endpoint_to(name.to_owned(), EndpointServiceId::random(), false, &[(subnet, "10.0.1.99")]);
        self.change::<VpcEndpoint>(&id, |endpoint| {
            endpoint.gateway = Some(gateway);
            endpoint.subnets.clear();
        });
        id
    }

    fn endpoint_to(
        &mut self,
        service_name: String,
        service: EndpointServiceId,
        private_dns_enabled: bool,
        places: &[(&SubnetId, &str)],
    ) -> VpcEndpointId {
        let id = VpcEndpointId::random();
        let subnets: Vec<_> = places
            .iter()
            .map(|(subnet, address)| EndpointSubnet {
                subnet: (*subnet).clone(),
                zone: self.get::<Subnet>(subnet).zone.clone(),
                interface: self.interface(
                    subnet,
                    address,
                    InterfaceRole::VpcEndpoint { endpoint: id.clone() },
                ),
                delivered: true,
            })
            .collect();
        self.put(VpcEndpoint {
            id: id.clone(),
            gateway: None,
            owner: owner(),
            region: "us-east-1".into(),
            vpc: self.get::<Subnet>(&subnets[0].subnet).vpc.clone(),
            service_name,
            service,
            state: EndpointState::Available,
            subnets,
            groups: Vec::new(),
            ip_address_type: IpAddressType::Ipv4,
            dns_record_ip_type: DnsRecordIpType::Ipv4,
            private_dns_enabled,
            policy: String::new(),
            dns_label: random_label(8),
            connection: EndpointConnectionId::random(),
            connection_tags: Tags::new(),
            created: Timestamp::UNIX_EPOCH,
            since: 1,
            deleted: None,
            last_error: None,
            tags: Tags::new(),
        });
        id
    }

    /// A DB instance that has this interface. Returns its ARN.
    pub fn database(&mut self, dns_name: &str, status: DbStatus, interface: NetworkInterfaceId) -> String {
        let placed = self.get::<NetworkInterface>(&interface);
        let arn = format!("arn:aws:rds:us-east-1:{}:db:db", owner());
        self.put(DbInstance {
            arn: arn.clone(),
            identifier: "db".into(),
            resource_id: "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ".into(),
            owner: owner(),
            region: "us-east-1".into(),
            engine: DbEngine::Postgres,
            engine_version: "15.18".into(),
            class: "db.t3.micro".into(),
            master_username: "admin".into(),
            master_password: "password".into(),
            database: None,
            port: 5432,
            vpc: placed.vpc.clone(),
            subnet_group: "default".into(),
            subnet: placed.subnet.clone(),
            zone: "us-east-1a".into(),
            instance: InstanceId::random(),
            interface,
            groups: Vec::new(),
            parameter_group: "default.postgres15".into(),
            pending_reboot: false,
            dns_name: dns_name.into(),
            status,
            reason: None,
            process: None,
            stored: Default::default(),
            created: Timestamp::UNIX_EPOCH,
            tags: Tags::new(),
        });
        arn
    }
}

/// What most tests need: a provider with targets in two zones and a consumer with an endpoint in both.
pub struct Shop {
    pub world: World,
    /// Number of an interface in the consumer's VPC, at 10.0.1.5.
    pub client: u32,
    /// Number of an interface in the provider's VPC, which has the same range.
    pub stranger: u32,
    pub vpc: VpcId,
    pub subnet: SubnetId,
    pub balancer: String,
    pub target_group: String,
    pub service: EndpointServiceId,
    pub endpoint: VpcEndpointId,
}

/// Addresses of the endpoint in its zones, and of the targets there.
pub const PLACES: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 0, 1, 10), Ipv4Addr::new(10, 0, 2, 10)];
pub const NODES: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 0, 1, 20), Ipv4Addr::new(10, 0, 2, 20)];
pub const TARGETS: [&str; 2] = ["10.0.1.30", "10.0.2.30"];

impl Shop {
    pub fn new(private_name: Option<&str>) -> Self {
        let mut world = World::default();
        let vpc = world.vpc("us-east-1", "10.0.0.0/16");
        let subnet = world.subnet(&vpc, "us-east-1a", "10.0.1.0/24");
        let other = world.subnet(&vpc, "us-east-1b", "10.0.2.0/24");
        let client = world.workload(&subnet, "10.0.1.5");

        let provider = world.vpc("us-east-1", "10.0.0.0/16");
        let first = world.subnet(&provider, "us-east-1a", "10.0.1.0/24");
        let second = world.subnet(&provider, "us-east-1b", "10.0.2.0/24");
        let stranger = world.workload(&first, "10.0.1.6");
        let (balancer, target_group) = world.balancer(
            &[(&first, "10.0.1.20"), (&second, "10.0.2.20")],
            &TARGETS.map(|target| (target, HEALTHY)),
        );
        let service = world.service(&balancer, private_name);
        let endpoint = world.endpoint(&service, &[(&subnet, "10.0.1.10"), (&other, "10.0.2.10")]);
        Self { world, client, stranger, vpc, subnet, balancer, target_group, service, endpoint }
    }

    pub fn regional_name(&self) -> String {
        self.world.get::<VpcEndpoint>(&self.endpoint).regional_name()
    }

    pub fn zonal_name(&self, zone: &str) -> String {
        self.world.get::<VpcEndpoint>(&self.endpoint).zonal_name(zone)
    }
}

fn owner() -> AccountId {
    "123456789012".parse().unwrap()
}

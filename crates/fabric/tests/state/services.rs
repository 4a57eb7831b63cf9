//! Balancers, what is behind them, endpoint services and endpoints.

use linkway_model::load_balancer::*;

use super::*;

impl State {
    /// A balancer without security groups, with a node at each address of a subnet.
    pub fn balancer(&mut self, nodes: &[(&SubnetId, &str)]) -> String {
        let arn = format!(
            "arn:aws:elasticloadbalancing:{REGION}:{}:loadbalancer/net/{}",
            account(),
            self.last_number
        );
        let nodes: Vec<LoadBalancerNode> = nodes
            .iter()
            .map(|(subnet, address)| {
                let role = InterfaceRole::LoadBalancer { load_balancer: arn.clone() };
                LoadBalancerNode {
                    subnet: (*subnet).clone(),
                    zone: self.get::<Subnet>(subnet).zone.clone(),
                    interface: self.interface(subnet, address, &[], role),
                }
            })
            .collect();
        let vpc = self.get::<Subnet>(&nodes[0].subnet).vpc.clone();
        self.put(LoadBalancer {
            arn: arn.clone(),
            owner: account(),
            region: REGION.to_owned(),
            name: "balancer".to_owned(),
            vpc,
            internal: true,
            ip_address_type: IpAddressType::Ipv4,
            dns_name: String::new(),
            nodes,
            groups: Vec::new(),
            filters_private_link: true,
            attributes: BTreeMap::new(),
            active: true,
            since: 0,
            created: Timestamp::UNIX_EPOCH,
            tags: Tags::new(),
        });
        arn
    }

    /// A target group of healthy targets.
    pub fn target_group(&mut self, vpc: &VpcId, port: u16, targets: &[TargetId]) -> String {
        let number = self.next_number();
        let arn = format!("arn:aws:elasticloadbalancing:{REGION}:{}:targetgroup/{number}", account());
        let targets = targets.iter().map(|id| target(id.clone(), port)).collect();
        self.put(TargetGroup {
            arn: arn.clone(),
            owner: account(),
            region: REGION.to_owned(),
            name: "targets".to_owned(),
            vpc: vpc.clone(),
            protocol: Protocol::Tcp,
            port,
            target_type: TargetType::Instance,
            ip_address_type: IpAddressType::Ipv4,
            health_check: HealthCheck {
                protocol: Protocol::Tcp,
                port: None,
                path: String::new(),
                matcher: String::new(),
                interval_seconds: 30,
                timeout_seconds: 10,
                healthy_threshold: 5,
                unhealthy_threshold: 2,
            },
            attributes: BTreeMap::new(),
            targets,
            tags: Tags::new(),
        });
        arn
    }

    pub fn listener(&mut self, balancer: &str, protocol: Protocol, port: u16, group: &str) -> String {
        let arn = format!("{balancer}/listener/{}", self.next_number());
        self.put(Listener {
            arn: arn.clone(),
            owner: account(),
            region: REGION.to_owned(),
            load_balancer: balancer.to_owned(),
            protocol,
            port,
            target_group: group.to_owned(),
            order: None,
            tls: None,
            attributes: BTreeMap::new(),
            tags: Tags::new(),
        });
        arn
    }

    pub fn service(&mut self, balancers: &[&str]) -> EndpointServiceId {
        let id = EndpointServiceId::random();
        self.put(EndpointService {
            id: id.clone(),
            owner: account(),
            region: REGION.to_owned(),
            state: ServiceState::Available,
            acceptance_required: false,
            load_balancers: balancers.iter().map(|arn| (*arn).to_owned()).collect(),
            zones: Vec::new(),
            private_dns: None,
            permissions: Vec::new(),
            supported_ip_address_types: vec!["ipv4".to_owned()],
            owner_pays: false,
            tags: Tags::new(),
        });
        id
    }

    /// An available endpoint of an endpoint service, with an interface at each address of a subnet.
    pub fn endpoint(
        &mut self,
        service: &EndpointServiceId,
        subnets: &[(&SubnetId, &str)],
        groups: &[&SecurityGroupId],
    ) -> VpcEndpointId {
        let name = self.get::<EndpointService>(service).name();
        self.endpoint_of(name, service.clone(), subnets, groups)
    }

    /// An available endpoint of an AWS service: `rds`, say.
    pub fn aws_endpoint(
        &mut self,
        service: &str,
        subnets: &[(&SubnetId, &str)],
        groups: &[&SecurityGroupId],
    ) -> VpcEndpointId {
        let name = format!("com.amazonaws.{REGION}.{service}");
        let (service, _) = AwsService::find(&name).expect("the catalogue has it");
        self.endpoint_of(name, service.id(REGION), subnets, groups)
    }

    fn endpoint_of(
        &mut self,
        service_name: String,
        service: EndpointServiceId,
        subnets: &[(&SubnetId, &str)],
        groups: &[&SecurityGroupId],
    ) -> VpcEndpointId {
        let id = VpcEndpointId::random();
        let subnets: Vec<EndpointSubnet> = subnets
            .iter()
            .map(|(subnet, address)| EndpointSubnet {
                subnet: (*subnet).clone(),
                zone: self.get::<Subnet>(subnet).zone.clone(),
                interface: self.interface(
                    subnet,
                    address,
                    groups,
                    InterfaceRole::VpcEndpoint { endpoint: id.clone() },
                ),
                delivered: true,
            })
            .collect();
        let vpc = self.get::<Subnet>(&subnets[0].subnet).vpc.clone();
        let groups = groups.iter().map(|group| (*group).clone()).collect();
        let endpoint = endpoint(&id, vpc, service_name, service);
        self.put(VpcEndpoint { subnets, groups, ..endpoint });
        id
    }

    /// An available gateway endpoint, of S3 say, that these route tables lead to.
    pub fn gateway_endpoint(&mut self, service: &str, tables: &[&RouteTableId]) -> VpcEndpointId {
        let id = VpcEndpointId::random();
        let name = format!("com.amazonaws.{REGION}.{service}");
        let (of_aws, _) = AwsService::find(&name).expect("the catalogue has it");
        let vpc = self.get::<RouteTable>(tables[0]).vpc.clone();
        let list =
            AwsPrefixList::all(REGION).into_iter().find(|list| list.name == name).expect("it has a list");
        let gateway = Some(Gateway {
            number: self.next_number(),
            prefix_list: list.id,
            route_tables: tables.iter().map(|table| (*table).clone()).collect(),
        });
        let endpoint = endpoint(&id, vpc, name, of_aws.gateway_id(REGION));
        self.put(VpcEndpoint { gateway, ..endpoint });
        id
    }
}

/// An available endpoint that is nowhere yet.
fn endpoint(id: &VpcEndpointId, vpc: VpcId, service_name: String, service: EndpointServiceId) -> VpcEndpoint {
    VpcEndpoint {
        id: id.clone(),
        owner: account(),
        region: REGION.to_owned(),
        vpc,
        service_name,
        service,
        state: EndpointState::Available,
        subnets: Vec::new(),
        gateway: None,
        groups: Vec::new(),
        ip_address_type: IpAddressType::Ipv4,
        dns_record_ip_type: DnsRecordIpType::Ipv4,
        private_dns_enabled: false,
        policy: String::new(),
        dns_label: "abcdefgh".to_owned(),
        connection: EndpointConnectionId::random(),
        connection_tags: Tags::new(),
        created: Timestamp::UNIX_EPOCH,
        deleted: None,
        since: 0,
        last_error: None,
        tags: Tags::new(),
    }
}

//! A control plane with two accounts, and short ways to make what tests need.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use linkway_control::{Caller, Control, LaunchRequest, Settings};
use linkway_model::instance::Process;
use linkway_model::outside_targets::OutsideTargets;
use linkway_model::{InstanceId, Timestamp};
use linkway_store::Store;
use linkway_wire::ApiError;
use linkway_wire::ec2::*;
use linkway_wire::elbv2::{
    Action, CreateListenerInput, CreateLoadBalancerInput, CreateTargetGroupInput, Elbv2,
    ModifyTargetGroupAttributesInput, TargetGroupAttribute,
};

pub(crate) const REGION: &str = "us-east-1";

/// Everything that a test works with.
pub(crate) struct World {
    pub(crate) control: Control,
    pub(crate) store: Arc<Store>,
    now: Arc<Mutex<Timestamp>>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_outside_targets(&[])
    }

    /// An operator lets targets be in these ranges outside of VPCs.
    pub(crate) fn with_outside_targets(ranges: &[&str]) -> Self {
        let ranges = ranges.iter().map(|range| range.parse().unwrap()).collect();
        let store = Arc::new(Store::ephemeral());
        let now = Arc::new(Mutex::new("2026-01-01T00:00:00Z".parse().unwrap()));
        let clock = Arc::clone(&now);
        let settings = Settings {
            clock: Arc::new(move || *clock.lock().unwrap()),
            outside_targets: OutsideTargets::new(ranges),
            ..Settings::default()
        };
        Self { control: Control::new(Arc::clone(&store), settings), store, now }
    }

    /// The packet path has followed the state, and reconcilers have seen it.
    pub(crate) fn settle(&self) {
        self.control.advance(self.store.snapshot().revision, self.now());
    }

    /// Reconcilers run, and the packet path is still where it was before everything.
    pub(crate) fn reconcile_unapplied(&self) {
        self.control.advance(0, self.now());
    }

    pub(crate) fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    pub(crate) fn pass_seconds(&self, seconds: i64) {
        *self.now.lock().unwrap() += jiff::SignedDuration::from_secs(seconds);
    }

    /// A VPC with a subnet in each of `zones` (letters), as its id and theirs.
    pub(crate) fn network(&self, caller: &Caller, zones: &str) -> (String, Vec<String>) {
        let input = CreateVpcRequest { cidr_block: text("10.0.0.0/16"), ..Default::default() };
        let vpc = self.control.create_vpc(caller, input).unwrap().vpc.unwrap().vpc_id.unwrap();
        let subnets = zones.chars().enumerate().map(|(index, zone)| self.subnet(caller, &vpc, index, zone));
        let subnets = subnets.collect();
        (vpc, subnets)
    }

    /// A subnet `10.0.INDEX.0/24` in the zone with this letter.
    pub(crate) fn subnet(&self, caller: &Caller, vpc: &str, index: usize, zone: char) -> String {
        let input = CreateSubnetRequest {
            vpc_id: text(vpc),
            cidr_block: Some(format!("10.0.{index}.0/24")),
            availability_zone: Some(format!("{REGION}{zone}")),
            ..Default::default()
        };
        self.control.create_subnet(caller, input).unwrap().subnet.unwrap().subnet_id.unwrap()
    }

    /// Switch both DNS attributes of a VPC on.
    pub(crate) fn enable_dns(&self, caller: &Caller, vpc: &str) {
        let on = || Some(AttributeBooleanValue { value: Some(true) });
        for input in [
            ModifyVpcAttributeRequest { enable_dns_support: on(), ..Default::default() },
            ModifyVpcAttributeRequest { enable_dns_hostnames: on(), ..Default::default() },
        ] {
            let input = ModifyVpcAttributeRequest { vpc_id: text(vpc), ..input };
            self.control.modify_vpc_attribute(caller, input).unwrap();
        }
    }

    pub(crate) fn group(&self, caller: &Caller, vpc: &str, name: &str) -> String {
        let input = CreateSecurityGroupRequest {
            vpc_id: text(vpc),
            group_name: text(name),
            description: text("a group"),
            ..Default::default()
        };
        self.control.create_security_group(caller, input).unwrap().group_id.unwrap()
    }

    /// An internal balancer, not settled.
    pub(crate) fn balancer(&self, caller: &Caller, name: &str, subnets: &[String]) -> String {
        let made = self.control.create_load_balancer(caller, balancer_input(name, subnets)).unwrap();
        made.load_balancers[0].load_balancer_arn.clone().unwrap()
    }

    /// A TCP target group of this type.
    pub(crate) fn target_group(&self, caller: &Caller, name: &str, vpc: &str, target_type: &str) -> String {
        let made = self.control.create_target_group(caller, group_input(name, vpc, target_type)).unwrap();
        made.target_groups[0].target_group_arn.clone().unwrap()
    }

    /// A group of addresses that speak TCP and UDP.
    pub(crate) fn datagram_group(&self, caller: &Caller, name: &str, vpc: &str) -> String {
        let input = CreateTargetGroupInput { protocol: text("TCP_UDP"), ..group_input(name, vpc, "ip") };
        let made = self.control.create_target_group(caller, input).unwrap();
        made.target_groups[0].target_group_arn.clone().unwrap()
    }

    /// A TCP listener that forwards to a group.
    pub(crate) fn listener(&self, caller: &Caller, balancer: &str, port: i32, group: &str) -> String {
        let made = self.control.create_listener(caller, listener_input(balancer, port, group)).unwrap();
        made.listeners[0].listener_arn.clone().unwrap()
    }

    pub(crate) fn set_group_attribute(&self, caller: &Caller, group: &str, key: &str, value: &str) {
        let attributes = vec![TargetGroupAttribute { key: text(key), value: text(value) }];
        let input = ModifyTargetGroupAttributesInput { attributes, target_group_arn: text(group) };
        self.control.modify_target_group_attributes(caller, input).unwrap();
    }

    /// A service behind a new balancer in new subnets of these zones, settled.
    pub(crate) fn service(&self, caller: &Caller, zones: &str, acceptance: bool) -> ServiceConfiguration {
        let (_, subnets) = self.network(caller, zones);
        let balancer = self.balancer(caller, &format!("nlb-{}", self.store.snapshot().revision), &subnets);
        let input = CreateVpcEndpointServiceConfigurationRequest {
            network_load_balancer_arns: vec![balancer],
            acceptance_required: Some(acceptance),
            ..Default::default()
        };
        let id = self.make_service(caller, input).unwrap().service_id.unwrap();
        self.settle();
        self.described_service(caller, &id)
    }

    pub(crate) fn make_service(
        &self,
        caller: &Caller,
        input: CreateVpcEndpointServiceConfigurationRequest,
    ) -> Result<ServiceConfiguration, ApiError> {
        let made = self.control.create_vpc_endpoint_service_configuration(caller, input)?;
        Ok(made.service_configuration.unwrap())
    }

    pub(crate) fn described_service(&self, caller: &Caller, id: &str) -> ServiceConfiguration {
        let input = DescribeVpcEndpointServiceConfigurationsRequest {
            service_ids: vec![id.to_owned()],
            ..Default::default()
        };
        let found = self.control.describe_vpc_endpoint_service_configurations(caller, input).unwrap();
        found.service_configurations.into_iter().next().unwrap()
    }

    pub(crate) fn modify_service(
        &self,
        caller: &Caller,
        id: &str,
        change: ModifyVpcEndpointServiceConfigurationRequest,
    ) -> Result<(), ApiError> {
        let input = ModifyVpcEndpointServiceConfigurationRequest { service_id: text(id), ..change };
        self.control.modify_vpc_endpoint_service_configuration(caller, input).map(|_| ())
    }

    /// Permit a principal to connect.
    pub(crate) fn permit(&self, caller: &Caller, service: &str, principal: &str) {
        let input = ModifyVpcEndpointServicePermissionsRequest {
            service_id: text(service),
            add_allowed_principals: vec![principal.to_owned()],
            ..Default::default()
        };
        self.control.modify_vpc_endpoint_service_permissions(caller, input).unwrap();
    }

    /// Give a service a private DNS name and verify it.
    pub(crate) fn verified_name(&self, caller: &Caller, service: &str, name: &str) {
        let change = ModifyVpcEndpointServiceConfigurationRequest {
            private_dns_name: text(name),
            ..Default::default()
        };
        self.modify_service(caller, service, change).unwrap();
        self.verify(caller, service, true);
    }

    /// Ask for a service's verification and answer it.
    pub(crate) fn verify(&self, caller: &Caller, service: &str, found: bool) {
        let input = StartVpcEndpointServicePrivateDnsVerificationRequest {
            service_id: text(service),
            ..Default::default()
        };
        self.control.start_vpc_endpoint_service_private_dns_verification(caller, input).unwrap();
        let due = self.control.verifications_due();
        let mine = due.iter().find(|due| due.service.as_str() == service).unwrap();
        self.control.record_verification(mine, found);
    }

    pub(crate) fn make_endpoint(
        &self,
        caller: &Caller,
        input: CreateVpcEndpointRequest,
    ) -> Result<VpcEndpoint, ApiError> {
        Ok(self.control.create_vpc_endpoint(caller, input)?.vpc_endpoint.unwrap())
    }

    /// An interface endpoint to a service, in these subnets.
    pub(crate) fn endpoint(
        &self,
        caller: &Caller,
        service: &ServiceConfiguration,
        vpc: &str,
        subnets: &[String],
    ) -> VpcEndpoint {
        self.make_endpoint(caller, endpoint_input(service, vpc, subnets)).unwrap()
    }

    pub(crate) fn described_endpoint(&self, caller: &Caller, id: &str) -> Result<VpcEndpoint, ApiError> {
        let input =
            DescribeVpcEndpointsRequest { vpc_endpoint_ids: vec![id.to_owned()], ..Default::default() };
        Ok(self.control.describe_vpc_endpoints(caller, input)?.vpc_endpoints.remove(0))
    }

    pub(crate) fn endpoint_state(&self, caller: &Caller, id: &str) -> String {
        self.described_endpoint(caller, id).unwrap().state.unwrap()
    }

    pub(crate) fn modify_endpoint(
        &self,
        caller: &Caller,
        id: &str,
        change: ModifyVpcEndpointRequest,
    ) -> Result<(), ApiError> {
        let input = ModifyVpcEndpointRequest { vpc_endpoint_id: text(id), ..change };
        self.control.modify_vpc_endpoint(caller, input).map(|_| ())
    }

    /// Codes and messages of what could not be deleted.
    pub(crate) fn delete_endpoints(&self, caller: &Caller, ids: &[&str]) -> Vec<(String, String)> {
        let vpc_endpoint_ids = ids.iter().map(|id| (*id).to_owned()).collect();
        let input = DeleteVpcEndpointsRequest { vpc_endpoint_ids, ..Default::default() };
        refusals(self.control.delete_vpc_endpoints(caller, input).unwrap().unsuccessful)
    }

    pub(crate) fn delete_services(&self, caller: &Caller, ids: &[&str]) -> Vec<(String, String)> {
        let service_ids = ids.iter().map(|id| (*id).to_owned()).collect();
        let input = DeleteVpcEndpointServiceConfigurationsRequest { service_ids, ..Default::default() };
        refusals(self.control.delete_vpc_endpoint_service_configurations(caller, input).unwrap().unsuccessful)
    }

    pub(crate) fn accept(&self, caller: &Caller, service: &str, endpoint: &str) -> Vec<(String, String)> {
        let input = AcceptVpcEndpointConnectionsRequest {
            service_id: text(service),
            vpc_endpoint_ids: vec![endpoint.to_owned()],
            ..Default::default()
        };
        refusals(self.control.accept_vpc_endpoint_connections(caller, input).unwrap().unsuccessful)
    }

    pub(crate) fn reject(&self, caller: &Caller, service: &str, endpoint: &str) -> Vec<(String, String)> {
        let input = RejectVpcEndpointConnectionsRequest {
            service_id: text(service),
            vpc_endpoint_ids: vec![endpoint.to_owned()],
            ..Default::default()
        };
        refusals(self.control.reject_vpc_endpoint_connections(caller, input).unwrap().unsuccessful)
    }

    /// An instance that runs in a subnet.
    pub(crate) fn instance(&self, subnet: &str) -> InstanceId {
        let request = LaunchRequest {
            subnet: subnet.parse().unwrap(),
            groups: Vec::new(),
            private_ip: None,
            name: None,
            command: vec!["sleep".into()],
        };
        let id = self.control.launch(request).unwrap().id;
        self.control.started(&id, Process { pid: 1, start_time: 1 }).unwrap();
        id
    }

    /// Interfaces of the account, as it sees them.
    pub(crate) fn interfaces(&self, caller: &Caller) -> Vec<NetworkInterface> {
        let input = DescribeNetworkInterfacesRequest::default();
        self.control.describe_network_interfaces(caller, input).unwrap().network_interfaces
    }
}

pub(crate) fn caller(account: &str) -> Caller {
    Caller::root(account.parse().unwrap(), REGION.to_owned())
}

pub(crate) fn provider() -> Caller {
    caller("111111111111")
}

pub(crate) fn consumer() -> Caller {
    caller("222222222222")
}

pub(crate) fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub(crate) fn balancer_input(name: &str, subnets: &[String]) -> CreateLoadBalancerInput {
    CreateLoadBalancerInput {
        name: text(name),
        type_: text("network"),
        scheme: text("internal"),
        subnets: subnets.to_vec(),
        ..Default::default()
    }
}

pub(crate) fn group_input(name: &str, vpc: &str, target_type: &str) -> CreateTargetGroupInput {
    CreateTargetGroupInput {
        name: text(name),
        vpc_id: text(vpc),
        target_type: text(target_type),
        protocol: text("TCP"),
        port: Some(5432),
        ..Default::default()
    }
}

pub(crate) fn listener_input(balancer: &str, port: i32, group: &str) -> CreateListenerInput {
    CreateListenerInput {
        load_balancer_arn: text(balancer),
        protocol: text("TCP"),
        port: Some(port),
        default_actions: vec![forward(group)],
        ..Default::default()
    }
}

pub(crate) fn forward(group: &str) -> Action {
    Action { type_: text("forward"), target_group_arn: text(group), ..Default::default() }
}

pub(crate) fn endpoint_input(
    service: &ServiceConfiguration,
    vpc: &str,
    subnets: &[String],
) -> CreateVpcEndpointRequest {
    CreateVpcEndpointRequest {
        vpc_endpoint_type: text("Interface"),
        service_name: service.service_name.clone(),
        vpc_id: text(vpc),
        subnet_ids: subnets.to_vec(),
        ..Default::default()
    }
}

/// Code and message of an answer that must be an error.
pub(crate) fn refusal<T: Debug>(answer: Result<T, ApiError>) -> (String, String) {
    let error = answer.unwrap_err();
    (error.code, error.message)
}

fn refusals(items: Vec<UnsuccessfulItem>) -> Vec<(String, String)> {
    let pair = |item: UnsuccessfulItem| {
        let error = item.error.unwrap();
        (error.code.unwrap(), error.message.unwrap())
    };
    items.into_iter().map(pair).collect()
}

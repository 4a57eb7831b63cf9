//! Registering targets, their health, and draining.

use linkway_model::load_balancer::{HealthReason, TargetHealth as Health, TargetId};
use linkway_wire::ApiError;
use linkway_wire::elbv2::*;

use crate::world::{World, consumer, provider, refusal, text};

struct Set {
    world: World,
    vpc: String,
    subnets: Vec<String>,
    balancer: String,
    group: String,
}

/// A group of addresses that no listener uses yet.
fn set() -> Set {
    set_in(World::new())
}

fn set_in(world: World) -> Set {
    let (vpc, subnets) = world.network(&provider(), "ab");
    let balancer = world.balancer(&provider(), "db", &subnets);
    let group = world.target_group(&provider(), "db", &vpc, "ip");
    Set { world, vpc, subnets, balancer, group }
}

fn target(id: &str, port: Option<i32>) -> TargetDescription {
    TargetDescription { id: text(id), port, ..Default::default() }
}

#[test]
fn a_group_has_a_thousand_targets_at_most() {
    let set = set();
    let register = |ports: std::ops::RangeInclusive<i32>| {
        let targets = ports.map(|port| target("10.0.0.9", Some(port))).collect();
        let input = RegisterTargetsInput { target_group_arn: text(&set.group), targets };
        set.world.control.register_targets(&provider(), input).map(|_| ())
    };
    register(1..=1000).unwrap();
    assert_eq!(refusal(register(1001..=1001)).0, "TooManyTargets");
    // What is there already is no more.
    register(1000..=1000).unwrap();
}

/// State, reason and description.
type Found = (String, String, String);

fn found(state: &str, reason: &str, description: &str) -> Found {
    (state.to_owned(), reason.to_owned(), description.to_owned())
}

impl Set {
    fn used(self) -> Self {
        self.world.listener(&provider(), &self.balancer, 5432, &self.group);
        self
    }

    fn register(&self, group: &str, target: TargetDescription) -> Result<(), ApiError> {
        let input = RegisterTargetsInput { target_group_arn: text(group), targets: vec![target] };
        self.world.control.register_targets(&provider(), input).map(|_| ())
    }

    fn deregister(&self, target: TargetDescription) -> Result<(), ApiError> {
        let input = DeregisterTargetsInput { target_group_arn: text(&self.group), targets: vec![target] };
        self.world.control.deregister_targets(&provider(), input).map(|_| ())
    }

    fn described(&self, targets: Vec<TargetDescription>) -> Vec<TargetHealthDescription> {
        let input =
            DescribeTargetHealthInput { target_group_arn: text(&self.group), targets, ..Default::default() };
        let found = self.world.control.describe_target_health(&provider(), input).unwrap();
        found.target_health_descriptions
    }

    fn health(&self, id: &str) -> Found {
        let health = self.described(vec![target(id, None)]).remove(0).target_health.unwrap();
        (health.state.unwrap(), health.reason.unwrap_or_default(), health.description.unwrap_or_default())
    }

    fn checked(&self, address: &str, health: Health) {
        let target = TargetId::Ip(address.parse().unwrap());
        self.world.control.record_health(&self.group, &target, 5432, health);
    }
}

#[test]
fn addresses_are_the_vpcs() {
    let set = set();
    set.register(&set.group, target("10.0.1.10", None)).unwrap();
    let described = set.described(Vec::new()).remove(0);
    let its = described.target.unwrap();
    assert_eq!((its.id.as_deref(), its.port), (Some("10.0.1.10"), Some(5432)));
    assert_eq!(its.availability_zone.as_deref(), Some("us-east-1b"));
    assert_eq!(described.health_check_port.as_deref(), Some("5432"));
    // The same again is no other target, on another port it is.
    set.register(&set.group, target("10.0.1.10", Some(5432))).unwrap();
    set.register(&set.group, target("10.0.1.10", Some(5433))).unwrap();
    assert_eq!(set.described(Vec::new()).len(), 2);

    let refused = |id: &str, zone: Option<&str>| {
        let zone = zone.map(str::to_owned);
        refusal(set.register(&set.group, TargetDescription { availability_zone: zone, ..target(id, None) }))
    };
    assert_eq!(
        refused("10.0.0.10", Some("all")),
        (
            "ValidationError".into(),
            "The IP address '10.0.0.10' is within the VPC, and cannot have its Availability Zone overridden to \
             'all' from 'us-east-1a'"
                .into()
        )
    );
    assert_eq!(refused("db.example.com", None).0, "ValidationError");
    assert_eq!(refused("i-00000000000000000", None).0, "ValidationError");
    assert_eq!(refused("10.0.0.10", Some("us-east-1b")).0, "ValidationError");
    assert_eq!(refused("10.0.0.10", Some("us-east-1z")).0, "ValidationError");
    assert_eq!(refusal(set.register(&set.group, target("10.0.0.10", Some(0)))).0, "ValidationError");
    assert_eq!(
        refusal(set.register(&format!("{}0", set.group), target("10.0.0.10", None))).0,
        "TargetGroupNotFound"
    );
}

#[test]
fn addresses_outside_are_the_operators_to_name() {
    let at =
        |id: &str, zone: &str| TargetDescription { availability_zone: text(zone), ..target(id, Some(80)) };
    let closed = set();
    assert_eq!(
        refusal(closed.register(&closed.group, target("192.0.2.1", None))),
        (
            "ValidationError".into(),
            "You must specify a valid Availability Zone or select 'all' for all enabled Availability zones, since \
             the IP address '192.0.2.1' is outside the VPC"
                .into()
        )
    );
    let (code, message) = refusal(closed.register(&closed.group, at("192.0.2.1", "all")));
    assert_eq!(code, "InvalidTarget");
    assert!(message.contains("linkway up --outside-targets CIDR"), "{message}");

    let set = set_in(World::with_outside_targets(&["192.0.2.0/24", "0.0.0.0/0"]));
    set.register(&set.group, at("192.0.2.1", "all")).unwrap();
    set.register(&set.group, at("192.0.2.1", "us-east-1b")).unwrap();
    let zone = set.described(Vec::new()).remove(0).target.unwrap().availability_zone;
    assert_eq!(zone.as_deref(), Some("us-east-1b"));
    let refused = |target| refusal(set.register(&set.group, target)).0;
    assert_eq!(refused(at("192.0.2.1", "us-east-1z")), "ValidationError");
    assert_eq!(refused(target("192.0.2.1", None)), "ValidationError");
    // The host's own ports are nobody's target unless they are named themselves.
    assert_eq!(refused(at("127.0.0.1", "all")), "InvalidTarget");
    assert_eq!(refused(at("169.254.169.254", "all")), "InvalidTarget");
    assert_eq!(refused(at("0.0.0.0", "all")), "InvalidTarget");
    let named = set_in(World::with_outside_targets(&["127.0.0.1/32"]));
    named.register(&named.group, at("127.0.0.1", "all")).unwrap();
    assert_eq!(refusal(named.register(&named.group, at("127.0.0.2", "all"))).0, "InvalidTarget");

    // Half of a request is never carried out.
    let input = RegisterTargetsInput {
        target_group_arn: text(&set.group),
        targets: vec![at("192.0.2.7", "all"), at("127.0.0.1", "all")],
    };
    assert_eq!(refusal(set.world.control.register_targets(&provider(), input)).0, "InvalidTarget");
    assert_eq!(set.described(Vec::new()).len(), 1);
}

#[test]
fn addresses_outside_are_reached_by_tcp_only() {
    let set = set_in(World::with_outside_targets(&["192.0.2.0/24"]));
    let group = set.world.datagram_group(&provider(), "both", &set.vpc);
    let target = TargetDescription { availability_zone: text("all"), ..target("192.0.2.1", None) };
    let (code, message) = refusal(set.register(&group, target));
    assert_eq!(code, "InvalidTarget");
    assert!(message.contains("protocol TCP"), "{message}");
}

#[test]
fn instances_run_and_are_in_the_vpc() {
    let set = set();
    let group = set.world.target_group(&provider(), "instances", &set.vpc, "instance");
    let instance = set.world.instance(&set.subnets[0]);
    set.register(&group, target(instance.as_str(), None)).unwrap();
    let (_, elsewhere) = set.world.network(&provider(), "a");
    let other = set.world.instance(&elsewhere[0]);
    assert_eq!(
        refusal(set.register(&group, target(other.as_str(), None))),
        (
            "InvalidTarget".into(),
            format!("The following targets are not in the target group VPC '{}': '{other}'", set.vpc)
        )
    );
    let (_, theirs) = set.world.network(&consumer(), "a");
    let foreign = set.world.instance(&theirs[0]);
    assert_eq!(refusal(set.register(&group, target(foreign.as_str(), None))).0, "InvalidTarget");
    assert_eq!(
        refusal(set.register(&group, target("web", None))),
        ("ValidationError".into(), "Instance ID 'web' is not valid".into())
    );

    // An instance that ends is no target any more.
    set.world.control.ended(&instance, "exited").unwrap();
    assert_eq!(
        refusal(set.register(&group, target(instance.as_str(), None))).1,
        format!("The following targets are not in a running state and cannot be registered: '{instance}'")
    );
    assert_eq!(set.world.store.snapshot().target_groups[&group].targets.len(), 1);
    set.world.settle();
    assert_eq!(set.world.store.snapshot().target_groups[&group].targets.len(), 0);
}

#[test]
fn health_is_told_in_aws_words() {
    let set = set();
    let address = "10.0.0.10";
    assert_eq!(
        set.health(address),
        found("unused", "Target.NotRegistered", "Target is not registered to the target group")
    );
    set.register(&set.group, target(address, None)).unwrap();
    assert_eq!(
        set.health(address),
        found(
            "unused",
            "Target.NotInUse",
            "Target group is not configured to receive traffic from the load balancer"
        )
    );
    let set = set.used();
    assert_eq!(
        set.health(address),
        found("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
    );
    set.checked(address, Health::Healthy);
    assert_eq!(set.health(address), found("healthy", "", ""));
    for (reason, name) in [
        (HealthReason::Timeout, "Target.Timeout"),
        (HealthReason::FailedHealthChecks, "Target.FailedHealthChecks"),
        (HealthReason::ResponseCodeMismatch, "Target.ResponseCodeMismatch"),
    ] {
        set.checked(address, Health::Unhealthy(reason));
        let (state, told, description) = set.health(address);
        assert_eq!((state.as_str(), told.as_str()), ("unhealthy", name));
        assert!(!description.is_empty());
    }
}

#[test]
fn health_that_is_known_or_nobodys_is_not_written() {
    let set = set().used();
    set.register(&set.group, target("10.0.0.10", None)).unwrap();
    set.checked("10.0.0.10", Health::Healthy);
    let revision = set.world.store.snapshot().revision;
    set.checked("10.0.0.10", Health::Healthy);
    set.checked("10.0.0.11", Health::Healthy);
    set.world.control.record_health(
        "arn",
        &TargetId::Ip(std::net::IpAddr::from([10, 0, 0, 10])),
        5432,
        Health::Healthy,
    );
    assert_eq!(set.world.store.snapshot().revision, revision);
}

#[test]
fn a_deregistered_target_drains_for_the_groups_delay() {
    let set = set().used();
    let address = "10.0.0.10";
    set.register(&set.group, target(address, None)).unwrap();
    set.checked(address, Health::Healthy);
    set.deregister(target(address, None)).unwrap();
    let draining =
        found("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress");
    assert_eq!(set.health(address), draining);
    // A second call does not begin anew.
    set.world.pass_seconds(200);
    set.deregister(target(address, None)).unwrap();
    set.world.pass_seconds(99);
    set.world.settle();
    assert_eq!(set.health(address), draining);
    set.world.pass_seconds(1);
    set.world.settle();
    assert_eq!(set.health(address).1, "Target.NotRegistered");
    // What is not there is deregistered without an error.
    set.deregister(target(address, None)).unwrap();
}

#[test]
fn a_draining_target_can_come_back() {
    let set = set().used();
    let address = "10.0.0.10";
    set.register(&set.group, target(address, None)).unwrap();
    set.checked(address, Health::Healthy);
    set.deregister(target(address, None)).unwrap();
    set.register(&set.group, target(address, None)).unwrap();
    assert_eq!(set.health(address).0, "initial");
    set.world.pass_seconds(1000);
    set.world.settle();
    assert_eq!(set.health(address).0, "initial");
}

#[test]
fn without_a_delay_or_a_listener_nothing_drains() {
    let set = set();
    set.register(&set.group, target("10.0.0.10", None)).unwrap();
    set.deregister(target("10.0.0.10", None)).unwrap();
    assert_eq!(set.described(Vec::new()), []);
    let set = set.used();
    set.world.set_group_attribute(&provider(), &set.group, "deregistration_delay.timeout_seconds", "0");
    set.register(&set.group, target("10.0.0.10", None)).unwrap();
    set.deregister(target("10.0.0.10", None)).unwrap();
    assert_eq!(set.described(Vec::new()), []);
}

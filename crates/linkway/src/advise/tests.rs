use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::security_group::{Direction, Peer, SecurityGroupRule, Traffic};
use linkway_model::service_backend::{Backend, ServiceBackend, Tls, UnknownKeys};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::POLICY_MODE_TAG;
use linkway_model::*;

use super::*;

#[path = "../../../resolver/tests/common/world.rs"]
#[allow(dead_code, unreachable_pub, reason = "a world of another crate's tests, of which these use a part")]
mod world;

use world::{DOWN, Shop, TARGETS, World};

/// An endpoint to RDS in two zones with a narrow policy, a group that lets the VPC in, and an instance that may send.
struct Rds {
    world: World,
    vpc: VpcId,
    subnets: Vec<SubnetId>,
    endpoint: VpcEndpointId,
    group: SecurityGroupId,
    sender: NetworkInterfaceId,
    senders_group: SecurityGroupId,
    public_names: PublicNames,
}

const NARROW: &str =
    r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"rds:Describe*","Resource":"*"}]}"#;

impl Rds {
    fn new() -> Self {
        let mut world = World::default();
        let vpc = world.vpc("us-east-1", "10.0.0.0/16");
        let subnets = vec![
            world.subnet(&vpc, "us-east-1a", "10.0.1.0/24"),
            world.subnet(&vpc, "us-east-1b", "10.0.2.0/24"),
        ];
        let endpoint = world.aws_endpoint(
            "com.amazonaws.us-east-1.rds",
            &[(&subnets[0], "10.0.1.10"), (&subnets[1], "10.0.2.10")],
        );
        let (group, senders_group) = (SecurityGroupId::random(), SecurityGroupId::random());
        let role = InterfaceRole::Instance {
            instance: InstanceId::random(),
            attachment: AttachmentId::random(),
            device_index: 0,
            attached: Timestamp::UNIX_EPOCH,
            delete_on_termination: true,
        };
        let sender = world.interface(&subnets[0], "10.0.1.5", role);
        let mut rds = Self {
            world,
            vpc,
            subnets,
            endpoint,
            group,
            sender,
            senders_group,
            public_names: PublicNames::new(),
        };
        rds.set_groups();
        rds.change(|endpoint| endpoint.policy = NARROW.into());
        rds.rule(rds.group.clone(), Direction::Ingress, Some(443), "10.0.0.0/16");
        rds.rule(rds.senders_group.clone(), Direction::Egress, None, "0.0.0.0/0");
        rds
    }

    fn set_groups(&mut self) {
        let (group, senders_group) = (self.group.clone(), self.senders_group.clone());
        self.world.change::<NetworkInterface>(&self.sender, |one| one.groups = vec![senders_group]);
        for place in self.world.get::<VpcEndpoint>(&self.endpoint).subnets.clone() {
            let group = group.clone();
            self.world.change::<NetworkInterface>(&place.interface, |one| one.groups = vec![group]);
        }
        self.change(|endpoint| endpoint.groups = vec![group]);
    }

    fn change(&mut self, change: impl FnOnce(&mut VpcEndpoint)) {
        self.world.change(&self.endpoint, change);
    }

    /// TCP on a port; everything without one.
    fn rule(&mut self, group: SecurityGroupId, direction: Direction, port: Option<i32>, network: &str) {
        add_rule(&mut self.world, group, direction, port, network);
    }

    fn forget_rules(&mut self) {
        self.world.snapshot.security_group_rules.clear();
    }

    fn findings(&self) -> Vec<Finding> {
        advise(&self.world.snapshot, &self.public_names, Some(&self.endpoint))
    }

    /// Severity and id of each.
    fn ids(&self) -> Vec<(Severity, String)> {
        self.findings().into_iter().map(|finding| (finding.severity, finding.id)).collect()
    }

    /// The only finding, which has this id.
    fn only(&self, id: &str) -> Finding {
        let [finding] = &self.findings()[..] else { panic!("{:?}", self.findings()) };
        assert_eq!(finding.id, id);
        assert!(!finding.message.is_empty() && !finding.remedy.is_empty());
        finding.clone()
    }
}

fn add_rule(
    world: &mut World,
    group: SecurityGroupId,
    direction: Direction,
    port: Option<i32>,
    network: &str,
) {
    let id = SecurityGroupRuleId::random();
    world.put(SecurityGroupRule {
        id,
        number: world.snapshot.security_group_rules.len() as u32 + 1,
        owner: "123456789012".parse().unwrap(),
        region: "us-east-1".into(),
        group,
        direction,
        traffic: Traffic { protocol: port.map(|_| 6), from: port, to: port },
        peer: Peer::Cidr(network.parse().unwrap()),
        description: None,
        tags: Tags::new(),
    });
}

#[test]
fn a_sound_endpoint_has_no_findings() {
    assert_eq!(Rds::new().findings(), []);
}

#[test]
fn groups_must_let_somebody_in_where_the_service_listens() {
    let mut rds = Rds::new();
    rds.forget_rules();
    let finding = rds.only("ingress-closed");
    assert_eq!(finding.severity, Severity::Error);
    assert!(!finding.message.contains("5432"), "{}", finding.message);
    let command = finding.command.unwrap();
    assert!(command.starts_with("aws --region us-east-1 ec2 authorize-security-group-ingress"), "{command}");
    assert!(command.ends_with("--protocol tcp --port 443 --cidr 10.0.0.0/16"), "{command}");

    // The mistake that tutorials teach, explained.
    rds.rule(rds.group.clone(), Direction::Ingress, Some(5432), "10.0.0.0/16");
    let message = rds.only("ingress-closed").message;
    assert!(message.contains("5432, the port of PostgreSQL") && message.contains("tcp 443"), "{message}");

    // Somebody elsewhere is not somebody of the VPC.
    rds.rule(rds.group.clone(), Direction::Ingress, Some(443), "192.168.0.0/16");
    rds.only("ingress-closed");
    rds.rule(rds.group.clone(), Direction::Ingress, None, "10.0.9.0/24");
    assert_eq!(rds.findings(), []);
}

#[test]
fn senders_that_are_let_in_must_be_let_out() {
    let mut rds = Rds::new();
    rds.forget_rules();
    rds.rule(rds.group.clone(), Direction::Ingress, Some(443), "10.0.0.0/16");
    rds.rule(rds.senders_group.clone(), Direction::Egress, Some(5432), "0.0.0.0/0");
    let finding = rds.only("egress-closed");
    assert_eq!(finding.severity, Severity::Error);
    assert!(finding.message.contains("i-"), "{}", finding.message);
    let command = finding.command.unwrap();
    assert!(
        command.contains(rds.senders_group.as_str()) && command.contains(rds.group.as_str()),
        "{command}"
    );

    // Another one gets through.
    let role = InterfaceRole::Namespace {
        attachment: AttachmentId::random(),
        path: "/run/netns/a".into(),
        device: "eth0".into(),
        attached: Timestamp::UNIX_EPOCH,
        container: None,
    };
    let other = rds.world.interface(&rds.subnets[1], "10.0.2.5", role);
    let group = SecurityGroupId::random();
    rds.rule(group.clone(), Direction::Egress, Some(443), "10.0.1.10/32");
    rds.world.change::<NetworkInterface>(&other, |one| one.groups = vec![group]);
    assert_eq!(rds.only("egress-closed").severity, Severity::Warning);

    // One whom the endpoint does not let in is not missed.
    rds.forget_rules();
    rds.rule(rds.group.clone(), Direction::Ingress, Some(443), "10.0.7.0/24");
    assert_eq!(rds.findings(), []);
}

#[test]
fn one_zone_is_few() {
    let mut rds = Rds::new();
    rds.change(|endpoint| drop(endpoint.subnets.pop()));
    let finding = rds.only("single-zone");
    assert_eq!(finding.severity, Severity::Warning);
    let command = finding.command.unwrap();
    assert!(command.contains(&format!("--add-subnet-ids {}", rds.subnets[1])), "{command}");
    rds.world.snapshot.subnets.remove(rds.subnets[1].as_str());
    assert_eq!(rds.only("single-zone").command, None);
    assert!(rds.world.snapshot.get::<Subnet>(&rds.subnets[0]).is_some());
}

#[test]
fn private_dns_is_missed_where_clients_ask_for_the_public_name() {
    let mut rds = Rds::new();
    rds.change(|endpoint| endpoint.private_dns_enabled = false);
    assert_eq!(rds.findings(), [], "nobody asks for it");
    let number = rds.world.get::<Vpc>(&rds.vpc).number;
    rds.public_names.insert((number + 1, "rds.us-east-1.amazonaws.com".into()));
    rds.public_names.insert((number, "sqs.us-east-1.amazonaws.com".into()));
    assert_eq!(rds.findings(), [], "nobody here does");
    rds.public_names.insert((number, "rds.us-east-1.amazonaws.com".into()));
    let finding = rds.only("private-dns-off");
    assert!(finding.command.unwrap().ends_with("--private-dns-enabled"));

    rds.world.change::<Vpc>(&rds.vpc, |vpc| vpc.enable_dns_hostnames = false);
    let finding = rds.only("private-dns-off");
    assert!(finding.command.unwrap().ends_with("--enable-dns-hostnames Value=true"));
    rds.change(|endpoint| endpoint.private_dns_enabled = true);
    assert_eq!(rds.only("private-dns-impossible").severity, Severity::Error);
}

#[test]
fn another_endpoint_may_answer_for_the_name() {
    let mut rds = Rds::new();
    rds.change(|endpoint| endpoint.private_dns_enabled = false);
    let number = rds.world.get::<Vpc>(&rds.vpc).number;
    rds.public_names.insert((number, "rds.us-east-1.amazonaws.com".into()));
    let subnet = rds.subnets[0].clone();
    rds.world.aws_endpoint("com.amazonaws.us-east-1.rds", &[(&subnet, "10.0.1.11")]);
    assert_eq!(rds.findings(), []);
}

#[test]
fn policies_are_looked_at() {
    let mut rds = Rds::new();
    rds.change(|endpoint| endpoint.policy = linkway_policy::DEFAULT_POLICY.into());
    let finding = rds.only("policy-full-access");
    assert_eq!(finding.severity, Severity::Warning);
    assert!(finding.remedy.contains("linkway policy learn"), "{}", finding.remedy);

    rds.change(|endpoint| endpoint.policy = NARROW.replace("Allow", "Deny"));
    let finding = rds.only("policy-allows-nothing");
    assert_eq!(finding.severity, Severity::Error);

    rds.change(|endpoint| endpoint.policy = NARROW.replace("rds:Describe*", "rds:DescribeDatabases"));
    let ids = rds.ids();
    let expected = [
        (Severity::Error, "policy-allows-nothing"),
        (Severity::Error, "policy-unknown-action"),
        (Severity::Warning, "policy-never-applies"),
    ];
    assert_eq!(ids, expected.map(|(severity, id)| (severity, id.to_owned())));

    rds.change(|endpoint| endpoint.policy = NARROW.replace("rds:Describe*", "s3:GetObject"));
    rds.only("policy-action-of-another-service");
    rds.change(|endpoint| endpoint.policy = "{".into());
    assert_eq!(rds.only("policy-syntax").severity, Severity::Error);
}

#[test]
fn a_policy_may_be_only_tried() {
    let mut rds = Rds::new();
    rds.change(|endpoint| drop(endpoint.tags.insert(POLICY_MODE_TAG.into(), "audit".into())));
    assert!(rds.world.get::<VpcEndpoint>(&rds.endpoint).audit_mode());
    assert!(rds.only("audit-mode").command.unwrap().contains("delete-tags"));
    rds.change(|endpoint| drop(endpoint.tags.insert(POLICY_MODE_TAG.into(), "Audit".into())));
    assert!(!rds.world.get::<VpcEndpoint>(&rds.endpoint).audit_mode());
    rds.only("policy-mode-unknown");
}

#[test]
fn a_service_must_be_served_somewhere() {
    let mut rds = Rds::new();
    let subnets = rds.subnets.clone();
    rds.endpoint = rds.world.aws_endpoint(
        "com.amazonaws.us-east-1.s3",
        &[(&subnets[0], "10.0.1.12"), (&subnets[1], "10.0.2.12")],
    );
    rds.set_groups();
    rds.change(|endpoint| endpoint.policy = NARROW.replace("rds:Describe*", "s3:Get*"));
    let finding = rds.only("no-backend");
    let command = finding.command.unwrap();
    assert!(command.starts_with("linkway service set com.amazonaws.us-east-1.s3 --backend"), "{command}");

    let mut backend = ServiceBackend {
        service: "com.amazonaws.us-east-1.s3".into(),
        backend: Backend::Http { authority: "127.0.0.1:9000".into() },
        unknown_keys: UnknownKeys::Reject,
        tls: Tls::Terminate,
    };
    rds.world.put(backend.clone());
    assert_eq!(rds.findings(), []);
    backend.tls = Tls::Passthrough;
    rds.world.put(backend);
    assert_eq!(rds.only("policy-not-enforced").severity, Severity::Error);
}

#[test]
fn endpoints_wait_for_their_provider() {
    let mut rds = Rds::new();
    rds.change(|endpoint| endpoint.state = EndpointState::PendingAcceptance);
    assert_eq!(rds.only("pending-acceptance").severity, Severity::Warning);
    rds.change(|endpoint| endpoint.state = EndpointState::Rejected);
    assert_eq!(rds.only("rejected").severity, Severity::Error);
    rds.change(|endpoint| {
        endpoint.state = EndpointState::Failed;
        endpoint.last_error = Some(("Some.Code".into(), "some reason".into()));
    });
    assert!(rds.only("failed").message.contains("Some.Code, some reason"));
    rds.change(|endpoint| endpoint.state = EndpointState::Deleted);
    assert_eq!(advise(&rds.world.snapshot, &rds.public_names, None), []);
}

#[test]
fn endpoint_services_have_private_names_too() {
    let mut shop = shop_with(Some("db.shop.example.com"));
    let number = shop.world.get::<Vpc>(&shop.vpc).number;
    let asked = PublicNames::from([(number, "db.shop.example.com".to_owned())]);
    assert_eq!(advise(&shop.world.snapshot, &asked, None), []);
    shop.world.change::<VpcEndpoint>(&shop.endpoint, |endpoint| endpoint.private_dns_enabled = false);
    let [finding] = &advise(&shop.world.snapshot, &asked, None)[..] else { panic!("one finding") };
    assert_eq!(finding.id, "private-dns-off");
}

/// A shop whose endpoint lets its VPC in.
fn shop() -> Shop {
    shop_with(None)
}

fn shop_with(private_name: Option<&str>) -> Shop {
    let mut shop = Shop::new(private_name);
    let group = SecurityGroupId::random();
    add_rule(&mut shop.world, group.clone(), Direction::Ingress, Some(5432), "10.0.0.0/16");
    shop.world.change::<VpcEndpoint>(&shop.endpoint, |endpoint| endpoint.groups = vec![group]);
    shop
}

fn ids(shop: &Shop) -> Vec<(Severity, String)> {
    let found = advise(&shop.world.snapshot, &PublicNames::new(), None);
    found.into_iter().map(|finding| (finding.severity, finding.id)).collect()
}

#[test]
fn endpoint_services_need_targets_that_answer() {
    let mut shop = shop();
    assert_eq!(ids(&shop), []);
    let group = shop.target_group.clone();
    shop.world.set_health(&group, TARGETS[0], DOWN);
    let expected =
        [(Severity::Warning, "target-down".to_owned()), (Severity::Warning, "zone-down".to_owned())];
    assert_eq!(ids(&shop), expected);
    let command = |shop: &Shop| {
        let found = advise(&shop.world.snapshot, &PublicNames::new(), None);
        found
            .into_iter()
            .find(|finding| finding.id == "zone-down")
            .and_then(|finding| finding.command)
            .unwrap()
    };
    assert!(command(&shop).contains("modify-load-balancer-attributes"), "{}", command(&shop));
    // A group that forbids it must be told itself.
    shop.world.change::<load_balancer::TargetGroup>(&group, |group| {
        group.attributes.insert(load_balancer::CROSS_ZONE.to_owned(), "false".to_owned());
    });
    assert!(command(&shop).contains("modify-target-group-attributes"), "{}", command(&shop));
    shop.world.set_health(&group, TARGETS[1], DOWN);
    assert_eq!(ids(&shop), [(Severity::Error, "targets-down".to_owned())]);
    shop.world.change::<load_balancer::TargetGroup>(&group, |group| group.targets.clear());
    assert_eq!(ids(&shop), [(Severity::Error, "no-targets".to_owned())]);
    shop.world.snapshot.listeners.clear();
    assert_eq!(ids(&shop), [(Severity::Error, "no-listener".to_owned())]);
}

#[test]
fn endpoint_services_listen_where_their_balancers_do() {
    let mut shop = shop();
    shop.world.snapshot.security_group_rules.clear();
    let group = shop.world.get::<VpcEndpoint>(&shop.endpoint).groups[0].clone();
    add_rule(&mut shop.world, group, Direction::Ingress, Some(443), "10.0.0.0/16");
    let found = advise(&shop.world.snapshot, &PublicNames::new(), Some(&shop.endpoint));
    assert_eq!(found[0].id, "ingress-closed");
    assert!(found[0].message.contains("tcp 5432"), "{}", found[0].message);
}

#[test]
fn every_id_is_in_the_documentation() {
    let documented = include_str!("../../../../docs/advise.md");
    let sources = [
        include_str!("state.rs"),
        include_str!("ingress.rs"),
        include_str!("egress.rs"),
        include_str!("zones.rs"),
        include_str!("dns.rs"),
        include_str!("policy.rs"),
        include_str!("backend.rs"),
        include_str!("targets.rs"),
    ];
    let mut ids = 0;
    for source in sources {
        for call in ["findings.error(", "findings.warn("] {
            for (at, _) in source.match_indices(call) {
                let id = source[at + call.len()..].split('"').nth(1).unwrap();
                assert!(documented.contains(&format!("`{id}`")), "{id} is not documented");
                ids += 1;
            }
        }
    }
    assert!(ids >= 20, "{ids}");
}

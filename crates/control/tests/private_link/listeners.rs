//! Listeners.

use linkway_wire::elbv2::*;

use crate::world::{World, consumer, forward, group_input, listener_input, provider, refusal, text};

struct Set {
    world: World,
    vpc: String,
    balancer: String,
    group: String,
}

fn set() -> Set {
    let world = World::new();
    let (vpc, subnets) = world.network(&provider(), "a");
    let balancer = world.balancer(&provider(), "db", &subnets);
    let group = world.target_group(&provider(), "db", &vpc, "ip");
    Set { world, vpc, balancer, group }
}

impl Set {
    fn create(&self, input: CreateListenerInput) -> Result<Listener, linkway_wire::ApiError> {
        Ok(self.world.control.create_listener(&provider(), input)?.listeners.remove(0))
    }

    fn group_of(&self, name: &str, protocol: &str) -> String {
        let input = CreateTargetGroupInput { protocol: text(protocol), ..group_input(name, &self.vpc, "ip") };
        let made = self.world.control.create_target_group(&provider(), input).unwrap();
        made.target_groups[0].target_group_arn.clone().unwrap()
    }
}

#[test]
fn a_listener_forwards_to_a_group() {
    let set = set();
    let listener = set.create(listener_input(&set.balancer, 5432, &set.group)).unwrap();
    let arn = listener.listener_arn.clone().unwrap();
    assert!(arn.starts_with(&set.balancer.replace(":loadbalancer/", ":listener/")), "{arn}");
    assert_eq!((listener.port, listener.protocol.as_deref()), (Some(5432), Some("TCP")));
    assert_eq!(listener.default_actions[0].target_group_arn.as_ref(), Some(&set.group));
    assert_eq!(listener.default_actions[0].type_.as_deref(), Some("forward"));

    let by_balancer = DescribeListenersInput { load_balancer_arn: text(&set.balancer), ..Default::default() };
    assert_eq!(set.world.control.describe_listeners(&provider(), by_balancer).unwrap().listeners, [listener]);
    let by_arn = || DescribeListenersInput { listener_arns: vec![arn.clone()], ..Default::default() };
    assert_eq!(refusal(set.world.control.describe_listeners(&consumer(), by_arn())).0, "ValidationError");

    let delete = || {
        let input = DeleteListenerInput { listener_arn: text(&arn) };
        set.world.control.delete_listener(&provider(), input)
    };
    delete().unwrap();
    assert_eq!(refusal(delete()), ("ListenerNotFound".into(), "One or more listeners not found".into()));
    assert_eq!(refusal(set.world.control.describe_listeners(&provider(), by_arn())).0, "ListenerNotFound");
}

#[test]
fn an_actions_order_is_kept_as_it_was_given() {
    let set = set();
    let order = |listener: &Listener| listener.default_actions[0].order;
    let ordered = |order| vec![Action { order, ..forward(&set.group) }];
    let plain = set.create(listener_input(&set.balancer, 80, &set.group)).unwrap();
    assert_eq!(order(&plain), None);
    let modify = |order| {
        let input = ModifyListenerInput {
            listener_arn: plain.listener_arn.clone(),
            default_actions: ordered(order),
            ..Default::default()
        };
        set.world.control.modify_listener(&provider(), input).map(|answer| answer.listeners[0].clone())
    };
    assert_eq!(order(&modify(Some(7)).unwrap()), Some(7));
    assert_eq!(order(&modify(None).unwrap()), None);
    for wrong in [0, 50_001] {
        assert_eq!(refusal(modify(Some(wrong))).0, "ValidationError");
    }
}

#[test]
fn a_port_has_one_listener() {
    let set = set();
    let first = set.create(listener_input(&set.balancer, 5432, &set.group)).unwrap();
    // The same settings: the same listener.
    assert_eq!(set.create(listener_input(&set.balancer, 5432, &set.group)).unwrap(), first);
    let udp = CreateListenerInput {
        protocol: text("UDP"),
        ..listener_input(&set.balancer, 5432, &set.group_of("udp", "UDP"))
    };
    assert_eq!(
        refusal(set.create(udp)),
        (
            "DuplicateListener".into(),
            format!("A listener already exists on this port for this load balancer '{}'", set.balancer)
        )
    );
    let second = set.create(listener_input(&set.balancer, 5433, &set.group)).unwrap();
    let move_to = |port| {
        let input = ModifyListenerInput {
            listener_arn: second.listener_arn.clone(),
            port: Some(port),
            ..Default::default()
        };
        set.world.control.modify_listener(&provider(), input).map(|modified| modified.listeners[0].port)
    };
    assert_eq!(refusal(move_to(5432)).0, "DuplicateListener");
    assert_eq!(move_to(5434), Ok(Some(5434)));
}

#[test]
fn a_balancer_has_fifty_listeners_at_most() {
    let set = set();
    for port in 1..=50 {
        set.create(listener_input(&set.balancer, port, &set.group)).unwrap();
    }
    assert_eq!(refusal(set.create(listener_input(&set.balancer, 51, &set.group))).0, "TooManyListeners");
    // One that is there is answered all the same.
    set.create(listener_input(&set.balancer, 50, &set.group)).unwrap();
}

#[test]
fn what_a_listener_cannot_be() {
    let set = set();
    let code = |input| refusal(set.create(input)).0;
    let usual = || listener_input(&set.balancer, 5432, &set.group);
    assert_eq!(code(CreateListenerInput { port: None, ..usual() }), "ValidationError");
    assert_eq!(code(CreateListenerInput { port: Some(65536), ..usual() }), "ValidationError");
    for protocol in ["TLS", "HTTP", "QUIC"] {
        assert_eq!(code(CreateListenerInput { protocol: text(protocol), ..usual() }), "ValidationError");
    }
    assert_eq!(code(CreateListenerInput { protocol: None, ..usual() }), "ValidationError");
    let certified = CreateListenerInput {
        certificates: vec![Certificate { certificate_arn: text("arn"), is_default: None }],
        ..usual()
    };
    assert_eq!(code(certified), "ValidationError");
    let two = vec![forward(&set.group), forward(&set.group)];
    assert_eq!(code(CreateListenerInput { default_actions: two, ..usual() }), "ValidationError");
    let redirect = vec![Action { type_: text("redirect"), ..forward(&set.group) }];
    assert_eq!(code(CreateListenerInput { default_actions: redirect, ..usual() }), "ValidationError");
    let nowhere = vec![Action { target_group_arn: None, ..forward(&set.group) }];
    assert_eq!(code(CreateListenerInput { default_actions: nowhere, ..usual() }), "ValidationError");
    let missing = format!("{}0", set.group);
    assert_eq!(
        refusal(set.create(listener_input(&set.balancer, 5432, &missing))),
        ("TargetGroupNotFound".into(), "One or more target groups not found".into())
    );
    let missing = format!("{}0", set.balancer);
    assert_eq!(code(listener_input(&missing, 5432, &set.group)), "LoadBalancerNotFound");

    let (vpc, _) = set.world.network(&provider(), "a");
    let elsewhere = set.world.target_group(&provider(), "elsewhere", &vpc, "ip");
    assert_eq!(code(listener_input(&set.balancer, 5432, &elsewhere)), "InvalidConfigurationRequest");
}

#[test]
fn listener_and_group_speak_alike() {
    let set = set();
    let groups = ["TCP", "UDP", "TCP_UDP"]
        .map(|protocol| (protocol, set.group_of(&protocol.replace('_', "-"), protocol)));
    let mut fits = Vec::new();
    let mut port = 1000;
    for listener in ["TCP", "UDP", "TCP_UDP"] {
        for (protocol, group) in &groups {
            port += 1;
            let input = CreateListenerInput {
                protocol: text(listener),
                ..listener_input(&set.balancer, port, group)
            };
            match set.create(input) {
                Ok(_) => fits.push((listener, *protocol)),
                Err(error) => assert_eq!(error.code, "IncompatibleProtocols"),
            }
        }
    }
    assert_eq!(
        fits,
        [("TCP", "TCP"), ("TCP", "TCP_UDP"), ("UDP", "UDP"), ("UDP", "TCP_UDP"), ("TCP_UDP", "TCP_UDP")]
    );
}

#[test]
fn a_group_serves_one_balancer() {
    let set = set();
    let subnet = set.world.subnet(&provider(), &set.vpc, 10, 'b');
    let other = set.world.balancer(&provider(), "other", &[subnet]);
    set.world.listener(&provider(), &set.balancer, 5432, &set.group);
    set.world.listener(&provider(), &set.balancer, 5433, &set.group);
    assert_eq!(
        refusal(set.create(listener_input(&other, 5432, &set.group))),
        (
            "TargetGroupAssociationLimit".into(),
            format!(
                "The following target groups cannot be associated with more than one load balancer: {}",
                set.group
            )
        )
    );
}

#[test]
fn listeners_change_their_group_and_keep_attributes() {
    let set = set();
    let arn = set.world.listener(&provider(), &set.balancer, 5432, &set.group);
    let other = set.world.target_group(&provider(), "other", &set.vpc, "ip");
    let input = ModifyListenerInput {
        listener_arn: text(&arn),
        default_actions: vec![Action {
            type_: text("forward"),
            forward_config: Some(ForwardActionConfig {
                target_groups: vec![TargetGroupTuple { target_group_arn: text(&other), weight: Some(1) }],
                ..Default::default()
            }),
            ..Default::default()
        }],
        ..Default::default()
    };
    let modified = set.world.control.modify_listener(&provider(), input).unwrap().listeners.remove(0);
    assert_eq!(modified.default_actions[0].target_group_arn, Some(other));

    let timeout = |value: &str| {
        let attributes =
            vec![ListenerAttribute { key: text("tcp.idle_timeout.seconds"), value: text(value) }];
        let input = ModifyListenerAttributesInput { attributes, listener_arn: text(&arn) };
        set.world.control.modify_listener_attributes(&provider(), input)
    };
    let described = || {
        let input = DescribeListenerAttributesInput { listener_arn: text(&arn) };
        let all = set.world.control.describe_listener_attributes(&provider(), input).unwrap().attributes;
        all[0].value.clone().unwrap()
    };
    assert_eq!(described(), "350");
    assert_eq!(refusal(timeout("59")).0, "ValidationError");
    timeout("600").unwrap();
    assert_eq!(described(), "600");
}

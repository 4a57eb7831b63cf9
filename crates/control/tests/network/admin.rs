use linkway_control::{AttachRequest, Error, LaunchRequest, NewKey};
use linkway_model::SubnetId;
use linkway_model::account::AccessKey;
use linkway_model::iam::User;
use linkway_model::network_interface::{Container, ContainerDevice};
use linkway_store::StoreError;

use crate::world::{World, caller};

#[track_caller]
fn fails<T: std::fmt::Debug>(answer: Result<T, Error>, code: &str) {
    assert_eq!(answer.unwrap_err().code(), code);
}

#[test]
fn the_first_start_makes_an_account_and_a_key_that_stay() {
    let world = World::new();
    let key = world.control.bootstrap().unwrap();
    assert_eq!(key.account.as_str(), "123456789012");
    assert_eq!(key.principal, "arn:aws:iam::123456789012:root");
    assert!(
        key.id.starts_with("AKIA") && key.id.len() == 20 && key.id == key.id.to_uppercase(),
        "{}",
        key.id
    );
    assert_eq!(key.secret.len(), 40);
    assert_eq!(world.control.bootstrap().unwrap(), key);
    assert_eq!(world.control.accounts().len(), 1);
    // A deleted key comes back as another one: nobody is locked out.
    world.control.delete_key(&key.id).unwrap();
    assert_ne!(world.control.bootstrap().unwrap().id, key.id);
}

#[test]
fn keys_are_made_given_and_deleted() {
    let world = World::new();
    let account = world.control.create_account(None, "team".into(), None).unwrap();
    fails(world.control.create_account(Some(account.id.clone()), String::new(), None), "EntityAlreadyExists");
    fails(world.control.create_account(None, String::new(), Some("o-1".into())), "ValidationError");
    let given = |id: &str, secret: &str| {
        let new = NewKey { id: Some(id.into()), secret: Some(secret.into()), ..NewKey::default() };
        world.control.create_key(&account.id, new)
    };
    let key: AccessKey = given("test", "test").unwrap();
    assert_eq!((key.id.as_str(), key.secret.as_str()), ("test", "test"));
    fails(given("test", "other"), "EntityAlreadyExists");
    for (id, secret) in [("", "x"), ("a/b", "x"), ("ok", ""), ("ok", "two words")] {
        fails(given(id, secret), "ValidationError");
    }
    fails(world.control.create_key(&caller().account, NewKey::default()), "NoSuchEntity");
    assert_eq!(world.control.keys(), [key]);
    world.control.delete_key("test").unwrap();
    fails(world.control.delete_key("test"), "NoSuchEntity");
}

#[test]
fn keys_may_be_of_users() {
    let world = World::new();
    let organization = Some("o-a1b2c3d4e5".to_owned());
    let account = world.control.create_account(None, "team".into(), organization.clone()).unwrap();
    assert_eq!(account.organization, organization);
    let of = |name: &str, tag: Option<(&str, &str)>| {
        let tags = tag.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        let new = NewKey { user: Some(name.into()), tags, ..NewKey::default() };
        world.control.create_key(&account.id, new)
    };
    let first = of("alice", None).unwrap();
    assert_eq!(first.principal, format!("arn:aws:iam::{}:user/alice", account.id));
    // Another key is of the same user, and its tags are those of both.
    let second = of("Alice", Some(("team", "blue"))).unwrap();
    assert_eq!(second.user_key, first.user_key);
    let state = world.store.snapshot();
    let user = state.get::<User>(first.user_key.unwrap()).unwrap();
    assert!(user.named.id.starts_with("AIDA") && user.named.id.len() == 21, "{}", user.named.id);
    assert_eq!((state.users.len(), user.tags["team"].as_str()), (1, "blue"));
    // It may do what users of the command line always could.
    assert_eq!(
        user.permissions.attached.iter().collect::<Vec<_>>(),
        ["arn:aws:iam::aws:policy/AdministratorAccess"]
    );
    fails(of("no/paths", None), "ValidationError");
}

#[test]
fn users_of_earlier_states_become_users_of_iam() {
    let world = World::new();
    let earlier = r#"{"id":"AKIAOLD","secret":"s","account":"123456789012",
        "principal":"arn:aws:iam::123456789012:user/alice","created":"2026-01-01T00:00:00Z",
        "user":{"name":"alice","id":"AIDAOLDOLDOLDOLDOLDOL","tags":{"team":"blue"}}}"#;
    let earlier: AccessKey = serde_json::from_str(earlier).unwrap();
    world
        .store
        .transact(|tx| {
            tx.put(earlier.clone());
            Ok::<_, StoreError>(())
        })
        .unwrap();
    world.control.bootstrap().unwrap();
    let state = world.store.snapshot();
    let key = state.get::<AccessKey>("AKIAOLD").unwrap();
    assert_eq!((&key.user, key.secret.as_str(), key.inactive), (&None, "s", false));
    let (_, identity) = linkway_control::identity::of_key(&state, "AKIAOLD").unwrap();
    assert_eq!(identity.id, "AIDAOLDOLDOLDOLDOLDOL");
    assert_eq!(identity.arn, "arn:aws:iam::123456789012:user/alice");
    assert_eq!(identity.tags["team"], "blue");
    let user = state.get::<User>(key.user_key.as_ref().unwrap()).unwrap();
    assert!(user.permissions.attached.contains("arn:aws:iam::aws:policy/AdministratorAccess"));
    // A second start finds nothing to do.
    world.control.bootstrap().unwrap();
    assert_eq!(world.store.snapshot().revision, state.revision);
}

#[test]
fn interfaces_are_attached_to_namespaces_and_detached() {
    let world = World::new();
    let subnet = world.subnet(&world.vpc("10.0.0.0/16"), "10.0.0.0/24").parse().unwrap();
    let attach = |device: &str| world.control.attach(attachment(&subnet, "/run/netns/web", device));
    let interface = attach("eth0").unwrap();
    assert_eq!(interface.groups.len(), 1);
    fails(attach("eth0"), "EntityAlreadyExists");
    attach("eth1").unwrap();
    world.control.detach(&interface.id).unwrap();
    fails(world.control.detach(&interface.id), "InvalidNetworkInterfaceID.NotFound");
    let request = LaunchRequest {
        subnet,
        groups: Vec::new(),
        private_ip: None,
        name: None,
        command: vec!["true".into()],
    };
    let instance = world.control.launch(request).unwrap();
    fails(world.control.detach(&instance.interface), "OperationNotPermitted");
}

fn attachment(subnet: &SubnetId, path: &str, device: &str) -> AttachRequest {
    AttachRequest {
        subnet: subnet.clone(),
        account: None,
        groups: Vec::new(),
        private_ip: None,
        path: path.into(),
        device: device.into(),
        container: None,
        name: None,
    }
}

#[test]
fn containers_are_told_apart_by_network_id_and_device() {
    let world = World::new();
    let subnet = world.subnet(&world.vpc("10.0.0.0/16"), "10.0.0.0/24").parse().unwrap();
    let named = |network: &str, id: &str, device: &str| ContainerDevice {
        container: Container { network: network.into(), id: id.into() },
        device: device.into(),
    };
    let attach = |path: &str, of: &ContainerDevice| {
        let container = Some(of.container.clone());
        world.control.attach(AttachRequest { container, ..attachment(&subnet, path, &of.device) })
    };
    let (first, second) = (named("net", "web", "eth0"), named("net", "web", "eth1"));
    let (third, fourth) = (named("other", "web", "eth2"), named("net", "db", "eth0"));
    let made = attach("/run/netns/web", &first).unwrap();
    assert_eq!(made.description, "Container web in the CNI network net");
    attach("/run/netns/web", &second).unwrap();
    attach("/run/netns/web", &third).unwrap();
    attach("/run/netns/db", &fourth).unwrap();
    fails(attach("/run/netns/again", &first), "EntityAlreadyExists");
    fails(attach("/run/netns/web", &named("net", "another", "eth0")), "EntityAlreadyExists");
    assert_eq!(world.control.container_interface(&first).unwrap().id, made.id);

    // One by one, as often as one likes; then all but some of a network's.
    world.control.detach_container(&first).unwrap();
    world.control.detach_container(&first).unwrap();
    assert_eq!(world.control.container_interface(&first), None);
    let collected = world.control.collect_containers("net", &[first, second.clone()]).unwrap();
    assert_eq!(collected.len(), 1);
    assert_eq!(world.control.container_interface(&fourth), None);
    assert!(world.control.container_interface(&second).is_some());
    assert!(world.control.container_interface(&third).is_some());

    let stranger = Some("210987654321".parse().unwrap());
    let request = AttachRequest { account: stranger.clone(), ..attachment(&subnet, "/run/netns/a", "eth0") };
    fails(world.control.attach(request), "InvalidSubnetID.NotFound");
    fails(world.control.check_room(&subnet, stranger.as_ref()), "InvalidSubnetID.NotFound");
    world.control.check_room(&subnet, None).unwrap();
}

#[test]
fn a_reset_leaves_accounts_keys_and_numbers() {
    let world = World::new();
    let key = world.control.bootstrap().unwrap();
    world.vpc("10.0.0.0/16");
    world.control.reset().unwrap();
    let state = world.store.snapshot();
    assert_eq!(state.vpcs.len() + state.security_groups.len() + state.route_tables.len(), 0);
    assert_eq!(world.control.keys(), [key]);
    let vpc = world.vpc("10.0.0.0/16");
    assert_eq!(world.store.snapshot().vpcs[vpc.as_str()].number, 2);
}

use linkway_control::identity;
use linkway_policy::PrincipalKind;
use linkway_wire::Service;
use linkway_wire::iam::{CreateRoleRequest, Iam, UpdateRoleRequest};
use linkway_wire::sts::*;

use crate::world::*;

const ROLE: &str = "arn:aws:iam::111111111111:role/app";

#[test]
fn who_a_trust_policy_names_assumes_the_role() {
    let world = World::new();
    let alice = world.caller("alice", None);
    world.role("app", &trust(r#"{"AWS":"arn:aws:iam::111111111111:user/alice"}"#));
    world.put_role_policy("app", &statement("Allow", "ec2:Describe*", "*"));
    let answer = world.assume(&alice, "app").unwrap();
    let user = answer.assumed_role_user.unwrap();
    assert_eq!(user.arn, text("arn:aws:sts::111111111111:assumed-role/app/me-1"));
    let credentials = answer.credentials.clone().unwrap();
    assert!(credentials.access_key_id.as_ref().is_some_and(|id| id.starts_with("ASIA") && id.len() == 20));
    assert_eq!(credentials.expiration.unwrap().as_second(), world.now() + 3600);

    let session = world.with(answer.credentials);
    let own = world.control.get_caller_identity(&session, Default::default()).unwrap();
    assert_eq!(own.arn, user.arn);
    assert_eq!(own.user_id, user.assumed_role_id);
    assert!(own.user_id.unwrap().ends_with(":me-1"));
    // It may do what the role may, not what the user may.
    world.may(&session, Service::Ec2, "Action=DescribeVpcs").unwrap();
    refused(
        world.may(&session, Service::Ec2, "Action=DeleteVpc&VpcId=vpc-1"),
        "UnauthorizedOperation",
        "You are not authorized to perform this operation. User: \
         arn:aws:sts::111111111111:assumed-role/app/me-1 is not authorized",
    );
    let used = world.control.get_role(&root(), linkway_wire::iam::GetRoleRequest { role_name: text("app") });
    let used = used.unwrap().role.unwrap().role_last_used.unwrap();
    assert_eq!(
        (used.region, used.last_used_date.map(|at| at.as_second())),
        (text("us-east-1"), Some(world.now()))
    );

    let bob = world.caller("bob", Some(ALL));
    refused(
        world.assume(&bob, "app"),
        "AccessDenied",
        "User: arn:aws:iam::111111111111:user/bob is not authorized to perform: sts:AssumeRole on resource: \
         arn:aws:iam::111111111111:role/app",
    );
    // A role that is not there is none that trusts.
    refused(world.assume(&bob, "none"), "AccessDenied", "User: arn:aws:iam::111111111111:user/bob is not");
}

#[test]
fn an_account_that_is_trusted_says_who() {
    let world = World::new();
    world.role("app", &trust(r#"{"AWS":"111111111111"}"#));
    let alice = world.caller("alice", None);
    refused(
        world.assume(&alice, "app"),
        "AccessDenied",
        "User: arn:aws:iam::111111111111:user/alice is not authorized to perform: sts:AssumeRole on resource: \
         arn:aws:iam::111111111111:role/app because no identity-based policy allows the sts:AssumeRole action",
    );
    world.put_user_policy("alice", "p", &statement("Allow", "sts:AssumeRole", ROLE)).unwrap();
    world.assume(&alice, "app").unwrap();
    world.put_user_policy("alice", "no", &statement("Deny", "sts:*", "*")).unwrap();
    refused(
        world.assume(&alice, "app"),
        "AccessDenied",
        "User: arn:aws:iam::111111111111:user/alice is not authorized to perform: sts:AssumeRole on resource: \
         arn:aws:iam::111111111111:role/app with an explicit deny in an identity-based policy",
    );
    refused(world.assume(&stranger(), "app"), "AccessDenied", "User: arn:aws:iam::222222222222:root is not");
    world.assume(&root(), "app").unwrap();
}

#[test]
fn other_accounts_are_let_in_by_an_external_id() {
    let world = World::new();
    let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"222222222222"},
        "Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"secret"}}},
        {"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole",
        "Condition":{"StringEquals":{"sts:RoleSessionName":"mallory"}}}]}"#;
    world.role("app", document);
    let with = |external: Option<&str>, name: Option<&str>| {
        let input = AssumeRoleRequest {
            external_id: external.map(str::to_owned),
            role_session_name: name.map(str::to_owned),
            ..Default::default()
        };
        world.assume_with(&stranger(), "app", input)
    };
    refused(with(None, None), "AccessDenied", "User: arn:aws:iam::222222222222:root is not authorized");
    refused(
        with(Some("guess"), None),
        "AccessDenied",
        "User: arn:aws:iam::222222222222:root is not authorized",
    );
    let session = world.with(with(Some("secret"), None).unwrap().credentials);
    assert_eq!(session.account.as_str(), ACCOUNT);
    refused(
        with(Some("secret"), Some("mallory")),
        "AccessDenied",
        "User: arn:aws:iam::222222222222:root is not authorized to perform: sts:AssumeRole on resource: \
         arn:aws:iam::111111111111:role/app with an explicit deny in the role trust policy",
    );
}

#[test]
fn sessions_last_as_long_as_the_role_lets_them() {
    let world = World::new();
    world.role("app", &trust(r#"{"AWS":"111111111111"}"#));
    world.put_role_policy("app", ALL);
    let lasting = |seconds| {
        let input = AssumeRoleRequest { duration_seconds: Some(seconds), ..Default::default() };
        world.assume_with(&root(), "app", input)
    };
    refused(lasting(899), "ValidationError", "1 validation error detected: Value '899' at 'durationSeconds'");
    refused(lasting(3601), "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration");
    let input = UpdateRoleRequest {
        role_name: text("app"),
        max_session_duration: Some(43_200),
        ..Default::default()
    };
    world.control.update_role(&root(), input).unwrap();
    lasting(43_200).unwrap();
    let session = world.with(lasting(900).unwrap().credentials);
    let chained = AssumeRoleRequest { duration_seconds: Some(3601), ..Default::default() };
    refused(
        world.assume_with(&session, "app", chained),
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit",
    );
    world.assume(&session, "app").unwrap();

    // The verifier is told until when; long after, nobody knows them any more.
    let id = session.access_key_id.unwrap();
    let (secret, _) = identity::of_key(&world.store.snapshot(), &id).unwrap();
    assert_eq!(secret.expires.unwrap().as_second(), world.now() + 900);
    assert!(secret.session_token.unwrap().len() > 300);
    world.pass(900 + 13 * 3600);
    lasting(900).unwrap();
    assert!(identity::of_key(&world.store.snapshot(), &id).is_none());
}

#[test]
fn a_session_can_be_restricted() {
    let world = World::new();
    world.role("app", &trust(r#"{"AWS":"111111111111"}"#));
    world.put_role_policy("app", ALL);
    let with = |policy: Option<&str>, arn: Option<&str>| {
        let policy_arns = arn.map(|arn| PolicyDescriptorType { arn: text(arn) }).into_iter().collect();
        let input =
            AssumeRoleRequest { policy: policy.map(str::to_owned), policy_arns, ..Default::default() };
        world.assume_with(&root(), "app", input)
    };
    let session =
        world.with(with(Some(&statement("Allow", "ec2:Describe*", "*")), None).unwrap().credentials);
    world.may(&session, Service::Ec2, "Action=DescribeVpcs").unwrap();
    refused(
        world.may(&session, Service::Rds, "Action=DescribeDBInstances"),
        "AccessDenied",
        "User: arn:aws:sts::111111111111:assumed-role/app/me-1 is not authorized to perform: \
         rds:DescribeDBInstances on resource: arn:aws:rds:us-east-1:111111111111:db:* because no session policy \
         allows the rds:DescribeDBInstances action",
    );
    let read_only = Some("arn:aws:iam::aws:policy/AmazonRDSReadOnlyAccess");
    let session = world.with(with(None, read_only).unwrap().credentials);
    world.may(&session, Service::Rds, "Action=DescribeDBInstances").unwrap();
    let denied = world.may(&session, Service::Rds, "Action=DeleteDBInstance&DBInstanceIdentifier=x");
    refused(denied, "AccessDenied", "User: ");
    refused(with(Some("{"), None), "MalformedPolicyDocument", "Syntax errors in policy.");
    refused(with(None, Some("arn:aws:iam::aws:policy/No")), "MalformedPolicyDocument", "PolicyArn");
    let long = statement("Allow", &format!("s3:{}", "x".repeat(2100)), "*");
    refused(with(Some(&long), None), "PackedPolicyTooLarge", "The session policy is longer");
}

#[test]
fn session_tags_are_the_sessions_and_some_go_on() {
    let world = World::new();
    let input = CreateRoleRequest {
        role_name: text("app"),
        assume_role_policy_document: text(&trust(r#"{"AWS":"111111111111"}"#)),
        tags: vec![linkway_wire::iam::Tag { key: text("team"), value: text("of the role") }],
        ..Default::default()
    };
    world.control.create_role(&root(), input).unwrap();
    world.put_role_policy("app", ALL);
    let tag = |key: &str, value: &str| Tag { key: text(key), value: text(value) };
    let input = AssumeRoleRequest {
        tags: vec![tag("team", "blue"), tag("env", "test")],
        transitive_tag_keys: vec!["env".into()],
        ..Default::default()
    };
    let session = world.with(world.assume_with(&root(), "app", input).unwrap().credentials);
    let tags = |caller: &linkway_control::Caller| {
        let id = caller.access_key_id.clone().unwrap();
        identity::of_key(&world.store.snapshot(), &id).unwrap().1.tags
    };
    let all = tags(&session);
    assert_eq!((all["team"].as_str(), all["env"].as_str()), ("blue", "test"));
    let next = world.with(world.assume(&session, "app").unwrap().credentials);
    let all = tags(&next);
    assert_eq!((all["team"].as_str(), all["env"].as_str()), ("of the role", "test"));
    let again = AssumeRoleRequest { tags: vec![tag("env", "prod")], ..Default::default() };
    refused(
        world.assume_with(&next, "app", again),
        "ValidationError",
        "One of the specified transitive tag keys",
    );
    let lacking = AssumeRoleRequest { transitive_tag_keys: vec!["x".into()], ..Default::default() };
    refused(
        world.assume_with(&root(), "app", lacking),
        "ValidationError",
        "The specified transitive tag key x",
    );
}

#[test]
fn a_user_has_session_tokens_of_its_own() {
    let world = World::new();
    let alice = world.caller("alice", Some(&statement("Allow", "*", "*")));
    let get = |caller, duration_seconds| {
        let input = GetSessionTokenRequest { duration_seconds, ..Default::default() };
        world.control.get_session_token(caller, input)
    };
    let token = get(&alice, None).unwrap();
    assert_eq!(token.credentials.as_ref().unwrap().expiration.unwrap().as_second(), world.now() + 43_200);
    let session = world.with(token.credentials);
    assert_eq!((&session.principal, &session.user_id), (&alice.principal, &alice.user_id));
    world.may(&session, Service::Ec2, "Action=DescribeVpcs").unwrap();
    // AWS takes them for IAM and for making others only with MFA.
    refused(
        world.may(&session, Service::Iam, "Action=ListUsers"),
        "InvalidClientTokenId",
        "The security token included in the request is invalid",
    );
    refused(
        world.may(&session, Service::Sts, "Action=GetSessionToken"),
        "AccessDenied",
        "Cannot call GetSessionToken with session credentials",
    );
    refused(get(&session, None), "AccessDenied", "Cannot call GetSessionToken with session credentials");
    world.may(&session, Service::Sts, "Action=GetCallerIdentity").unwrap();
    refused(get(&alice, Some(899)), "ValidationError", "1 validation error detected");
    refused(get(&alice, Some(129_601)), "ValidationError", "1 validation error detected");
    // A root's last an hour at most.
    let root_key = world.control.create_access_key(&root(), Default::default()).unwrap().access_key.unwrap();
    let of_root = world.signing(&root_key.access_key_id.unwrap());
    let token = get(&of_root, Some(7200)).unwrap().credentials.unwrap();
    assert_eq!(token.expiration.unwrap().as_second(), world.now() + 3600);
}

#[test]
fn a_federated_user_may_what_both_say() {
    let world = World::new();
    let alice = world.caller("alice", Some(&statement("Allow", "ec2:*", "*")));
    let get = |policy: Option<&str>, name: &str| {
        let input = GetFederationTokenRequest {
            name: text(name),
            policy: policy.map(str::to_owned),
            ..Default::default()
        };
        world.control.get_federation_token(&alice, input)
    };
    let answer = get(Some(ALL), "bob").unwrap();
    assert_eq!(answer.federated_user.unwrap().arn, text("arn:aws:sts::111111111111:federated-user/bob"));
    let bob = world.with(answer.credentials);
    assert_eq!(bob.user_id, "111111111111:bob");
    let id = bob.access_key_id.clone().unwrap();
    let kind = identity::of_key(&world.store.snapshot(), &id).unwrap().1.kind;
    assert_eq!(kind, PrincipalKind::FederatedUser);
    world.may(&bob, Service::Ec2, "Action=DescribeVpcs").unwrap();
    let rds = world.may(&bob, Service::Rds, "Action=DescribeDBInstances");
    refused(rds, "AccessDenied", "User: arn:aws:sts::111111111111:federated-user/bob is not authorized");
    let iam = world.may(&bob, Service::Iam, "Action=ListUsers");
    refused(iam, "InvalidClientTokenId", "The security token");
    // Without a policy, nothing.
    let bob = world.with(get(None, "bob").unwrap().credentials);
    refused(world.may(&bob, Service::Ec2, "Action=DescribeVpcs"), "UnauthorizedOperation", "You are not");
    refused(get(None, "x"), "ValidationError", "1 validation error detected: Value 'x' at 'name'");
    let long = format!("{}{ALL}", " ".repeat(2048));
    let long = get(Some(&long), "bob").unwrap_err();
    assert_eq!(long.code, "ValidationError");
    assert!(long.message.ends_with("Member must have length less than or equal to 2048"), "{long}");
}

#[test]
fn whose_a_key_is_can_be_asked() {
    let world = World::new();
    let alice = world.caller("alice", None);
    let info = |id: &str| {
        let input = GetAccessKeyInfoRequest { access_key_id: text(id) };
        world.control.get_access_key_info(&stranger(), input)
    };
    assert_eq!(info(&alice.access_key_id.unwrap()).unwrap().account, text(ACCOUNT));
    refused(info("AKIANOBODY"), "ValidationError", "The access key AKIANOBODY belongs to no account here.");
}

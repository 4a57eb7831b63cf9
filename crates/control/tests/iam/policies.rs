use linkway_wire::Service;
use linkway_wire::iam::*;

use crate::world::*;

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

#[test]
fn a_customers_policy_has_versions() {
    let world = World::new();
    let control = &world.control;
    let policy = world.policy("see", &statement("Allow", "ec2:Describe*", "*")).unwrap();
    let arn = || policy.arn.clone();
    assert_eq!(arn(), text("arn:aws:iam::111111111111:policy/see"));
    assert_eq!((&policy.default_version_id, policy.attachment_count), (&text("v1"), Some(0)));
    refused(world.policy("SEE", ALL), "EntityAlreadyExists", "A policy called SEE already exists.");
    let add = |default| {
        let input = CreatePolicyVersionRequest {
            policy_arn: arn(),
            policy_document: text(ALL),
            set_as_default: default,
        };
        control.create_policy_version(&root(), input)
    };
    assert_eq!(add(Some(true)).unwrap().policy_version.unwrap().version_id, text("v2"));
    let version = |id: &str| GetPolicyVersionRequest { policy_arn: arn(), version_id: text(id) };
    let got = control.get_policy_version(&root(), version("v1")).unwrap().policy_version.unwrap();
    assert_eq!(got.is_default_version, Some(false));
    assert!(got.document.unwrap().starts_with("%7B%22Version%22%3A%222012-10-17%22"));
    refused(
        control.get_policy_version(&root(), version("v9")),
        "NoSuchEntity",
        "Policy arn:aws:iam::111111111111",
    );
    for _ in 0..3 {
        add(None).unwrap();
    }
    refused(add(None), "LimitExceeded", "A managed policy can have up to 5 versions.");
    let delete = |id: &str| {
        let input = DeletePolicyVersionRequest { policy_arn: arn(), version_id: text(id) };
        control.delete_policy_version(&root(), input)
    };
    refused(delete("v2"), "DeleteConflict", "Cannot delete the default version of a policy.");
    let input = ListPolicyVersionsRequest { policy_arn: arn(), ..Default::default() };
    let versions = control.list_policy_versions(&root(), input).unwrap().versions;
    let ids: Vec<_> = versions.into_iter().map(|version| version.version_id.unwrap()).collect();
    assert_eq!(ids, ["v5", "v4", "v3", "v2", "v1"]);
    let gone = || control.delete_policy(&root(), DeletePolicyRequest { policy_arn: arn() });
    refused(gone(), "DeleteConflict", "This policy has more than one version.");
    control
        .set_default_policy_version(
            &root(),
            SetDefaultPolicyVersionRequest { policy_arn: arn(), version_id: text("v5") },
        )
        .unwrap();
    for id in ["v1", "v2", "v3", "v4"] {
        delete(id).unwrap();
    }
    gone().unwrap();
    let get = control.get_policy(&root(), GetPolicyRequest { policy_arn: arn() });
    refused(get, "NoSuchEntity", "Policy arn:aws:iam::111111111111:policy/see was not found.");
}

#[test]
fn policies_are_attached_and_listed_where_they_are() {
    let world = World::new();
    let control = &world.control;
    world.user("alice");
    world.role("app", &trust(r#"{"Service":"ec2.amazonaws.com"}"#));
    let own = world.policy("own", ALL).unwrap().arn.unwrap();
    let attach = |arn: &str| {
        let input = AttachUserPolicyRequest { policy_arn: text(arn), user_name: text("alice") };
        control.attach_user_policy(&root(), input)
    };
    attach(ADMINISTRATOR).unwrap();
    attach(&own).unwrap();
    attach(&own).unwrap();
    refused(
        attach("arn:aws:iam::aws:policy/NoSuchAccess"),
        "NoSuchEntity",
        "Policy arn:aws:iam::aws:policy/NoSuchAccess does not exist or is not attachable.",
    );
    refused(attach("own"), "InvalidInput", "ARN own is not valid.");
    let input = AttachRolePolicyRequest { policy_arn: text(&own), role_name: text("app") };
    control.attach_role_policy(&root(), input).unwrap();
    let listed = |prefix: Option<&str>| {
        let path_prefix = prefix.map(str::to_owned);
        let input =
            ListAttachedUserPoliciesRequest { user_name: text("alice"), path_prefix, ..Default::default() };
        let policies = control.list_attached_user_policies(&root(), input).unwrap().attached_policies;
        policies.into_iter().map(|policy| policy.policy_name.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(listed(None), ["own", "AdministratorAccess"]);
    assert!(listed(Some("/service-role/")).is_empty());
    let entities = |filter: Option<&str>| {
        let input = ListEntitiesForPolicyRequest {
            policy_arn: text(&own),
            entity_filter: filter.map(str::to_owned),
            ..Default::default()
        };
        control.list_entities_for_policy(&root(), input).unwrap()
    };
    let all = entities(None);
    assert_eq!((all.policy_users.len(), all.policy_roles.len(), all.policy_groups.len()), (1, 1, 0));
    assert!(entities(Some("Role")).policy_users.is_empty());
    let get = control.get_policy(&root(), GetPolicyRequest { policy_arn: text(&own) }).unwrap();
    assert_eq!(get.policy.unwrap().attachment_count, Some(2));

    let delete = || control.delete_policy(&root(), DeletePolicyRequest { policy_arn: text(&own) });
    refused(delete(), "DeleteConflict", "Cannot delete a policy attached to entities.");
    let conflict = control.delete_user(&root(), DeleteUserRequest { user_name: text("alice") });
    refused(conflict, "DeleteConflict", "Cannot delete entity, must detach all policies first.");
    let detach = |arn: &str| {
        let input = DetachUserPolicyRequest { policy_arn: text(arn), user_name: text("alice") };
        control.detach_user_policy(&root(), input)
    };
    detach(&own).unwrap();
    refused(detach(&own), "NoSuchEntity", "Policy arn:aws:iam::111111111111:policy/own was not found.");
}

#[test]
fn awss_own_policies_are_there_to_be_read() {
    let world = World::new();
    let control = &world.control;
    let get = GetPolicyRequest { policy_arn: text(ADMINISTRATOR) };
    let policy = control.get_policy(&root(), get).unwrap().policy.unwrap();
    assert_eq!(policy.policy_id, text("ANPAIWMBCKSKIEE64ZLYK"));
    let version =
        GetPolicyVersionRequest { policy_arn: text(ADMINISTRATOR), version_id: policy.default_version_id };
    let version = control.get_policy_version(&root(), version).unwrap().policy_version.unwrap();
    assert!(version.document.unwrap().contains("%22Action%22%3A%22%2A%22"));
    let list = |scope: &str, only_attached| {
        let input = ListPoliciesRequest {
            scope: text(scope),
            only_attached,
            max_items: Some(1000),
            ..Default::default()
        };
        control.list_policies(&root(), input).unwrap().policies
    };
    world.policy("own", ALL).unwrap();
    assert_eq!(list("Local", None).len(), 1);
    assert!(list("AWS", None).len() > 20);
    assert_eq!(list("All", None).len(), list("AWS", None).len() + 1);
    assert!(list("All", Some(true)).is_empty());
    let delete = control.delete_policy(&root(), DeletePolicyRequest { policy_arn: text(ADMINISTRATOR) });
    refused(delete, "AccessDenied", "Policy arn:aws:iam::aws:policy/AdministratorAccess is AWS's own");
    // Each of them can be read by who decides.
    for name in list("AWS", None).into_iter().map(|policy| policy.policy_name.unwrap()) {
        let alice = world.caller(&format!("of-{name}"), None);
        let arn = control
            .list_policies(&root(), ListPoliciesRequest { max_items: Some(1000), ..Default::default() })
            .unwrap()
            .policies
            .into_iter()
            .find(|policy| policy.policy_name.as_ref() == Some(&name))
            .unwrap()
            .arn;
        let input = AttachUserPolicyRequest { policy_arn: arn, user_name: text(&format!("of-{name}")) };
        control.attach_user_policy(&root(), input).unwrap();
        let reads = world.may(&alice, Service::Ec2, "Action=DescribeVpcs").is_ok();
        let writes = world.may(&alice, Service::Ec2, "Action=CreateVpc&CidrBlock=10.0.0.0/16").is_ok();
        let full = ["AdministratorAccess", "PowerUserAccess", "AmazonEC2FullAccess", "AmazonVPCFullAccess"];
        assert_eq!(writes, full.contains(&name.as_str()), "{name}");
        assert!(reads || !writes, "{name}");
        assert!(reads || !name.contains("ReadOnlyAccess") || !name.contains("VPC"), "{name}");
    }
}

#[test]
fn inline_policies_are_put_read_and_deleted() {
    let world = World::new();
    let control = &world.control;
    world.user("alice");
    world.put_user_policy("alice", "p", ALL).unwrap();
    let get = |name: &str| {
        let input = GetUserPolicyRequest { user_name: text("alice"), policy_name: text(name) };
        control.get_user_policy(&root(), input)
    };
    assert!(get("p").unwrap().policy_document.unwrap().starts_with("%7B"));
    refused(get("q"), "NoSuchEntity", "The user policy with name q cannot be found.");
    let list = ListUserPoliciesRequest { user_name: text("alice"), ..Default::default() };
    assert_eq!(control.list_user_policies(&root(), list).unwrap().policy_names, ["p"]);
    let conflict = control.delete_user(&root(), DeleteUserRequest { user_name: text("alice") });
    refused(conflict, "DeleteConflict", "Cannot delete entity, must delete policies first.");
    let long = format!(
        r#"{{"Statement":[{{"Effect":"Allow","Action":"s3:{}","Resource":"*"}}]}}"#,
        "x".repeat(2000)
    );
    refused(
        world.put_user_policy("alice", "long", &long),
        "LimitExceeded",
        "Maximum policy size of 2048 bytes exceeded for user alice",
    );
    let delete = || {
        let input = DeleteUserPolicyRequest { user_name: text("alice"), policy_name: text("p") };
        control.delete_user_policy(&root(), input)
    };
    delete().unwrap();
    refused(delete(), "NoSuchEntity", "The user policy with name p cannot be found.");
}

#[test]
fn documents_that_are_no_policies_are_refused() {
    let world = World::new();
    let with = |statement: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    for (document, words) in [
        ("{".to_owned(), "Syntax errors in policy."),
        ("[]".to_owned(), "Syntax errors in policy."),
        (with(r#"{"Effect":"Allow","Resource":"*"}"#), "Policy statement must contain actions."),
        (with(r#"{"Effect":"Allow","Action":"s3:*"}"#), "Policy statement must contain resources."),
        (
            with(r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}"#),
            "Policy document should not specify a principal.",
        ),
        (
            with(r#"{"Effect":"Allow","Action":"everything","Resource":"*"}"#),
            "Actions/Conditions must be prefaced",
        ),
        (
            with(r#"{"Effect":"Allow","Action":"s3:*","Resource":"bucket"}"#),
            "Resource bucket must be in ARN format",
        ),
        (with(r#"{"Effect":"Perhaps","Action":"s3:*","Resource":"*"}"#), "Syntax errors in policy."),
        (
            with(
                r#"{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"}"#,
            ),
            "Statement IDs (SID) in a single policy must be unique",
        ),
    ] {
        refused(world.policy("p", &document), "MalformedPolicyDocument", words);
    }
    let list = |count: usize| vec![r#"{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#; count].join(",");
    refused(
        world.policy("p", &with(&list(200))),
        "LimitExceeded",
        "Cannot exceed quota for PolicySize: 6144",
    );
    refused(world.policy("p", &with(&list(500))), "MalformedPolicyDocument", "Policy document is not valid");
    // White space does not count.
    world.policy("p", &format!("{ALL}{}", " ".repeat(7000))).unwrap();
}

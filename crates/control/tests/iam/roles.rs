use linkway_wire::iam::*;

use crate::world::*;

const EC2: &str = r#"{"Service":"ec2.amazonaws.com"}"#;

#[test]
fn roles_are_made_read_changed_and_deleted() {
    let world = World::new();
    let control = &world.control;
    let role = world.role("app", &trust(EC2));
    assert_eq!(role.arn, text("arn:aws:iam::111111111111:role/app"));
    assert!(role.role_id.as_ref().is_some_and(|id| id.starts_with("AROA") && id.len() == 21));
    assert_eq!((role.max_session_duration, &role.description), (Some(3600), &None));
    assert!(role.assume_role_policy_document.as_ref().is_some_and(|text| text.starts_with("%7B")));
    refused(
        world.create_role("App", &trust(EC2)),
        "EntityAlreadyExists",
        "Role with name App already exists.",
    );
    let get =
        || control.get_role(&root(), GetRoleRequest { role_name: text("app") }).map(|got| got.role.unwrap());
    assert_eq!(get().unwrap().role_last_used, Some(RoleLastUsed::default()));
    let update = |seconds, description: Option<&str>| {
        let input = UpdateRoleRequest {
            role_name: text("app"),
            max_session_duration: seconds,
            description: description.map(str::to_owned),
        };
        control.update_role(&root(), input)
    };
    update(Some(7200), Some("for the app")).unwrap();
    let now = get().unwrap();
    assert_eq!((now.max_session_duration, now.description), (Some(7200), text("for the app")));
    // A duration that is not given is the default's again, a description stays.
    update(None, None).unwrap();
    let now = get().unwrap();
    assert_eq!((now.max_session_duration, now.description), (Some(3600), text("for the app")));
    refused(
        update(Some(60), None),
        "ValidationError",
        "1 validation error detected: Value '60' at 'maxSession",
    );
    let input = UpdateAssumeRolePolicyRequest {
        role_name: text("app"),
        policy_document: text(&trust(r#"{"AWS":"*"}"#)),
    };
    control.update_assume_role_policy(&root(), input).unwrap();
    assert!(get().unwrap().assume_role_policy_document.unwrap().contains("AWS"));
    control.delete_role(&root(), DeleteRoleRequest { role_name: text("app") }).unwrap();
    refused(get(), "NoSuchEntity", "The role with name app cannot be found.");
}

#[test]
fn trust_policies_have_rules_of_their_own() {
    let world = World::new();
    world.user("alice");
    let statement =
        |members: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{members}}}]}}"#);
    for (document, words) in [
        ("nonsense".to_owned(), "This policy contains invalid Json"),
        (
            statement(r#""Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Resource":"*""#),
            "Has prohibited field Resource",
        ),
        (
            statement(r#""Principal":{"AWS":"*"},"Action":"s3:GetObject""#),
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            statement(r#""Principal":{"AWS":"*"},"Action":"sts:GetCallerIdentity""#),
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            statement(r#""NotPrincipal":{"AWS":"111111111111"},"Action":"sts:AssumeRole""#),
            "Has prohibited field NotPrincipal",
        ),
        (trust(r#"{"AWS":"alice"}"#), "Invalid principal in policy: \"AWS\":\"alice\""),
        (trust(r#"{"AWS":"arn:aws:iam::111111111111:user/bob"}"#), "Invalid principal in policy"),
        (trust(r#"{"AWS":"arn:aws:iam::111111111111:role/bob"}"#), "Invalid principal in policy"),
    ] {
        refused(world.create_role("r", &document), "MalformedPolicyDocument", words);
    }
    let good = r#"{"AWS":["arn:aws:iam::111111111111:user/alice","222222222222","arn:aws:iam::333333333333:role/far"]}"#;
    world.create_role("r", &trust(good)).unwrap();
}

#[test]
fn an_instance_profile_has_one_role() {
    let world = World::new();
    let control = &world.control;
    world.role("app", &trust(EC2));
    world.role("other", &trust(EC2));
    let name = || text("profile");
    let input = CreateInstanceProfileRequest { instance_profile_name: name(), ..Default::default() };
    let profile = control.create_instance_profile(&root(), input.clone()).unwrap().instance_profile.unwrap();
    assert_eq!(profile.arn, text("arn:aws:iam::111111111111:instance-profile/profile"));
    assert!(profile.instance_profile_id.unwrap().starts_with("AIPA"));
    refused(
        control.create_instance_profile(&root(), input),
        "EntityAlreadyExists",
        "Instance Profile profile already exists.",
    );
    let add = |role: &str| {
        let input = AddRoleToInstanceProfileRequest { instance_profile_name: name(), role_name: text(role) };
        control.add_role_to_instance_profile(&root(), input)
    };
    add("app").unwrap();
    refused(add("other"), "LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
    refused(add("none"), "NoSuchEntity", "The role with name none cannot be found.");
    let get = || {
        let input = GetInstanceProfileRequest { instance_profile_name: name() };
        control.get_instance_profile(&root(), input).map(|got| got.instance_profile.unwrap())
    };
    assert_eq!(get().unwrap().roles[0].role_name, text("app"));
    let of_role = ListInstanceProfilesForRoleRequest { role_name: text("app"), ..Default::default() };
    assert_eq!(control.list_instance_profiles_for_role(&root(), of_role).unwrap().instance_profiles.len(), 1);
    let gone = control.delete_role(&root(), DeleteRoleRequest { role_name: text("app") });
    refused(gone, "DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.");
    let delete = || {
        control
            .delete_instance_profile(&root(), DeleteInstanceProfileRequest { instance_profile_name: name() })
    };
    refused(delete(), "DeleteConflict", "Cannot delete entity, must remove roles");
    let remove = |role: &str| {
        let input =
            RemoveRoleFromInstanceProfileRequest { instance_profile_name: name(), role_name: text(role) };
        control.remove_role_from_instance_profile(&root(), input)
    };
    refused(remove("other"), "NoSuchEntity", "The role with name other cannot be found.");
    remove("app").unwrap();
    delete().unwrap();
    refused(get(), "NoSuchEntity", "Instance Profile profile cannot be found.");
}

#[test]
fn a_reset_leaves_what_the_command_line_made() {
    let world = World::new();
    let control = &world.control;
    let alice = world.caller("alice", Some(ALL));
    world.role("app", &trust(EC2));
    let new = linkway_control::NewKey { user: text("operator"), ..Default::default() };
    let kept = control.create_key(&root().account, new).unwrap();
    world.put_user_policy("operator", "p", &statement("Deny", "*", "*")).unwrap();
    control.reset().unwrap();
    let state = world.store.snapshot();
    assert_eq!((state.users.len(), state.roles.len(), state.access_keys.len()), (1, 0, 1));
    assert!(linkway_control::identity::of_key(&state, alice.access_key_id.as_ref().unwrap()).is_none());
    let operator = world.signing(&kept.id);
    world.may(&operator, linkway_wire::Service::Iam, "Action=CreateUser&UserName=bob").unwrap();
}

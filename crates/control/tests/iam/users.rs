use linkway_control::identity;
use linkway_wire::iam::*;

use crate::world::*;

#[test]
fn users_are_made_read_renamed_and_deleted() {
    let world = World::new();
    let control = &world.control;
    let tags = vec![Tag { key: text("team"), value: text("blue") }];
    let input =
        CreateUserRequest { user_name: text("alice"), path: text("/teams/"), tags, ..Default::default() };
    let user = control.create_user(&root(), input).unwrap().user.unwrap();
    assert_eq!(user.arn, text("arn:aws:iam::111111111111:user/teams/alice"));
    assert!(user.user_id.as_ref().is_some_and(|id| id.starts_with("AIDA") && id.len() == 21));
    let get = |name: &str| control.get_user(&root(), GetUserRequest { user_name: text(name) });
    assert_eq!(get("alice").unwrap().user, Some(user.clone()));
    // Lists are brief.
    let listed = control.list_users(&root(), ListUsersRequest::default()).unwrap();
    assert_eq!(listed.users, [User { tags: None, ..user.clone() }]);
    assert_eq!(listed.is_truncated, Some(false));
    let elsewhere = ListUsersRequest { path_prefix: text("/other/"), ..Default::default() };
    assert!(control.list_users(&root(), elsewhere).unwrap().users.is_empty());
    assert!(control.list_users(&stranger(), ListUsersRequest::default()).unwrap().users.is_empty());

    let again = CreateUserRequest { user_name: text("ALICE"), ..Default::default() };
    refused(
        control.create_user(&root(), again),
        "EntityAlreadyExists",
        "User with name ALICE already exists.",
    );
    let rename =
        UpdateUserRequest { user_name: text("alice"), new_user_name: text("alicia"), new_path: text("/") };
    control.update_user(&root(), rename).unwrap();
    refused(get("alice"), "NoSuchEntity", "The user with name alice cannot be found.");
    let renamed = get("alicia").unwrap().user.unwrap();
    assert_eq!(renamed.arn, text("arn:aws:iam::111111111111:user/alicia"));
    assert_eq!(renamed.user_id, user.user_id);
    control.delete_user(&root(), DeleteUserRequest { user_name: text("alicia") }).unwrap();
    refused(get("alicia"), "NoSuchEntity", "The user with name alicia");
}

#[test]
fn names_and_paths_have_rules() {
    let world = World::new();
    let create = |name: &str, path: &str| {
        let input = CreateUserRequest { user_name: text(name), path: text(path), ..Default::default() };
        world.control.create_user(&root(), input)
    };
    refused(create("a b", "/"), "ValidationError", "The specified value for userName is invalid.");
    refused(create("", "/"), "ValidationError", "1 validation error detected: Value '' at 'userName'");
    refused(create(&"x".repeat(65), "/"), "ValidationError", "1 validation error detected");
    for path in ["", "x", "/x", "x/", "//", "/a b/"] {
        refused(create("bob", path), "ValidationError", "The specified value for path is invalid.");
    }
    create("a+b=c,d.e@f_g-1", "/x/y/").unwrap();
}

#[test]
fn lists_come_in_pages() {
    let world = World::new();
    for name in ["d", "b", "A", "c", "e"] {
        world.user(name);
    }
    let (mut names, mut marker) = (Vec::new(), None);
    for pages in 1.. {
        let input = ListUsersRequest { max_items: Some(2), marker, ..Default::default() };
        let page = world.control.list_users(&root(), input).unwrap();
        names.extend(page.users.into_iter().map(|user| user.user_name.unwrap()));
        assert_eq!(page.is_truncated, Some(page.marker.is_some()));
        marker = page.marker;
        if marker.is_none() {
            assert_eq!(pages, 3);
            break;
        }
    }
    assert_eq!(names, ["A", "b", "c", "d", "e"]);
    let bad = |max_items, marker| ListUsersRequest { max_items, marker, ..Default::default() };
    let list = |input| world.control.list_users(&root(), input);
    refused(
        list(bad(Some(0), None)),
        "ValidationError",
        "1 validation error detected: Value '0' at 'maxItems'",
    );
    refused(list(bad(Some(1001), None)), "ValidationError", "1 validation error detected: Value '1001'");
    refused(list(bad(None, text("nonsense"))), "ValidationError", "Invalid Marker.");
}

#[test]
fn users_have_two_keys_whose_secrets_are_shown_once() {
    let world = World::new();
    world.user("alice");
    let control = &world.control;
    let alice = || text("alice");
    let create = || control.create_access_key(&root(), CreateAccessKeyRequest { user_name: alice() });
    let key = create().unwrap().access_key.unwrap();
    let id = key.access_key_id.clone().unwrap();
    assert!(id.starts_with("AKIA") && id.len() == 20);
    assert_eq!(key.secret_access_key.map(|secret| secret.len()), Some(40));
    create().unwrap();
    refused(create(), "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2");
    let list = || {
        let input = ListAccessKeysRequest { user_name: alice(), ..Default::default() };
        control.list_access_keys(&root(), input).unwrap().access_key_metadata
    };
    assert_eq!(list().len(), 2);
    let status = |status: &str| {
        let input =
            UpdateAccessKeyRequest { access_key_id: text(&id), status: text(status), user_name: alice() };
        control.update_access_key(&root(), input)
    };
    let signs = || identity::of_key(&world.store.snapshot(), &id).is_some();
    assert!(signs());
    status("Inactive").unwrap();
    assert!(!signs());
    assert!(list().iter().any(|key| key.status == text("Inactive")));
    status("Active").unwrap();
    assert!(signs());
    refused(status("Off"), "ValidationError", "1 validation error detected: Value 'Off' at 'status'");
    let conflict = control.delete_user(&root(), DeleteUserRequest { user_name: alice() });
    refused(conflict, "DeleteConflict", "Cannot delete entity, must delete access keys first.");
    for key in list() {
        let input = DeleteAccessKeyRequest { access_key_id: key.access_key_id, user_name: alice() };
        control.delete_access_key(&root(), input).unwrap();
    }
    assert!(!signs());
    refused(
        control.delete_access_key(
            &root(),
            DeleteAccessKeyRequest { access_key_id: text(&id), user_name: alice() },
        ),
        "NoSuchEntity",
        "The Access Key with id AKIA",
    );
    control.delete_user(&root(), DeleteUserRequest { user_name: alice() }).unwrap();
}

#[test]
fn keys_stay_their_users_under_another_name() {
    let world = World::new();
    let alice = world.caller("alice", Some(ALL));
    let token =
        linkway_wire::sts::Sts::get_session_token(&world.control, &alice, Default::default()).unwrap();
    let rename = UpdateUserRequest { user_name: text("alice"), new_user_name: text("bob"), new_path: None };
    world.control.update_user(&root(), rename).unwrap();
    let bob = world.signing(alice.access_key_id.as_ref().unwrap());
    assert_eq!(bob.principal, "arn:aws:iam::111111111111:user/bob");
    assert_eq!(bob.user_id, alice.user_id);
    // Who asks for a user without a name asks for itself.
    let own = world.control.get_user(&bob, GetUserRequest::default()).unwrap().user.unwrap();
    assert_eq!(own.user_name, text("bob"));
    assert_eq!(world.with(token.credentials).principal, bob.principal);
}

#[test]
fn a_root_is_a_user_without_a_name() {
    let world = World::new();
    let user = world.control.get_user(&root(), GetUserRequest::default()).unwrap().user.unwrap();
    assert_eq!(user.arn, text("arn:aws:iam::111111111111:root"));
    assert_eq!((user.user_id, user.user_name), (text(ACCOUNT), None));
    let key = world.control.create_access_key(&root(), CreateAccessKeyRequest::default()).unwrap();
    let key = world.signing(&key.access_key.unwrap().access_key_id.unwrap());
    assert_eq!(key.principal, root().principal);
}

#[test]
fn tags_are_added_replaced_and_removed() {
    let world = World::new();
    world.user("alice");
    let control = &world.control;
    let tag = |key: &str, value: &str| Tag { key: text(key), value: text(value) };
    let add = |tags: Vec<Tag>| control.tag_user(&root(), TagUserRequest { tags, user_name: text("alice") });
    let list = || {
        let input = ListUserTagsRequest { user_name: text("alice"), ..Default::default() };
        control.list_user_tags(&root(), input).unwrap().tags
    };
    add(vec![tag("Team", "blue"), tag("env", "test")]).unwrap();
    add(vec![tag("team", "green")]).unwrap();
    assert_eq!(list(), [tag("env", "test"), tag("team", "green")]);
    refused(add(vec![tag("aws:x", "")]), "InvalidInput", "System tags");
    refused(add(vec![tag("a", ""), tag("A", "")]), "InvalidInput", "Duplicate tag keys found.");
    let said = |member: &str, value: &str, rule: &str| {
        format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member {rule}"
        )
    };
    let long = "k".repeat(257);
    for (key, value, member, rule) in [
        ("", "x", "tags.1.member.key", "must have length greater than or equal to 1"),
        (&long, "", "tags.1.member.key", "must have length less than or equal to 128"),
        ("a", &long, "tags.1.member.value", "must have length less than or equal to 256"),
        (
            "no!",
            "",
            "tags.1.member.key",
            r"must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+",
        ),
    ] {
        let fault = if member.ends_with("key") { key } else { value };
        refused(add(vec![tag(key, value)]), "ValidationError", &said(member, fault, rule));
    }
    let untag = |tag_keys: Vec<String>| {
        control.untag_user(&root(), UntagUserRequest { tag_keys, user_name: text("alice") })
    };
    refused(
        untag(vec!["no!".into()]),
        "ValidationError",
        &said("tagKeys.1.member", "no!", "must satisfy regular"),
    );
    refused(untag(vec!["k".into(); 51]), "ValidationError", "1 validation error detected: Value '[k, k,");
    refused(add(vec![tag("k", ""); 51]), "ValidationError", "1 validation error detected: Value '[k, k,");
    let many = (0..49).map(|number| tag(&format!("k{number}"), "")).collect();
    refused(add(many), "LimitExceeded", "The number of tags");
    untag(vec!["TEAM".into()]).unwrap();
    assert_eq!(list(), [tag("env", "test")]);
}

#[test]
fn accounts_have_one_alias() {
    let world = World::new();
    let create = |caller: &linkway_control::Caller, alias: &str| {
        world.control.create_account_alias(caller, CreateAccountAliasRequest { account_alias: text(alias) })
    };
    let list = || world.control.list_account_aliases(&root(), Default::default()).unwrap().account_aliases;
    create(&root(), "blue").unwrap();
    create(&root(), "green").unwrap();
    assert_eq!(list(), ["green"]);
    refused(create(&stranger(), "green"), "EntityAlreadyExists", "The account alias green already exists.");
    create(&stranger(), "blue").unwrap();
    for bad in ["ab", "-ab", "a--b", "Ab1", "123456789012"] {
        refused(create(&root(), bad), "ValidationError", "1 validation error detected");
    }
    let delete = |alias: &str| {
        let input = DeleteAccountAliasRequest { account_alias: text(alias) };
        world.control.delete_account_alias(&root(), input)
    };
    refused(delete("blue"), "NoSuchEntity", "The account alias blue cannot be found.");
    delete("green").unwrap();
    assert!(list().is_empty());
}

use linkway_wire::Service;
use linkway_wire::iam::*;

use crate::world::*;

#[test]
fn what_a_group_may_do_its_users_may() {
    let world = World::new();
    let control = &world.control;
    let alice = world.caller("alice", None);
    let group = || text("readers");
    let create =
        || control.create_group(&root(), CreateGroupRequest { group_name: group(), ..Default::default() });
    let made = create().unwrap().group.unwrap();
    assert_eq!(made.arn, text("arn:aws:iam::111111111111:group/readers"));
    refused(create(), "EntityAlreadyExists", "Group with name readers already exists.");
    let input = AttachGroupPolicyRequest {
        group_name: group(),
        policy_arn: text("arn:aws:iam::aws:policy/ReadOnlyAccess"),
    };
    control.attach_group_policy(&root(), input).unwrap();
    let describe = || world.may(&alice, Service::Ec2, "Action=DescribeVpcs");
    refused(describe(), "UnauthorizedOperation", "You are not authorized to perform this operation. User: ");
    let member = |user: &str| AddUserToGroupRequest { group_name: group(), user_name: text(user) };
    refused(control.add_user_to_group(&root(), member("bob")), "NoSuchEntity", "The user with name bob");
    let nobody_nowhere = AddUserToGroupRequest { group_name: text("none"), user_name: text("bob") };
    refused(control.add_user_to_group(&root(), nobody_nowhere), "NoSuchEntity", "The user with name bob");
    control.add_user_to_group(&root(), member("alice")).unwrap();
    describe().unwrap();

    // Whatever the group is called.
    let rename = UpdateGroupRequest { group_name: group(), new_group_name: text("Staff"), new_path: None };
    control.update_group(&root(), rename).unwrap();
    describe().unwrap();
    let group = || text("staff");
    let got = GetGroupRequest { group_name: group(), ..Default::default() };
    assert_eq!(control.get_group(&root(), got).unwrap().users.len(), 1);
    let of_user = ListGroupsForUserRequest { user_name: text("alice"), ..Default::default() };
    let groups = control.list_groups_for_user(&root(), of_user).unwrap().groups;
    assert_eq!(groups[0].group_name, text("Staff"));

    let delete = || control.delete_group(&root(), DeleteGroupRequest { group_name: group() });
    refused(delete(), "DeleteConflict", "Cannot delete entity, must remove users from group first.");
    let remove = || {
        let input = RemoveUserFromGroupRequest { group_name: group(), user_name: text("alice") };
        control.remove_user_from_group(&root(), input)
    };
    remove().unwrap();
    refused(remove(), "NoSuchEntity", "User alice not in group Staff");
    refused(describe(), "UnauthorizedOperation", "You are not authorized");
    refused(delete(), "DeleteConflict", "Cannot delete entity, must detach all policies first.");
    let input = DetachGroupPolicyRequest {
        group_name: group(),
        policy_arn: text("arn:aws:iam::aws:policy/ReadOnlyAccess"),
    };
    control.detach_group_policy(&root(), input).unwrap();
    delete().unwrap();
    refused(delete(), "NoSuchEntity", "The group with name staff cannot be found.");
}

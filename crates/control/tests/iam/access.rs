use linkway_wire::Service;
use linkway_wire::iam::*;

use crate::world::*;

#[test]
fn who_has_no_policy_may_do_nothing() {
    let world = World::new();
    let alice = world.caller("alice", None);
    refused(
        world.may(&alice, Service::Ec2, "Action=DescribeVpcs"),
        "UnauthorizedOperation",
        "You are not authorized to perform this operation. User: arn:aws:iam::111111111111:user/alice is not \
         authorized to perform: ec2:DescribeVpcs on resource: * because no identity-based policy allows the \
         ec2:DescribeVpcs action",
    );
    refused(
        world.may(&alice, Service::Rds, "Action=DeleteDBInstance&DBInstanceIdentifier=shop"),
        "AccessDenied",
        "User: arn:aws:iam::111111111111:user/alice is not authorized to perform: rds:DeleteDBInstance on \
         resource: arn:aws:rds:us-east-1:111111111111:db:shop because no identity-based policy allows the \
         rds:DeleteDBInstance action",
    );
    // Who one is, one may always ask.
    world.may(&alice, Service::Sts, "Action=GetCallerIdentity").unwrap();
    world.may(&alice, Service::Sts, "Action=GetSessionToken").unwrap();
    // A root may do all.
    for service in [Service::Ec2, Service::Iam, Service::Elbv2] {
        world.may(&root(), service, "Action=Anything").unwrap();
    }
}

#[test]
fn policies_allow_what_they_name() {
    let world = World::new();
    let alice =
        world.caller("alice", Some(&statement("Allow", "ec2:*Vpc*", "arn:aws:ec2:us-east-1:*:vpc/vpc-1")));
    let may = |form: &str| world.may(&alice, Service::Ec2, form);
    may("Action=DeleteVpc&VpcId=vpc-1").unwrap();
    refused(may("Action=DeleteVpc&VpcId=vpc-2"), "UnauthorizedOperation", "You are not authorized");
    refused(may("Action=DeleteSubnet&SubnetId=subnet-1"), "UnauthorizedOperation", "You are not authorized");
    // What takes no resource, no resource allows.
    refused(may("Action=DescribeVpcs"), "UnauthorizedOperation", "You are not authorized");
    // An operation that nobody knows is denied as any other.
    refused(may("Action=NoSuchOperation"), "UnauthorizedOperation", "You are not authorized");
    let balancers = world.caller("bob", Some(&statement("Allow", "elasticloadbalancing:Describe*", "*")));
    world.may(&balancers, Service::Elbv2, "Action=DescribeLoadBalancers").unwrap();
    refused(
        world.may(&balancers, Service::Elbv2, "Action=CreateTargetGroup&Name=web"),
        "AccessDenied",
        "User: arn:aws:iam::111111111111:user/bob is not authorized to perform: \
         elasticloadbalancing:CreateTargetGroup",
    );
}

#[test]
fn a_deny_is_stronger_than_any_allow() {
    let world = World::new();
    let alice = world.caller("alice", Some(ALL));
    world.put_user_policy("alice", "no", &statement("Deny", "ec2:Delete*", "*")).unwrap();
    world.may(&alice, Service::Ec2, "Action=DescribeVpcs").unwrap();
    refused(
        world.may(&alice, Service::Ec2, "Action=DeleteVpc&VpcId=vpc-1"),
        "UnauthorizedOperation",
        "You are not authorized to perform this operation. User: arn:aws:iam::111111111111:user/alice is not \
         authorized to perform: ec2:DeleteVpc on resource: arn:aws:ec2:us-east-1:111111111111:vpc/vpc-1 with an \
         explicit deny in an identity-based policy",
    );
}

#[test]
fn a_boundary_bounds() {
    let world = World::new();
    let alice = world.caller("alice", Some(ALL));
    let arn = world.policy("only-ec2", &statement("Allow", "ec2:*", "*")).unwrap().arn;
    let input =
        PutUserPermissionsBoundaryRequest { permissions_boundary: arn.clone(), user_name: text("alice") };
    world.control.put_user_permissions_boundary(&root(), input).unwrap();
    world.may(&alice, Service::Ec2, "Action=DescribeVpcs").unwrap();
    refused(
        world.may(&alice, Service::Rds, "Action=DescribeDBInstances"),
        "AccessDenied",
        "User: arn:aws:iam::111111111111:user/alice is not authorized to perform: rds:DescribeDBInstances on \
         resource: arn:aws:rds:us-east-1:111111111111:db:* because no permissions boundary allows the \
         rds:DescribeDBInstances action",
    );
    let user =
        world.control.get_user(&root(), GetUserRequest { user_name: text("alice") }).unwrap().user.unwrap();
    assert_eq!(user.permissions_boundary.unwrap().permissions_boundary_arn, arn);
    let gone = world.control.delete_policy(&root(), DeletePolicyRequest { policy_arn: arn });
    refused(gone, "DeleteConflict", "Cannot delete a policy attached to entities.");
    let none = || {
        let input = DeleteUserPermissionsBoundaryRequest { user_name: text("alice") };
        world.control.delete_user_permissions_boundary(&root(), input)
    };
    none().unwrap();
    refused(none(), "NoSuchEntity", "The user alice does not have a permissions boundary.");
    world.may(&alice, Service::Rds, "Action=DescribeDBInstances").unwrap();
}

#[test]
fn policies_ask_for_keys() {
    let world = World::new();
    let document = |condition: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}]}}"#
        )
    };
    let mut alice = world.caller("alice", None);
    alice.circumstances = vec![("aws:SourceVpce".into(), "vpce-1".into())];
    let tag = TagUserRequest {
        tags: vec![Tag { key: text("team"), value: text("blue") }],
        user_name: text("alice"),
    };
    world.control.tag_user(&root(), tag).unwrap();
    for (condition, allowed) in [
        (r#"{"StringEquals":{"aws:username":"alice"}}"#, true),
        (r#"{"StringEquals":{"aws:PrincipalTag/team":"blue"}}"#, true),
        (r#"{"StringEquals":{"aws:PrincipalTag/team":"green"}}"#, false),
        (r#"{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111111111111:user/alice"}}"#, true),
        (r#"{"StringEquals":{"aws:SourceVpce":"vpce-1"}}"#, true),
        (r#"{"StringEquals":{"aws:SourceVpce":"vpce-2"}}"#, false),
        (r#"{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}"#, true),
        (r#"{"DateGreaterThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}}"#, true),
        (r#"{"DateGreaterThan":{"aws:CurrentTime":"2028-01-01T00:00:00Z"}}"#, false),
        (r#"{"StringEquals":{"aws:RequestTag/env":"test"}}"#, true),
        (r#"{"StringEquals":{"aws:RequestTag/env":"prod"}}"#, false),
    ] {
        world.put_user_policy("alice", "p", &document(condition)).unwrap();
        let form = "Action=CreateVpc&CidrBlock=10.0.0.0%2F16&TagSpecification.1.ResourceType=vpc\
                    &TagSpecification.1.Tag.1.Key=env&TagSpecification.1.Tag.1.Value=test";
        let may = world.may(&alice, Service::Ec2, form);
        assert_eq!(may.is_ok(), allowed, "{condition}: {may:?}");
    }
}

#[test]
fn iams_resources_have_their_paths() {
    let world = World::new();
    let input = CreateUserRequest { user_name: text("bob"), path: text("/staff/"), ..Default::default() };
    world.control.create_user(&root(), input).unwrap();
    let staff = statement("Allow", "iam:*", "arn:aws:iam::111111111111:user/staff/*");
    let alice = world.caller("alice", Some(&staff));
    world.may(&alice, Service::Iam, "Action=GetUser&UserName=bob").unwrap();
    refused(
        world.may(&alice, Service::Iam, "Action=GetUser&UserName=alice"),
        "AccessDenied",
        "User: arn:aws:iam::111111111111:user/alice is not authorized to perform: iam:GetUser on resource: \
         arn:aws:iam::111111111111:user/alice because",
    );
    // A member that the operation does not have opens nothing.
    refused(
        world.may(&alice, Service::Iam, "Action=PutUserPolicy&UserName=alice&RoleName=x&GroupName=x"),
        "AccessDenied",
        "User: arn:aws:iam::111111111111:user/alice is not authorized to perform: iam:PutUserPolicy on resource: \
         arn:aws:iam::111111111111:user/alice because",
    );
    // Without a name, oneself is meant.
    let own = statement("Allow", "iam:*AccessKey*", "arn:aws:iam::*:user/${aws:username}");
    let carol = world.caller("carol", Some(&own));
    world.may(&carol, Service::Iam, "Action=ListAccessKeys").unwrap();
    world.may(&carol, Service::Iam, "Action=CreateAccessKey&UserName=carol").unwrap();
    let other = world.may(&carol, Service::Iam, "Action=CreateAccessKey&UserName=alice");
    refused(other, "AccessDenied", "User: ");
}

#[test]
fn who_is_deleted_may_do_nothing_more() {
    let world = World::new();
    let alice = world.caller("alice", None);
    let key = alice.access_key_id.clone();
    let input = DeleteAccessKeyRequest { access_key_id: key, user_name: text("alice") };
    world.control.delete_access_key(&root(), input).unwrap();
    refused(world.may(&alice, Service::Ec2, "Action=DescribeVpcs"), "UnauthorizedOperation", "You are not");
}

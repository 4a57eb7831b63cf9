"""What Terraform's AWS provider calls, resource by resource: in its order, with what it reads and waits for.

The sequences are those of the provider's source. A state outside of those that it waits through is an error there,
so it is one here.
"""

import json

import pytest

from harness.aws import permission, refusal
from harness.service import publish
from harness.terraform import gone, reaches, specification, tags

DEFAULT_EGRESS = {"IpProtocol": "-1", "FromPort": 0, "ToPort": 0, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
IPV6_EGRESS = {"IpProtocol": "-1", "FromPort": 0, "ToPort": 0, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}


@pytest.fixture
def network(aws):
    """A VPC with subnets in two zones."""
    vpc = aws.vpc()
    return vpc, aws.subnet(vpc, "10.0.0.0/24", "a"), aws.subnet(vpc, "10.0.1.0/24", "b")


def create_security_group(aws, vpc, name="web"):
    """aws_security_group, as far as its own calls go."""
    ec2 = aws.ec2
    group = ec2.create_security_group(
        GroupName=name, Description="Managed by Terraform", VpcId=vpc,
        TagSpecifications=specification("security-group", Name=name),
    )["GroupId"]
    for _ in range(3):
        assert ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["GroupName"] == name
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[DEFAULT_EGRESS])
    # There is no such rule: any other code would stop the provider.
    assert refusal(ec2.revoke_security_group_egress, GroupId=group, IpPermissions=[IPV6_EGRESS])[0] == (
        "InvalidPermission.NotFound"
    )
    return group


def delete_security_group(aws, group):
    """The provider looks for interfaces that linger, deletes, and reads until there is nothing."""
    aws.ec2.describe_network_interfaces(Filters=[{"Name": "group-id", "Values": [group]}])
    aws.ec2.delete_security_group(GroupId=group)
    gone(lambda: aws.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"], "InvalidGroup.NotFound")


def test_aws_security_group_with_inline_rules(aws, network):
    vpc, *_ = network
    group = create_security_group(aws, vpc)
    other = create_security_group(aws, vpc, "other")
    rules = [
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
         "IpRanges": [{"CidrIp": "10.0.0.0/16", "Description": "the VPC"}]},
        {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": other}]},
    ]
    aws.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rules)
    aws.ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[DEFAULT_EGRESS])
    [read] = aws.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    inbound = {rule["FromPort"]: rule for rule in read["IpPermissions"]}
    assert inbound[443]["IpRanges"] == rules[0]["IpRanges"]
    [pair] = inbound[80]["UserIdGroupPairs"]
    assert pair["GroupId"] == other and pair["UserId"] == read["OwnerId"]
    [outbound] = read["IpPermissionsEgress"]
    assert "FromPort" not in outbound and outbound["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]
    # An update takes the old rules and authorizes the new ones.
    aws.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rules[:1])
    aws.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission("tcp", 8443, "10.0.0.0/16")])
    aws.ec2.delete_tags(Resources=[group], Tags=tags(Name="web"))
    aws.ec2.create_tags(Resources=[group], Tags=tags(Name="web2"))
    [read] = aws.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert {rule["FromPort"] for rule in read["IpPermissions"]} == {80, 8443} and read["Tags"] == tags(Name="web2")
    assert refusal(aws.ec2.delete_security_group, GroupId=other)[0] == "DependencyViolation"
    delete_security_group(aws, group)
    delete_security_group(aws, other)


@pytest.mark.parametrize("way", ["ingress", "egress"])
@pytest.mark.parametrize("peer", ["cidr", "group", "prefix list"])
def test_aws_vpc_security_group_rule(aws, network, way, peer):
    ec2 = aws.ec2
    group = create_security_group(aws, network[0])
    authorize = getattr(ec2, f"authorize_security_group_{way}")
    revoke = getattr(ec2, f"revoke_security_group_{way}")
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    if peer == "cidr":
        given, member, changed = {"IpRanges": [{"CidrIp": "10.0.0.0/16"}]}, {"CidrIpv4": "10.0.0.0/16"}, "10.0.1.0/24"
    elif peer == "group":
        given, member, changed = {"UserIdGroupPairs": [{"GroupId": group}]}, {}, group
    else:
        [listed] = ec2.describe_prefix_lists(
            Filters=[{"Name": "prefix-list-name", "Values": ["com.amazonaws.us-east-1.s3"]}]
        )["PrefixLists"]
        changed = listed["PrefixListId"]
        given, member = {"PrefixListIds": [{"PrefixListId": changed}]}, {"PrefixListId": changed}
    created = authorize(
        GroupId=group, IpPermissions=[rule | given], TagSpecifications=specification("security-group-rule", Name="r")
    )["SecurityGroupRules"]
    rule_id = created[0]["SecurityGroupRuleId"]

    def read():
        return ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule_id])["SecurityGroupRules"]

    [found] = read()
    assert found["IsEgress"] == (way == "egress") and found["GroupId"] == group and found["Tags"] == tags(Name="r")
    assert {key: found.get(key) for key in member} == member
    if peer == "group":
        assert found["ReferencedGroupInfo"]["GroupId"] == group
    key = {"cidr": "CidrIpv4", "group": "ReferencedGroupId", "prefix list": "PrefixListId"}[peer]
    ec2.modify_security_group_rules(
        GroupId=group,
        SecurityGroupRules=[
            {"SecurityGroupRuleId": rule_id,
             "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443, "Description": "changed",
                                   key: changed}},
        ],
    )
    [found] = read()
    assert (found["FromPort"], found["Description"]) == (8443, "changed")
    revoke(GroupId=group, SecurityGroupRuleIds=[rule_id])
    assert refusal(read)[0] == "InvalidSecurityGroupRuleId.NotFound"
    delete_security_group(aws, group)


def test_aws_ec2_managed_prefix_list(aws):
    ec2 = aws.ec2
    made = ec2.create_managed_prefix_list(
        ClientToken="terraform-1", PrefixListName="offices", AddressFamily="IPv4", MaxEntries=2,
        Entries=[{"Cidr": "10.1.0.0/16", "Description": "one"}, {"Cidr": "10.2.0.0/16", "Description": "two"}],
        TagSpecifications=specification("prefix-list", Name="offices"),
    )["PrefixList"]
    list_id = made["PrefixListId"]

    def read():
        return ec2.describe_managed_prefix_lists(PrefixListIds=[list_id])["PrefixLists"][0]

    reaches(lambda: read()["State"], "create-complete", ["create-in-progress"])
    entries = ec2.get_managed_prefix_list_entries(PrefixListId=list_id)["Entries"]
    assert {entry["Cidr"]: entry["Description"] for entry in entries} == {"10.1.0.0/16": "one", "10.2.0.0/16": "two"}
    # Another description alone: the provider removes the entry, waits, and adds it again.
    modified = ["modify-in-progress"]
    ec2.modify_managed_prefix_list(
        PrefixListId=list_id, CurrentVersion=read()["Version"], RemoveEntries=[{"Cidr": "10.1.0.0/16"}]
    )
    reaches(lambda: read()["State"], "modify-complete", modified)
    ec2.modify_managed_prefix_list(
        PrefixListId=list_id, CurrentVersion=read()["Version"],
        AddEntries=[{"Cidr": "10.1.0.0/16", "Description": "uno"}],
    )
    reaches(lambda: read()["State"], "modify-complete", modified)
    ec2.modify_managed_prefix_list(PrefixListId=list_id, MaxEntries=5)
    reaches(lambda: read()["State"], "modify-complete", modified)
    found = read()
    assert (found["Version"], found["MaxEntries"], found["Tags"]) == (3, 5, tags(Name="offices"))
    ec2.delete_managed_prefix_list(PrefixListId=list_id)
    reaches(lambda: read()["State"], "delete-complete", ["delete-in-progress"])


def test_aws_network_interface(aws, network, daemon):
    ec2 = aws.ec2
    _, subnet, _ = network
    made = ec2.create_network_interface(
        ClientToken="terraform-2", SubnetId=subnet, Description="a node",
        PrivateIpAddresses=[{"PrivateIpAddress": "10.0.0.50", "Primary": True},
                            {"PrivateIpAddress": "10.0.0.51", "Primary": False}],
        TagSpecifications=specification("network-interface", Name="node"),
    )["NetworkInterface"]
    interface = made["NetworkInterfaceId"]

    def read():
        return ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"][0]

    reaches(lambda: read()["Status"], "available", ["pending"])
    ec2.assign_private_ip_addresses(NetworkInterfaceId=interface, SecondaryPrivateIpAddressCount=1)
    ec2.unassign_private_ip_addresses(NetworkInterfaceId=interface, PrivateIpAddresses=["10.0.0.51"])
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, SourceDestCheck={"Value": False})
    found = read()
    assert found["SourceDestCheck"] is False and found["TagSet"] == tags(Name="node")
    assert [address["Primary"] for address in found["PrivateIpAddresses"]] == [True, False]

    instance = daemon.run(subnet, "sleep", "infinity")
    attachment = ec2.attach_network_interface(
        NetworkInterfaceId=interface, InstanceId=instance, DeviceIndex=1, NetworkCardIndex=0
    )["AttachmentId"]
    reaches(lambda: read()["Attachment"]["Status"], "attached", ["attaching"])
    assert read()["Attachment"]["DeviceIndex"] == 1
    ec2.detach_network_interface(AttachmentId=attachment, Force=True)
    gone(lambda: read().get("Attachment"), "InvalidAttachmentID.NotFound")
    ec2.delete_network_interface(NetworkInterfaceId=interface)
    assert refusal(read)[0] == "InvalidNetworkInterfaceID.NotFound"


def read_endpoint(aws, endpoint):
    """The provider's read of aws_vpc_endpoint: the endpoint, its prefix list, each of its interfaces."""
    found = aws.endpoint(endpoint)
    json.loads(found["PolicyDocument"])
    lists = aws.ec2.describe_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [found["ServiceName"]]}])
    assert lists["PrefixLists"] == []
    for interface in found["NetworkInterfaceIds"]:
        [described] = aws.ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"]
        assert described["SubnetId"] in found["SubnetIds"] and described["PrivateIpAddress"]
    return found


def delete_endpoint(aws, endpoint):
    """The provider's delete: any state but `deleting` on the way is an error."""
    assert aws.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])["Unsuccessful"] == []

    def read():
        found = aws.ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
        states = {one["State"] for one in found}
        assert states <= {"deleting", "deleted"}, states
        return states - {"deleted"}

    gone(read, "InvalidVpcEndpointId.NotFound")
    [unsuccessful] = aws.ec2.delete_vpc_endpoints(VpcEndpointIds=["vpce-0123456789abcdef0"])["Unsuccessful"]
    assert unsuccessful["Error"]["Code"] == "InvalidVpcEndpoint.NotFound"


def endpoint_request(vpc, service, subnets, **more):
    """aws_vpc_endpoint's create request."""
    return {
        "ClientToken": f"terraform-{vpc}-{len(subnets)}", "PrivateDnsEnabled": False, "VpcEndpointType": "Interface",
        "VpcId": vpc, "ServiceName": service, "SubnetIds": list(subnets),
        "TagSpecifications": specification("vpc-endpoint", Name="db"),
    } | more


def test_aws_vpc_endpoint_service_and_all_that_hangs_on_it(aws, network):
    ec2 = aws.ec2
    vpc, a, b = network
    service = publish(aws, [a, b], [], acceptance=True)

    def read_service():
        [found] = ec2.describe_vpc_endpoint_service_configurations(ServiceIds=[service.id])["ServiceConfigurations"]
        ec2.describe_vpc_endpoint_service_permissions(ServiceId=service.id)
        return found

    reaches(lambda: read_service()["ServiceState"], "Available", ["Pending"])
    found = read_service()
    assert found["ServiceType"] == [{"ServiceType": "Interface"}] and found["ManagesVpcEndpoints"] is False
    assert found["SupportedIpAddressTypes"] == ["ipv4"] and found["NetworkLoadBalancerArns"] == [service.balancer]
    assert [region["ServiceState"] for region in found["SupportedRegions"]] == ["Available"]

    # aws_vpc_endpoint_service_allowed_principal
    principal = "arn:aws:iam::210987654321:root"
    [added] = ec2.modify_vpc_endpoint_service_permissions(ServiceId=service.id, AddAllowedPrincipals=[principal])[
        "AddedPrincipals"
    ]
    [allowed] = ec2.describe_vpc_endpoint_service_permissions(ServiceId=service.id)["AllowedPrincipals"]
    assert added["ServicePermissionId"] == allowed["ServicePermissionId"] and allowed["Principal"] == principal
    ec2.modify_vpc_endpoint_service_permissions(ServiceId=service.id, RemoveAllowedPrincipals=[principal])

    # aws_vpc_endpoint with auto_accept: no state between pendingAcceptance and available.
    group = create_security_group(aws, vpc)
    made = ec2.create_vpc_endpoint(**endpoint_request(vpc, service.name, [a], SecurityGroupIds=[group]))["VpcEndpoint"]
    endpoint = made["VpcEndpointId"]
    assert made["State"] == "pendingAcceptance"
    by_name = [{"Name": "service-name", "Values": [service.name]}]
    [configuration] = ec2.describe_vpc_endpoint_service_configurations(Filters=by_name)["ServiceConfigurations"]
    ec2.accept_vpc_endpoint_connections(ServiceId=configuration["ServiceId"], VpcEndpointIds=[endpoint])
    aws.wait_for_endpoint(endpoint)
    found = read_endpoint(aws, endpoint)
    assert found["Tags"] == tags(Name="db") and found["Groups"][0]["GroupId"] == group
    again = ec2.create_vpc_endpoint(**endpoint_request(vpc, service.name, [a], SecurityGroupIds=[group]))
    assert again["VpcEndpoint"]["VpcEndpointId"] == endpoint, "the same token, the same endpoint"

    def available():
        reaches(lambda: aws.endpoint(endpoint)["State"], ("available", "pendingAcceptance"), ["pending"])

    # aws_vpc_endpoint_subnet_association
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddSubnetIds=[b])
    available()
    assert set(read_endpoint(aws, endpoint)["SubnetIds"]) == {a, b}
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, RemoveSubnetIds=[b])
    available()
    assert refusal(ec2.modify_vpc_endpoint, VpcEndpointId=endpoint, RemoveSubnetIds=[b])[0] == "InvalidParameter"

    # aws_vpc_endpoint_security_group_association, which replaces the default one
    second = create_security_group(aws, vpc, "second")
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddSecurityGroupIds=[second])
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, RemoveSecurityGroupIds=[group])
    assert [one["GroupId"] for one in aws.endpoint(endpoint)["Groups"]] == [second]
    code, _ = refusal(ec2.modify_vpc_endpoint, VpcEndpointId=endpoint, RemoveSecurityGroupIds=[group])
    assert code == "InvalidParameter"

    # aws_vpc_endpoint_connection_notification, of the service
    topic = "arn:aws:sns:us-east-1:123456789012:connections"
    made = ec2.create_vpc_endpoint_connection_notification(
        ClientToken="terraform-3", ConnectionEvents=["Reject", "Accept"], ConnectionNotificationArn=topic,
        ServiceId=service.id,
    )["ConnectionNotification"]
    notification = made["ConnectionNotificationId"]

    def read_notification():
        return ec2.describe_vpc_endpoint_connection_notifications(ConnectionNotificationId=notification)[
            "ConnectionNotificationSet"
        ][0]

    found = read_notification()
    assert set(found["ConnectionEvents"]) == {"Accept", "Reject"} and found["ConnectionNotificationArn"] == topic
    assert (found["ConnectionNotificationType"], found["ConnectionNotificationState"]) == ("Topic", "Enabled")
    ec2.modify_vpc_endpoint_connection_notification(ConnectionNotificationId=notification, ConnectionEvents=["Delete"])
    assert read_notification()["ConnectionEvents"] == ["Delete"]
    ec2.delete_vpc_endpoint_connection_notifications(ConnectionNotificationIds=[notification])
    assert refusal(read_notification)[0] == "InvalidConnectionNotification"
    [failed] = ec2.delete_vpc_endpoint_connection_notifications(ConnectionNotificationIds=[notification])["Unsuccessful"]
    assert failed["Error"]["Code"] == "InvalidConnectionNotification"

    # Destroyed in the provider's order: the connection, the endpoint, the service, its balancer.
    ec2.reject_vpc_endpoint_connections(ServiceId=service.id, VpcEndpointIds=[endpoint])
    assert aws.endpoint(endpoint)["State"] == "rejected"
    delete_endpoint(aws, endpoint)
    assert ec2.delete_vpc_endpoint_service_configurations(ServiceIds=[service.id])["Unsuccessful"] == []
    gone(read_service, "InvalidVpcEndpointServiceId.NotFound")
    [failed] = ec2.delete_vpc_endpoint_service_configurations(ServiceIds=[service.id])["Unsuccessful"]
    assert failed["Error"]["Code"] == "InvalidVpcEndpointService.NotFound"


def test_aws_vpc_endpoint_connection_accepter(aws, network):
    ec2 = aws.ec2
    vpc, a, _ = network
    service = publish(aws, [a], [], acceptance=True)
    reaches(
        lambda: ec2.describe_vpc_endpoint_service_configurations(ServiceIds=[service.id])["ServiceConfigurations"][0][
            "ServiceState"
        ],
        "Available", ["Pending"],
    )
    endpoint = ec2.create_vpc_endpoint(**endpoint_request(vpc, service.name, [a]))["VpcEndpoint"]["VpcEndpointId"]
    ec2.accept_vpc_endpoint_connections(ServiceId=service.id, VpcEndpointIds=[endpoint])
    reaches(lambda: service.connections()[endpoint], "available", ["pendingAcceptance", "pending"])
    ec2.reject_vpc_endpoint_connections(ServiceId=service.id, VpcEndpointIds=[endpoint])
    delete_endpoint(aws, endpoint)


def test_aws_vpc_endpoint_of_an_aws_service_with_policy_and_private_dns(aws, network):
    ec2 = aws.ec2
    vpc, a, b = network
    name = "com.amazonaws.us-east-1.sqs"
    # data.aws_vpc_endpoint_service
    [detail] = ec2.describe_vpc_endpoint_services(
        ServiceNames=[name], Filters=[{"Name": "service-type", "Values": ["Interface"]}]
    )["ServiceDetails"]
    assert detail["ServiceName"] == name and detail["VpcEndpointPolicySupported"]
    code, _ = refusal(ec2.describe_vpc_endpoint_services, ServiceNames=["com.amazonaws.us-east-1.nothing"])
    assert code == "InvalidServiceName"

    made = ec2.create_vpc_endpoint(**endpoint_request(vpc, name, [a, b], PrivateDnsEnabled=True))["VpcEndpoint"]
    endpoint = made["VpcEndpointId"]
    assert made["State"] == "pending"

    def available():
        reaches(lambda: aws.endpoint(endpoint)["State"], ("available", "pendingAcceptance"), ["pending"])

    available()
    default = json.loads(read_endpoint(aws, endpoint)["PolicyDocument"])
    # aws_vpc_endpoint_policy
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}]}
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PolicyDocument=json.dumps(policy))
    available()
    assert json.loads(aws.endpoint(endpoint)["PolicyDocument"]) == policy
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, ResetPolicy=True)
    available()
    assert json.loads(aws.endpoint(endpoint)["PolicyDocument"]) == default
    # aws_vpc_endpoint_private_dns
    for wanted in (False, True):
        ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PrivateDnsEnabled=wanted)
        assert aws.endpoint(endpoint)["PrivateDnsEnabled"] is wanted
    available()
    # data.aws_vpc_endpoint
    found = ec2.describe_vpc_endpoints(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "service-name", "Values": [name]},
                 {"Name": "vpc-endpoint-state", "Values": ["available"]}, {"Name": "tag:Name", "Values": ["db"]}]
    )["VpcEndpoints"]
    assert [one["VpcEndpointId"] for one in found] == [endpoint]
    delete_endpoint(aws, endpoint)

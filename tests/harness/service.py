"""An endpoint service, from the load balancer to the permission, in a few words."""

import os
from dataclasses import dataclass

from harness.aws import Account

CHECKS = {"HealthCheckProtocol": "TCP", "HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 2,
          "HealthyThresholdCount": 2, "UnhealthyThresholdCount": 2}


@dataclass
class Service:
    """What was made for one endpoint service."""

    account: Account
    balancer: str
    target_group: str
    listener: str
    id: str
    name: str

    def permit(self, *principals):
        """Let these principals find and connect to the service."""
        self.account.ec2.modify_vpc_endpoint_service_permissions(
            ServiceId=self.id, AddAllowedPrincipals=list(principals)
        )

    def connections(self):
        """Its connections' states, by endpoint."""
        found = self.account.ec2.describe_vpc_endpoint_connections(
            Filters=[{"Name": "service-id", "Values": [self.id]}]
        )["VpcEndpointConnections"]
        return {connection["VpcEndpointId"]: connection["VpcEndpointState"] for connection in found}


def publish(account, subnets, targets, port=7000, target_port=None, protocol="TCP", acceptance=False, groups=(),
            cross_zone=False, target_type="instance", certificate=None, dual=False, target_family="ipv4"):
    """Publish what `targets` (ids of instances, or addresses) serve, through a balancer in `subnets`; by TLS with a
    certificate; `dual` to clients of both families."""
    unique = os.urandom(4).hex()
    vpc = account.ec2.describe_subnets(SubnetIds=subnets)["Subnets"][0]["VpcId"]
    options = {"SecurityGroups": list(groups)} if groups else {}
    options |= {"IpAddressType": "dualstack"} if dual else {}
    balancer = account.elbv2.create_load_balancer(
        Name=f"nlb-{unique}", Type="network", Scheme="internal", Subnets=subnets, **options
    )["LoadBalancers"][0]["LoadBalancerArn"]
    if cross_zone:
        account.elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=balancer, Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}]
        )
    group = account.elbv2.create_target_group(
        Name=f"tg-{unique}", Protocol=protocol, Port=target_port or port, VpcId=vpc, TargetType=target_type,
        IpAddressType=target_family, **CHECKS
    )["TargetGroups"][0]["TargetGroupArn"]
    if targets:
        account.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": target} for target in targets])
    tls = {"Protocol": "TLS", "Certificates": [{"CertificateArn": certificate}]} if certificate else {}
    listener = account.elbv2.create_listener(
        LoadBalancerArn=balancer, Port=port, **({"Protocol": protocol} | tls),
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Listeners"][0]["ListenerArn"]
    account.elbv2.get_waiter("load_balancer_available").wait(
        LoadBalancerArns=[balancer], WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    configuration = account.ec2.create_vpc_endpoint_service_configuration(
        NetworkLoadBalancerArns=[balancer], AcceptanceRequired=acceptance,
        SupportedIpAddressTypes=["ipv4", "ipv6"] if dual else ["ipv4"]
    )["ServiceConfiguration"]
    return Service(account, balancer, group, listener, configuration["ServiceId"], configuration["ServiceName"])


def connect(account, service, vpc, subnets, groups=(), **options):
    """Make an endpoint to a service. Returns its id; it may not be available yet."""
    made = account.ec2.create_vpc_endpoint(
        VpcEndpointType="Interface", VpcId=vpc, ServiceName=service.name, SubnetIds=list(subnets),
        **({"SecurityGroupIds": list(groups)} if groups else {}), **({"PrivateDnsEnabled": False} | options),
    )
    return made["VpcEndpoint"]["VpcEndpointId"]

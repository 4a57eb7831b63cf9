"""Linkway as one of the networks: an endpoint of a consumer's VPC, and the service behind a balancer."""

from networks import BANNER, HTTP, IPERF, Subject

PORTS = (IPERF, HTTP, BANNER)
# The same range on both sides: the endpoint is the only way, and addresses may overlap.
CIDR, ZONE = "10.0.0.0/16", "a"
SERVER, CLIENT, ENDPOINT = "10.0.1.10", "10.0.2.10", "10.0.2.20"


def protocol(port):
    """What a listener speaks. iperf3 sends datagrams, too."""
    return "TCP_UDP" if port == IPERF else "TCP"


class Service:
    """A provider's endpoint service, with its server in a namespace, and a consumer's VPC with a client."""

    def __init__(self, networks, daemon, account):
        self.networks, self.daemon, self.account = networks, daemon, account
        self.server, self.client = networks.namespace("ls"), networks.namespace("lc")
        self.name = self._publish()
        self.vpc = account.vpc(CIDR)
        self.subnet = account.subnet(self.vpc, "10.0.2.0/24", ZONE)
        self.groups = [account.group(self.vpc, *((kind, (1, 65535), CIDR) for kind in ("tcp", "udp")))]
        self._attach(self.subnet, self.client, CLIENT, self.groups[0])

    def _attach(self, subnet, namespace, address, group):
        self.daemon.linkway(
            "attach", "--subnet", subnet, "--netns", f"/run/netns/{namespace}", "--private-ip", address,
            "--security-group", group,
        )

    def _publish(self):
        account = self.account
        vpc = account.vpc(CIDR)
        subnet = account.subnet(vpc, "10.0.1.0/24", ZONE)
        group = account.group(vpc, *((kind, (1, 65535), CIDR) for kind in ("tcp", "udp")))
        self._attach(subnet, self.server, SERVER, group)
        self.networks.servers(self.server)
        balancer = account.elbv2.create_load_balancer(
            Name="bench", Type="network", Scheme="internal", Subnets=[subnet]
        )["LoadBalancers"][0]["LoadBalancerArn"]
        groups = [self._listen(balancer, vpc, port) for port in PORTS]
        service = account.ec2.create_vpc_endpoint_service_configuration(
            NetworkLoadBalancerArns=[balancer], AcceptanceRequired=False
        )["ServiceConfiguration"]
        # The banner's server is started later, by whoever needs it.
        for target_group in groups[:2]:
            account.wait_for_targets(target_group)
        return service["ServiceName"]

    def _listen(self, balancer, vpc, port):
        elbv2 = self.account.elbv2
        group = elbv2.create_target_group(
            Name=f"bench-{port}", Protocol=protocol(port), Port=port, VpcId=vpc, TargetType="ip",
            # The server is single-threaded where a round is being measured: it is checked elsewhere, and seldom.
            HealthCheckPort=str(HTTP), HealthCheckIntervalSeconds=300, HealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": SERVER}])
        elbv2.create_listener(
            LoadBalancerArn=balancer, Protocol=protocol(port), Port=port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )
        return group

    def create_endpoint(self, vpc, subnet, groups, address=None):
        """Make an endpoint to the service; at a chosen address, or any."""
        chosen = {"SubnetConfigurations": [{"SubnetId": subnet, "Ipv4": address}]} if address else {}
        return self.account.ec2.create_vpc_endpoint(
            VpcEndpointType="Interface", ServiceName=self.name, VpcId=vpc, SubnetIds=[subnet],
            SecurityGroupIds=groups, PrivateDnsEnabled=False, **chosen,
        )["VpcEndpoint"]["VpcEndpointId"]

    def subject(self):
        """The way from the client through an endpoint."""
        self.endpoint = self.create_endpoint(self.vpc, self.subnet, self.groups, ENDPOINT)
        self.account.wait_for_endpoint(self.endpoint)
        return Subject("Linkway endpoint", self.client, ENDPOINT)

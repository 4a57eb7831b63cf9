"""The provider's side: PostgreSQL in private subnets, behind a Network Load Balancer, as an endpoint service."""

from show import headline

# Not us-east-1: there, the AWS CLI's version 1 calls RDS by a name that no endpoint has, on AWS neither.
REGION = "eu-west-1"
ZONES = (f"{REGION}a", f"{REGION}b")
RANGE = "10.0.0.0/16"
# Of the databases. In the consumer's VPC, which has the same range, nothing is there.
ADDRESSES = ("10.0.0.50", "10.0.1.50")
PRIVATE_NAME = "db.shop.example.com"


class Provider:
    """Makes it all with the AWS CLI."""

    def __init__(self, shell, linkway):
        self.shell, self.linkway = shell, linkway

    def network(self):
        """A VPC and a private subnet in each of two zones."""
        headline(f"The provider: a VPC {RANGE}, with a private subnet in each of two zones")
        [self.vpc] = self.shell.aws("ec2", "create-vpc", "--cidr-block", RANGE, query="Vpc.VpcId")
        self.subnets = [
            self.shell.aws(
                "ec2", "create-subnet", "--vpc-id", self.vpc, "--cidr-block", f"10.0.{number}.0/24",
                "--availability-zone", zone, query="Subnet.SubnetId",
            )[0]
            for number, zone in enumerate(ZONES)
        ]
        [self.group] = self.shell.aws(
            "ec2", "create-security-group", "--group-name", "database", "--description", "PostgreSQL", "--vpc-id",
            self.vpc, query="GroupId",
        )
        self.shell.aws(
            "ec2", "authorize-security-group-ingress", "--group-id", self.group, "--protocol", "tcp", "--port", "5432",
            "--cidr", RANGE,
        )

    def databases(self, clusters):
        """A PostgreSQL server in each zone."""
        headline("PostgreSQL, as an instance in each subnet")
        self.instances = [
            self.linkway.run(
                "linkway", "run", "--subnet", subnet, "--security-group", self.group, "--private-ip", address,
                "--name", f"database-{zone[-1]}", "--detach", "--", *cluster.command(),
            ).stdout.strip()
            for subnet, address, zone, cluster in zip(self.subnets, ADDRESSES, ZONES, clusters)
        ]

    def balancer(self):
        """A Network Load Balancer with a node in each zone."""
        headline("A Network Load Balancer in front of them")
        [self.load_balancer] = self.shell.aws(
            "elbv2", "create-load-balancer", "--name", "database", "--type", "network", "--scheme", "internal",
            "--subnets", *self.subnets, query="LoadBalancers[].LoadBalancerArn",
        )
        [self.target_group] = self.shell.aws(
            "elbv2", "create-target-group", "--name", "database", "--protocol", "TCP", "--port", "5432", "--vpc-id",
            self.vpc, "--target-type", "instance", "--health-check-interval-seconds", "5",
            "--health-check-timeout-seconds", "2",
            query="TargetGroups[].TargetGroupArn",
        )
        targets = [f"Id={instance}" for instance in self.instances]
        self.shell.aws("elbv2", "register-targets", "--target-group-arn", self.target_group, "--targets", *targets)
        self.shell.aws(
            "elbv2", "create-listener", "--load-balancer-arn", self.load_balancer, "--protocol", "TCP", "--port", "5432",
            "--default-actions", f"Type=forward,TargetGroupArn={self.target_group}",
        )
        self.shell.aws("elbv2", "wait", "load-balancer-available", "--load-balancer-arns", self.load_balancer)
        self.shell.aws("elbv2", "wait", "target-in-service", "--target-group-arn", self.target_group)

    def publish(self, consumer, upstream):
        """The endpoint service: for one account, accepted by hand, under a private DNS name that is proved."""
        headline("An endpoint service: for one account, each endpoint accepted by hand, with a private DNS name")
        self.service, self.service_name = self.shell.aws(
            "ec2", "create-vpc-endpoint-service-configuration", "--network-load-balancer-arns", self.load_balancer,
            "--acceptance-required", "--private-dns-name", PRIVATE_NAME,
            query="ServiceConfiguration.[ServiceId,ServiceName]",
        )
        self.shell.aws(
            "ec2", "modify-vpc-endpoint-service-permissions", "--service-id", self.service, "--add-allowed-principals",
            f"arn:aws:iam::{consumer}:root",
        )
        configuration = "ServiceConfigurations[0].PrivateDnsNameConfiguration"
        label, value = self._configuration(f"{configuration}.[Name,Value]")
        print(f"  the domain's owner publishes the TXT record {label}.{PRIVATE_NAME} = {value}")
        upstream.records[f"{label}.{PRIVATE_NAME}", "TXT"] = [value]
        self.shell.aws(
            "ec2", "start-vpc-endpoint-service-private-dns-verification", "--service-id", self.service
        )
        return f"{configuration}.State"

    def _configuration(self, query, quiet=False):
        return self.shell.aws(
            "ec2", "describe-vpc-endpoint-service-configurations", "--service-ids", self.service, query=query,
            quiet=quiet,
        )

    def private_dns_state(self, query):
        """How far the proof of the private DNS name has come."""
        [state] = self._configuration(query, quiet=True)
        return state

    def connection(self, verb, endpoint):
        """Accept or reject a consumer's endpoint."""
        self.shell.aws(
            "ec2", f"{verb}-vpc-endpoint-connections", "--service-id", self.service, "--vpc-endpoint-ids", endpoint
        )

"""The consumer's side: a web application in a private subnet, and an interface endpoint to the service."""

from provider import RANGE, ZONES
from show import headline


class Consumer:
    """Makes it all with the AWS CLI."""

    def __init__(self, shell, linkway, who="The consumer, another account"):
        self.shell, self.linkway, self.who = shell, linkway, who

    def network(self):
        """A VPC of the same range, with DNS, two subnets, and a group each for application and endpoint."""
        headline(f"{self.who}: a VPC of the same range, {RANGE}")
        [self.vpc] = self.shell.aws("ec2", "create-vpc", "--cidr-block", RANGE, query="Vpc.VpcId")
        self.shell.aws("ec2", "modify-vpc-attribute", "--vpc-id", self.vpc, "--enable-dns-hostnames")
        self.subnets = [
            self.shell.aws(
                "ec2", "create-subnet", "--vpc-id", self.vpc, "--cidr-block", f"10.0.{number}.0/24",
                "--availability-zone", zone, query="Subnet.SubnetId",
            )[0]
            for number, zone in enumerate(ZONES)
        ]
        self.application_group = self.group("application", "the web application")
        self.endpoint_group = self.group("endpoint", "the endpoint: PostgreSQL, for the application only")
        self.rule("authorize", self.endpoint_group)

    def group(self, name, description):
        """A security group of the VPC."""
        return self.shell.aws(
            "ec2", "create-security-group", "--group-name", name, "--description", description, "--vpc-id", self.vpc,
            query="GroupId",
        )[0]

    def rule(self, verb, group, port="5432"):
        """Authorize or revoke the one rule of a group: it lets the application in."""
        self.shell.aws(
            "ec2", f"{verb}-security-group-ingress", "--group-id", group, "--protocol", "tcp", "--port", port,
            "--source-group", self.application_group,
        )

    def start(self, *command):
        """The web application."""
        headline("The application, as an instance in the private subnet")
        self.instance = self.linkway.run(
            "linkway", "run", "--subnet", self.subnets[0], "--security-group", self.application_group, "--name",
            "application", "--detach", "--", *command,
        ).stdout.strip()

    def create_endpoint(self, service_name):
        """The command that asks for an endpoint in both zones."""
        return (
            "ec2", "create-vpc-endpoint", "--vpc-endpoint-type", "Interface", "--vpc-id", self.vpc, "--service-name",
            service_name, "--subnet-ids", *self.subnets, "--security-group-ids", self.endpoint_group,
        )

    def state(self):
        """The endpoint's state."""
        return self.shell.aws(
            "ec2", "describe-vpc-endpoints", "--vpc-endpoint-ids", self.endpoint, query="VpcEndpoints[0].State",
            quiet=True,
        )[0]

    def endpoint_addresses(self, endpoint=None):
        """Zone and private address of each interface of an endpoint: the database's, unless another is meant."""
        words = self.shell.aws(
            "ec2", "describe-network-interfaces", "--filters",
            f"Name=description,Values=VPC Endpoint Interface {endpoint or self.endpoint}",
            query="NetworkInterfaces[].[AvailabilityZone,PrivateIpAddress]",
        )
        return sorted(zip(words[::2], words[1::2]))

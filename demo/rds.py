"""The consumer's other need: the RDS API under its public name, and a PostgreSQL database, both privately, both only
as allowed.

All of it is made by the AWS CLI; the application's instance then uses the stock CLI and boto3, with a key and a
region and no endpoint option at all.
"""

import json
import re

from harness.wait import until

from consumer import Consumer
from provider import REGION
from show import Shell, headline

NAME = f"rds.{REGION}.amazonaws.com"
DATABASE = "shop"
USER, PASSWORD = "app", "only-for-show"
# Where the instance's trust store is, with Linkway's CA in it.
TRUST = "/etc/ssl/certs/ca-certificates.crt"
# boto3 as anyone writes it.
PROGRAM = """
import boto3
for found in boto3.client("rds").describe_db_instances()["DBInstances"]:
    print(found["DBInstanceIdentifier"], found["DBInstanceStatus"])
"""


class Rds:
    """Makes the database and the endpoint, and fills the demo's table with what the application sees."""

    def __init__(self, demo, consumer, account):
        self.demo, self.consumer, self.table, self.shell = demo, consumer, demo.table, consumer.shell
        variables = demo.shell(account, "application").environment
        self.application = Shell(
            {name: value for name, value in variables.items() if name != "AWS_ENDPOINT_URL"}, "application"
        )

    def run(self):
        """All of it, in the order of the story."""
        self.database()
        self.endpoint()
        self.by_the_public_name()
        self.from_elsewhere()
        self.query()
        self.without_private_dns()

    def database(self):
        """A PostgreSQL database in the consumer's private subnets."""
        headline("A PostgreSQL database, made by the RDS API, for the application only")
        group = self.consumer.group("database", "PostgreSQL, for the application only")
        self.consumer.rule("authorize", group)
        self.shell.aws(
            "rds", "create-db-subnet-group", "--db-subnet-group-name", "private", "--db-subnet-group-description",
            "private subnets of two zones", "--subnet-ids", *self.consumer.subnets,
        )
        self.shell.aws(
            "rds", "create-db-instance", "--db-instance-identifier", DATABASE, "--engine", "postgres",
            "--db-instance-class", "db.t3.micro", "--allocated-storage", "20", "--master-username", USER,
            "--master-user-password", PASSWORD, "--db-name", "shop", "--db-subnet-group-name", "private",
            "--vpc-security-group-ids", group, "--no-publicly-accessible",
        )
        self.shell.aws("rds", "wait", "db-instance-available", "--db-instance-identifier", DATABASE)

    def endpoint(self):
        """An endpoint for the RDS API, whose policy allows reading only, and only from this VPC."""
        headline("An endpoint for the RDS API in both zones: its policy allows rds:Describe*, from this VPC only")
        self.policy = json.dumps({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow", "Principal": "*", "Action": "rds:Describe*", "Resource": "*",
                "Condition": {"StringEquals": {"aws:SourceVpc": self.consumer.vpc}},
            }],
        })
        self.made = self.endpoint_of(self.consumer)

    def endpoint_of(self, consumer):
        """An endpoint of a consumer's, once it is available."""
        group = consumer.group("rds-api", "the RDS API: HTTPS")
        consumer.rule("authorize", group, "443")
        [made] = consumer.shell.aws(
            "ec2", "create-vpc-endpoint", "--vpc-endpoint-type", "Interface", "--vpc-id", consumer.vpc,
            "--service-name", f"com.amazonaws.{REGION}.rds", "--subnet-ids", *consumer.subnets,
            "--security-group-ids", group, "--policy-document", self.policy, query="VpcEndpoint.VpcEndpointId",
        )
        self.wait(made)
        return made

    def wait(self, endpoint):
        """Until the endpoint is available."""
        until(
            lambda: self.shell.aws(
                "ec2", "describe-vpc-endpoints", "--vpc-endpoint-ids", endpoint, query="VpcEndpoints[0].State",
                quiet=True,
            ) == ["available"],
            "the endpoint for RDS available",
        )

    def inside(self, *command, instance=None):
        """Run a command in an instance: the application's, unless another is meant."""
        return self.application.run(
            "linkway", "exec", instance or self.consumer.instance, "--", *command, check=False
        )

    def addresses(self):
        """What RDS's public name resolves to for the application."""
        done = self.inside("getent", "ahostsv4", NAME)
        return ", ".join(sorted({line.split()[0] for line in done.stdout.splitlines()})) or "nothing"

    def of_endpoint(self):
        """The endpoint's private addresses."""
        return ", ".join(sorted(address for _, address in self.consumer.endpoint_addresses(self.made)))

    def by_the_public_name(self):
        """What is allowed works, and what is not is denied in AWS's words."""
        headline("From the application, with stock clients and the public name")
        self.table.add(f"addresses of {NAME}", self.of_endpoint(), self.addresses())
        found = "DBInstances[].[DBInstanceIdentifier,DBInstanceStatus]"
        done = self.inside("aws", "rds", "describe-db-instances", "--query", found, "--output", "text")
        self.table.add("describe-db-instances, AWS CLI", f"{DATABASE} available", words(done))
        done = self.inside(str(self.demo.python), "-c", PROGRAM)
        self.table.add("describe_db_instances, boto3", f"{DATABASE} available", words(done))
        done = self.inside(
            "aws", "rds", "delete-db-instance", "--db-instance-identifier", DATABASE, "--skip-final-snapshot"
        )
        self.table.add("delete-db-instance", denied("rds:DeleteDBInstance"), denial(done))

    def from_elsewhere(self):
        """The same policy on another VPC's endpoint."""
        elsewhere = Consumer(self.shell, self.consumer.linkway, "Another VPC of the consumer's")
        elsewhere.network()
        elsewhere.start("sleep", "infinity")
        headline("An endpoint there, with the same policy, which names the first VPC")
        self.endpoint_of(elsewhere)
        done = self.inside("aws", "rds", "describe-db-instances", instance=elsewhere.instance)
        self.table.add("describe-db-instances from another VPC", denied("rds:DescribeDBInstances"), denial(done))

    def query(self):
        """The database at the address that the API gave, over TLS."""
        headline("The database, at the address that the API gives")
        [host] = self.shell.aws(
            "rds", "describe-db-instances", "--db-instance-identifier", DATABASE,
            query="DBInstances[0].Endpoint.Address",
        )
        target = f"host={host} dbname=shop user={USER} password={PASSWORD} sslmode=verify-full sslrootcert={TRUST}"
        statement = "SELECT current_user, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        done = self.inside("psql", "--no-psqlrc", "-At", target, "-c", statement)
        self.table.add("psql: the user, and whether over TLS", f"{USER}|t", words(done))

    def without_private_dns(self):
        """The name is the endpoint's only as long as private DNS is on."""
        headline("Without private DNS")
        self.shell.aws("ec2", "modify-vpc-endpoint", "--vpc-endpoint-id", self.made, "--no-private-dns-enabled")
        self.wait(self.made)
        self.table.add(f"addresses of {NAME}, private DNS off", "nothing", self.addresses())
        self.shell.aws("ec2", "modify-vpc-endpoint", "--vpc-endpoint-id", self.made, "--private-dns-enabled")
        self.wait(self.made)
        self.table.add(f"addresses of {NAME}, private DNS on again", self.of_endpoint(), self.addresses())


def words(done):
    """What a command printed, on one line; what it complained of, if it failed."""
    return " ".join((done.stdout if done.returncode == 0 else done.stderr).split())


def denied(action):
    """How AWS says that a policy does not allow an action."""
    return f"AccessDenied: no VPC endpoint policy allows the {action} action"


def denial(done):
    """What a command was denied, in the same words."""
    print(done.stderr.strip())
    said = re.search(r"\((\w+)\).*because (no VPC endpoint policy allows the \S+ action)", done.stderr)
    return f"{said[1]}: {said[2]}" if said else words(done)

"""Databases: a network for them, DB instances made in it, and clients from an instance beside them."""

import subprocess

from botocore.exceptions import ClientError

from harness.wait import until

PASSWORD = "only-for-show"
TRUST = "/etc/ssl/certs/ca-certificates.crt"


class Network:
    """A VPC with subnets in two zones, an application in it, and a group that lets it in at a database's port."""

    def __init__(self, daemon, account, *ports):
        self.daemon, self.account = daemon, account
        self.rds = account.client("rds")
        self.vpc = account.vpc()
        self.subnets = [account.subnet(self.vpc, "10.0.1.0/24", "a"), account.subnet(self.vpc, "10.0.2.0/24", "b")]
        self.clients = account.group(self.vpc)
        self.servers = account.group(self.vpc, *(("tcp", port, self.clients) for port in ports))
        self.rds.create_db_subnet_group(
            DBSubnetGroupName="private", DBSubnetGroupDescription="made by a test", SubnetIds=self.subnets
        )
        self.application = daemon.run(self.subnets[0], "sleep", "infinity", groups=[self.clients])

    def create(self, name, engine="postgres", **options):
        """Make a DB instance, and wait until it is available."""
        self.start_creating(name, engine, **options)
        return self.available(name)

    def start_creating(self, name, engine="postgres", **options):
        """Ask for a DB instance."""
        self.rds.create_db_instance(
            **{
                "DBInstanceIdentifier": name, "Engine": engine, "DBInstanceClass": "db.t3.micro",
                "AllocatedStorage": 20, "MasterUsername": "app", "MasterUserPassword": PASSWORD, "DBName": "shop",
                "DBSubnetGroupName": "private", "VpcSecurityGroupIds": [self.servers],
            } | options
        )

    def describe(self, name):
        """A DB instance as described, or nothing."""
        try:
            return self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        except ClientError as error:
            assert error.response["Error"]["Code"] == "DBInstanceNotFound", error
            return None

    def status(self, name):
        """A DB instance's status."""
        return self.describe(name)["DBInstanceStatus"]

    def available(self, name, within=60):
        """Wait until a DB instance is available, and describe it."""
        return self.reaches(name, "available", within)

    def reaches(self, name, wanted, within=60):
        """Wait until a DB instance has this status, and describe it."""

        def reached():
            found = self.describe(name)
            assert found["DBInstanceStatus"] != "failed" or wanted == "failed", f"{name} has failed"
            return found if found["DBInstanceStatus"] == wanted else None

        return until(reached, f"the DB instance {name} {wanted}", within)

    def delete(self, name, within=60):
        """Delete a DB instance, and wait until it is gone."""
        self.rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
        until(lambda: self.describe(name) is None, f"the DB instance {name} gone", within)

    # Clients

    def psql_command(self, database, **options):
        """psql at the address that the API gives, with all of TLS's checks."""
        endpoint = database["Endpoint"]
        target = {
            "host": endpoint["Address"], "port": endpoint["Port"], "user": "app", "password": PASSWORD,
            "dbname": "shop", "sslmode": "verify-full", "sslrootcert": TRUST, "connect_timeout": 5,
        } | options
        words = " ".join(f"{name}={value}" for name, value in target.items())
        return ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", words]

    def psql(self, database, statement, instance=None, **options):
        """Run a statement from the application. Returns the finished process."""
        command = [*self.psql_command(database, **options), "--command", statement]
        return self.daemon.exec(instance or self.application, *command)

    def query(self, database, statement, **options):
        """What a statement answers."""
        done = self.psql(database, statement, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def mariadb(self, database, statement, password=PASSWORD, user="app", options=("--ssl-verify-server-cert",)):
        """Run a statement with MariaDB's client. Returns the finished process."""
        endpoint = database["Endpoint"]
        return self.daemon.exec(
            self.application, "env", f"MYSQL_PWD={password}", "mariadb", "--no-defaults", "--batch",
            "--skip-column-names", f"--ssl-ca={TRUST}", *options, "--host", endpoint["Address"],
            "--port", str(endpoint["Port"]), "--user", user, "--connect-timeout=5", "--execute", statement,
        )

    def session(self, database):
        """A psql session that stays open."""
        return Session(self.daemon.popen(
            "exec", self.application, "--", *self.psql_command(database),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ))


class Session:
    """An open session: statements in, answers of one line out."""

    def __init__(self, process):
        self.process = process

    def ask(self, statement):
        """The answer to a statement."""
        self.process.stdin.write(f"{statement};\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self):
        """End it."""
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

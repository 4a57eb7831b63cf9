"""What the demo looks at, each with what it expects."""

import re

from harness.postgres import sql
from harness.wait import TookTooLong, until

from provider import ADDRESSES, PRIVATE_NAME
from show import headline

ROWS = "lamp: 24.50, chair: 79.00, teapot: 18.25"
PAGE = "http://127.0.0.1:8000/"
# A public address. Nothing is sent there: the packet ends at the application's own interface.
INTERNET = "192.0.2.80"


class Checks:
    """Fills the demo's table."""

    def __init__(self, demo, provider, consumer, stranger):
        self.demo, self.provider, self.consumer, self.stranger = demo, provider, consumer, stranger
        self.daemon, self.table = demo.daemon, demo.table

    def run(self):
        """All of them, in the order of the story."""
        self.page()
        self.zones()
        self.nothing_else()
        self.rule()
        self.strangers()
        self.rejection()

    def inside(self, *command, check=False):
        """Run a command in the application's instance."""
        return self.consumer.linkway.run("linkway", "exec", self.consumer.instance, "--", *command, check=check)

    def seen_page(self):
        """What the application's page says, on one line."""
        done = self.inside("curl", "-s", "--max-time", "8", PAGE)
        return ", ".join(done.stdout.split("\n")[:-1]) or f"curl: status {done.returncode}"

    def page(self):
        """The application reads its database under the service's own name."""
        headline("The application's page")
        # It may still be starting.
        until(lambda: self.daemon.exec(self.consumer.instance, "curl", "-s", PAGE).returncode == 0, "the application")
        self.table.add("the page, from the database by its private DNS name", ROWS, self.seen_page())
        done = self.inside("getent", "ahostsv4", PRIVATE_NAME)
        resolved = sorted({line.split()[0] for line in done.stdout.splitlines()})
        expected = sorted(address for _, address in self.consumer.endpoint_addresses())
        self.table.add(f"addresses of {PRIVATE_NAME}", ", ".join(expected), ", ".join(resolved))

    def zones(self):
        """The endpoint serves in each of its zones."""
        headline("Both of the endpoint's addresses")
        for zone, address in self.consumer.endpoint_addresses():
            done = self.inside(*sql(address, "SELECT count(*) FROM items"))
            self.table.add(f"rows through the endpoint in {zone}, {address}", "3", done.stdout.strip() or done.stderr)

    def reason(self, attempt):
        """What an attempt that must fail comes to, and the drop reasons that counted up meanwhile."""
        interface = self.interface()
        before = self.daemon.drops(interface)
        done = attempt()
        after = self.daemon.drops(interface)
        reasons = sorted(reason for reason, count in after.items() if count > before.get(reason, 0))
        return f"{'reached' if done.returncode == 0 else 'unreachable'}, dropped: {', '.join(reasons) or 'nothing'}"

    def interface(self):
        """The application's network interface."""
        return self.consumer.shell.aws(
            "ec2", "describe-instances", "--instance-ids", self.consumer.instance,
            query="Reservations[].Instances[].NetworkInterfaces[].NetworkInterfaceId", quiet=True,
        )[0]

    def unreachable(self, what, host, port, reason):
        """A row: from the application, this place must not be reachable, for this reason."""
        seen = self.reason(lambda: self.inside("nc", "-z", "-w", "2", host, str(port)))
        self.table.add(what, f"unreachable, dropped: {reason}", seen)

    def nothing_else(self):
        """There is no other way, not even to what has the same address range."""
        headline("From the application, nothing else is reachable")
        self.unreachable(f"the database's own address, {ADDRESSES[0]}", ADDRESSES[0], 5432, "NoRoute")
        self.unreachable(f"the internet, {INTERNET}", INTERNET, 443, "NoRoute")
        address = self.consumer.endpoint_addresses()[0][1]
        for port in (22, 443, 5433):
            self.unreachable(f"the endpoint, port {port}", address, port, "IngressDenied")

    def rule(self):
        """The security group's rule is what lets the application in."""
        headline("Without the security group's rule")
        self.consumer.rule("revoke", self.consumer.endpoint_group)
        address = self.consumer.endpoint_addresses()[0][1]
        self.unreachable("the endpoint, with its rule revoked", address, 5432, "IngressDenied")
        self.consumer.rule("authorize", self.consumer.endpoint_group)
        self.table.add("the page, with the rule authorised again", ROWS, self.seen_page())

    def strangers(self):
        """Who is not permitted cannot tell the service from one that does not exist."""
        headline("Another consumer, who is not permitted")
        self.stranger.network()
        done = self.stranger.shell.aws(*self.stranger.create_endpoint(self.provider.service_name), check=False)
        print(done.stderr.strip())
        code = re.search(r"\((\w+)\)", done.stderr)
        self.table.add("an endpoint of an account not permitted", "InvalidServiceName", code[1] if code else "made")

    def rejection(self):
        """The provider may cut a connection at any time."""
        headline("The provider rejects the endpoint, which cuts it")
        self.provider.connection("reject", self.consumer.endpoint)
        self.table.add("the endpoint's state", "rejected", self.consumer.state())
        address = self.consumer.endpoint_addresses()[0][1]
        try:
            until(lambda: "EndpointUnavailable" in self.attempted(address), "the endpoint cut", 10)
        except TookTooLong:
            pass
        self.unreachable("the endpoint, rejected", address, 5432, "EndpointUnavailable")
        self.provider.connection("accept", self.consumer.endpoint)
        until(lambda: self.consumer.state() == "available", "the endpoint available again")
        self.table.add("the page, with the endpoint accepted again", ROWS, self.seen_page())

    def attempted(self, address):
        """The reasons of one attempt to reach the database."""
        return self.reason(
            lambda: self.daemon.exec(self.consumer.instance, "nc", "-z", "-w", "1", address, "5432")
        )

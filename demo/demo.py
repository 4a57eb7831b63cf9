#!/usr/bin/env python3
"""See Linkway work: a PostgreSQL database, published into another account's VPC of the same address range, and a web
application there that reads it through an interface endpoint, and can reach nothing else.

Every resource is made by the unmodified AWS CLI. Each command is printed before it runs; in the end there is a table
of what was expected and what was seen, and the exit status is 1 if they differ anywhere. At a terminal the demo then
stays up to be looked at, unless DEMO_ONCE=1.
"""

import argparse
import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from harness.aws import Account  # noqa: E402
from harness.daemon import Daemon  # noqa: E402
from harness.dns import Upstream  # noqa: E402
from harness.postgres import PASSWORD, Cluster  # noqa: E402
from harness.wait import until  # noqa: E402

from checks import Checks  # noqa: E402
from consumer import Consumer  # noqa: E402
from provider import PRIVATE_NAME, REGION, ZONES, Provider  # noqa: E402
from rds import Rds  # noqa: E402
from show import Shell, Table, headline  # noqa: E402

CONSUMER, STRANGER = "210987654321", "333333333333"
PAGE_PORT = 8000


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--linkway", default=ROOT / "target/release/linkway", help="the binary to show")
    options = parser.parse_args()
    if os.geteuid():
        raise SystemExit("the demo makes network namespaces and loads packet programs: run it as root")
    os.environ["LINKWAY"] = str(options.linkway)
    # Ctrl-C, or the end of the terminal, at any point: everything is taken down.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda *_: sys.exit(130))
    with ExitStack() as stack:
        agrees = Demo(stack, Path(options.linkway).resolve()).run()
    sys.exit(0 if agrees else 1)


class Demo:
    """The scenario, from nothing to the table."""

    def __init__(self, stack, binary):
        self.binary = binary
        self.python = ROOT / ".venv/bin/python3"
        self.upstream = Upstream()
        stack.callback(self.upstream.close)
        self.clusters = [Cluster() for _ in ZONES]
        for cluster in self.clusters:
            stack.callback(cluster.remove)
        state = stack.enter_context(tempfile.TemporaryDirectory(prefix="linkway-demo-"))
        self.daemon = Daemon(
            name="linkway-demo", state_dir=state, arguments=["--upstream", self.upstream.address]
        )
        headline("A daemon of the demo's own")
        print("$", " ".join(self.daemon.command()), flush=True)
        stack.enter_context(self.daemon)
        self.table = Table()

    def shell(self, account, prompt):
        """A shell where `aws` and `linkway` mean the demo's, for one account."""
        environment = account.environment() | {"LINKWAY_STATE_DIR": str(self.daemon.state_dir)}
        environment["PATH"] = f"{ROOT / '.venv/bin'}:{self.binary.parent}:{os.environ['PATH']}"
        return Shell(environment, prompt)

    def run(self):
        """Walk through it all. Returns whether everything was as expected."""
        provider_shell = self.shell(Account.first(self.daemon, REGION), "provider")
        consumer_account = Account.new(self.daemon, CONSUMER, REGION)
        consumer_shell = self.shell(consumer_account, "consumer")
        stranger_shell = self.shell(Account.new(self.daemon, STRANGER, REGION), "stranger")
        provider = Provider(provider_shell, provider_shell)
        consumer = Consumer(consumer_shell, consumer_shell)

        provider.network()
        provider.databases(self.clusters)
        provider.balancer()
        state = provider.publish(CONSUMER, self.upstream)
        until(lambda: provider.private_dns_state(state) == "verified", f"{PRIVATE_NAME} verified")
        consumer.network()
        consumer.start(
            self.python, ROOT / "demo/application.py", PRIVATE_NAME, PAGE_PORT, PASSWORD
        )

        headline("An interface endpoint in both zones, with private DNS")
        [consumer.endpoint] = consumer_shell.aws(
            *consumer.create_endpoint(provider.service_name), "--private-dns-enabled", query="VpcEndpoint.VpcEndpointId"
        )
        self.table.add("the endpoint before the provider accepts it", "pendingAcceptance", consumer.state())
        provider.connection("accept", consumer.endpoint)
        until(lambda: consumer.state() == "available", "the endpoint available")

        Checks(self, provider, consumer, Consumer(stranger_shell, stranger_shell)).run()
        Rds(self, consumer, consumer_account).run()
        agrees = self.table.print()
        if sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("DEMO_ONCE") != "1":
            self.stay(consumer, agrees)
        return agrees

    def stay(self, consumer, agrees):
        """Let people look around until they have seen enough."""
        headline("It stays up until Ctrl-C. In another terminal:")
        linkway = f"sudo {self.binary} --state-dir {self.daemon.state_dir}"
        psql = " ".join(f"'{word}'" if " " in word else word for word in Cluster.psql(PRIVATE_NAME))
        print(f"""
  eval "$({linkway} env --account {CONSUMER} --region {REGION})"    # then: {ROOT}/.venv/bin/aws ec2 describe-vpc-endpoints
  {linkway} exec {consumer.instance} -- {psql}
  {linkway} exec {consumer.instance} -- curl -s http://127.0.0.1:{PAGE_PORT}/
  {linkway} status
  {linkway} drops --follow
""", flush=True)
        try:
            signal.pause()
        except (KeyboardInterrupt, SystemExit):
            print("\ncleaning up", flush=True)


main()

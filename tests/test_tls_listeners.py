"""Certificates that are imported, and listeners that end TLS with them."""

import json
import stat
import subprocess
from types import SimpleNamespace

import pytest

from harness.aws import Account, refusal
from harness.service import connect, publish
from harness.tls import ECDSA, Authority, import_certificate
from harness.wait import until

NAME = "shop.example.com"
DEFAULT_POLICY = "ELBSecurityPolicy-2016-08"
NOWHERE = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A CA, and certificates of it that tests share."""
    made = Authority(tmp_path_factory.mktemp("ca"))
    made.directory.chmod(0o755)
    made.shop = made.issue(NAME)
    made.wild = made.issue("*.example.org", "example.org")
    made.curve = made.issue(NAME, key=ECDSA)
    return made


# Certificates


def test_a_certificate_from_import_to_end(aws, authority):
    acm = aws.client("acm")
    arn = import_certificate(
        aws, authority.wild, CertificateChain=authority.own.pem, Tags=[{"Key": "team", "Value": "shop"}]
    )
    assert arn.startswith("arn:aws:acm:us-east-1:123456789012:certificate/")
    found = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert found["DomainName"] == "*.example.org"
    assert found["SubjectAlternativeNames"] == ["*.example.org", "example.org"]
    assert (found["Type"], found["Status"], found["Issuer"]) == ("IMPORTED", "ISSUED", "Test")
    assert (found["KeyAlgorithm"], found["SignatureAlgorithm"]) == ("RSA_2048", "SHA256WITHRSA")
    assert found["NotBefore"] <= found["ImportedAt"] < found["NotAfter"] and found["InUseBy"] == []
    assert [usage["Name"] for usage in found["ExtendedKeyUsages"]] == ["TLS_WEB_SERVER_AUTHENTICATION"]
    shown = acm.get_certificate(CertificateArn=arn)
    assert shown["Certificate"].encode() == authority.wild.pem
    assert shown["CertificateChain"].encode() == authority.own.pem

    assert acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] == [{"Key": "team", "Value": "shop"}]
    acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "env", "Value": "test"}])
    acm.remove_tags_from_certificate(CertificateArn=arn, Tags=[{"Key": "team"}, {"Key": "env", "Value": "other"}])
    assert acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] == [{"Key": "env", "Value": "test"}]

    # Again under the same ARN: another certificate, and the tags stay.
    again = import_certificate(aws, authority.shop, CertificateArn=arn)
    assert again == arn
    renewed = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert renewed["DomainName"] == NAME and renewed["CreatedAt"] == found["CreatedAt"]
    assert acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] == [{"Key": "env", "Value": "test"}]

    # As on AWS, only certificates with RSA keys are listed unless others are asked for.
    curve = import_certificate(aws, authority.curve)
    listed = [one["CertificateArn"] for one in acm.list_certificates()["CertificateSummaryList"]]
    assert listed == [arn]
    keys = {"keyTypes": ["RSA_2048", "EC_prime256v1"]}
    pages = acm.get_paginator("list_certificates").paginate(Includes=keys, MaxItems=1)
    assert [one["CertificateArn"] for page in pages for one in page["CertificateSummaryList"]] == [arn, curve]
    assert acm.list_certificates(CertificateStatuses=["EXPIRED"])["CertificateSummaryList"] == []

    acm.delete_certificate(CertificateArn=arn)
    assert refusal(acm.describe_certificate, CertificateArn=arn) == (
        "ResourceNotFoundException", f"Could not find certificate {arn}."
    )


def test_what_cannot_be_imported(aws, authority, tmp_path):
    acm = aws.client("acm")
    shop, curve, own = authority.shop, authority.curve, authority.own

    def refused(certificate=shop.pem, key=shop.key_pem, **options):
        code, message = refusal(acm.import_certificate, Certificate=certificate, PrivateKey=key, **options)
        assert code == "ValidationException", code
        return message

    assert "PEM format" in refused(b"certificate")
    assert refused(shop.pem + own.pem) == (
        "The certificate field contains more than one certificate. You can specify only one certificate in this field."
    )
    assert "does not match" in refused(key=own.key_pem)
    assert "does not match" in refused(key=curve.key_pem)
    assert "private key" in refused(key=b"key")
    assert "chain" in refused(CertificateChain=b"chain")
    assert refused(CertificateChain=authority.wild.pem) == (
        "Could not validate the certificate with the certificate chain."
    )
    locked = subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-in", str(shop.key), "-passout", "pass:secret"], capture_output=True, check=True
    ).stdout
    assert "encrypted" in refused(key=locked)
    arn = import_certificate(aws, shop)
    assert refused(CertificateArn=arn, Tags=[{"Key": "a", "Value": "b"}]) == "Tagging is not permitted on re-import."
    assert refusal(acm.get_certificate, CertificateArn=NOWHERE)[0] == "ResourceNotFoundException"
    wrong = "arn:aws:iam::123456789012:role/not-a-certificate"
    assert refusal(acm.get_certificate, CertificateArn=wrong)[0] == "InvalidArnException"
    unsigned = aws.client("acm", aws_secret_access_key="wrong")
    assert refusal(unsigned.list_certificates)[0] == "InvalidSignatureException"


def test_certificates_are_their_accounts(aws, other, authority):
    arn = import_certificate(aws, authority.shop)
    acm = other.client("acm")
    assert refusal(acm.get_certificate, CertificateArn=arn)[0] == "ResourceNotFoundException"
    assert acm.list_certificates()["CertificateSummaryList"] == []
    assert Account(aws.url, aws.key, aws.secret, "eu-west-1").client("acm").list_certificates()[
        "CertificateSummaryList"
    ] == []
    # Who may do what is a matter of policies, as everywhere.
    iam = aws.client("iam")
    iam.create_user(UserName="reader")
    allowed = {"Effect": "Allow", "Action": "acm:ListCertificates", "Resource": "*"}
    iam.put_user_policy(
        UserName="reader", PolicyName="list",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    reader = Account(aws.url, key["AccessKeyId"], key["SecretAccessKey"]).client("acm")
    assert len(reader.list_certificates()["CertificateSummaryList"]) == 1
    code, message = refusal(reader.get_certificate, CertificateArn=arn)
    assert code == "AccessDeniedException" and "acm:GetCertificate" in message and arn in message


def test_the_aws_cli_imports(aws, authority):
    done = aws.cli(
        "acm", "import-certificate", "--certificate", f"fileb://{authority.shop.certificate}",
        "--private-key", f"fileb://{authority.shop.key}", "--query", "CertificateArn", "--output", "text",
    )
    assert done.returncode == 0, done.stderr
    shown = aws.cli("acm", "list-certificates", "--query", "CertificateSummaryList[0].CertificateArn")
    assert json.loads(shown.stdout) == done.stdout.strip()


# Listeners


@pytest.fixture
def balancer(aws):
    """A balancer with a target group of each kind."""
    vpc = aws.vpc()
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    made = aws.elbv2.create_load_balancer(Name="nlb", Type="network", Scheme="internal", Subnets=[subnet])
    group = lambda protocol: aws.elbv2.create_target_group(  # noqa: E731
        Name=protocol.lower(), Protocol=protocol, Port=443, VpcId=vpc, TargetType="ip"
    )["TargetGroups"][0]["TargetGroupArn"]
    return SimpleNamespace(
        arn=made["LoadBalancers"][0]["LoadBalancerArn"], groups={name: group(name) for name in ("TCP", "TLS", "UDP")}
    )


def test_a_tls_listener_from_nothing_to_nothing(aws, authority, balancer):
    elbv2, acm = aws.elbv2, aws.client("acm")
    shop, wild = import_certificate(aws, authority.shop), import_certificate(aws, authority.wild)
    asked = {
        "LoadBalancerArn": balancer.arn, "Protocol": "TLS", "Port": 443, "Certificates": [{"CertificateArn": shop}],
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": balancer.groups["TLS"]}],
    }
    [made] = elbv2.create_listener(**asked)["Listeners"]
    assert made["Certificates"] == [{"CertificateArn": shop}]
    assert (made["Protocol"], made["SslPolicy"]) == ("TLS", DEFAULT_POLICY)
    listener = made["ListenerArn"]
    assert elbv2.create_listener(**asked)["Listeners"] == [made], "the same again"
    assert refusal(elbv2.create_listener, **asked | {"SslPolicy": "ELBSecurityPolicy-TLS13-1-3-2021-06"})[0] == (
        "DuplicateListener"
    )

    [changed] = elbv2.modify_listener(
        ListenerArn=listener, SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06", AlpnPolicy=["HTTP2Preferred"]
    )["Listeners"]
    assert changed["AlpnPolicy"] == ["HTTP2Preferred"] and changed["Certificates"] == [{"CertificateArn": shop}]

    elbv2.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": wild}])
    elbv2.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": wild}])
    shown = elbv2.describe_listener_certificates(ListenerArn=listener)["Certificates"]
    assert shown == [{"CertificateArn": shop, "IsDefault": True}, {"CertificateArn": wild, "IsDefault": False}]
    for arn in (shop, wild):
        assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["InUseBy"] == [balancer.arn]
        assert refusal(acm.delete_certificate, CertificateArn=arn) == (
            "ResourceInUseException", f"Certificate {arn} in account 123456789012 is in use."
        )
    assert refusal(
        elbv2.remove_listener_certificates, ListenerArn=listener, Certificates=[{"CertificateArn": shop}]
    )[0] == "OperationNotPermitted"
    elbv2.remove_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": wild}])
    acm.delete_certificate(CertificateArn=wild)

    # Without TLS, what belongs to it is gone.
    group = [{"Type": "forward", "TargetGroupArn": balancer.groups["TCP"]}]
    [plain] = elbv2.modify_listener(ListenerArn=listener, Protocol="TCP", DefaultActions=group)["Listeners"]
    assert not plain.get("Certificates") and "SslPolicy" not in plain
    assert elbv2.describe_listener_certificates(ListenerArn=listener)["Certificates"] == []
    assert refusal(elbv2.modify_listener, ListenerArn=listener, Protocol="TLS")[0] == "ValidationError"
    elbv2.modify_listener(ListenerArn=listener, Protocol="TLS", Certificates=[{"CertificateArn": shop}])
    elbv2.delete_listener(ListenerArn=listener)
    acm.delete_certificate(CertificateArn=shop)


def test_what_a_tls_listener_cannot_be(aws, authority, balancer):
    shop = import_certificate(aws, authority.shop)
    certificate = {"CertificateArn": shop}

    def refused(protocol="TLS", group="TLS", **options):
        return refusal(
            aws.elbv2.create_listener, LoadBalancerArn=balancer.arn, Protocol=protocol, Port=443,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": balancer.groups[group]}], **options,
        )[0]

    assert refused() == "ValidationError"
    assert refused(Certificates=[certificate, certificate]) == "TooManyCertificates"
    assert refused(Certificates=[{"CertificateArn": NOWHERE}]) == "CertificateNotFound"
    assert refused(Certificates=[certificate | {"IsDefault": True}]) == "ValidationError"
    assert refused(Certificates=[certificate], SslPolicy="ELBSecurityPolicy-None") == "SSLPolicyNotFound"
    assert refused(Certificates=[certificate], AlpnPolicy=["HTTP3Only"]) == "ALPNPolicyNotFound"
    assert refused(Certificates=[certificate], group="UDP") == "IncompatibleProtocols"
    assert refused("TCP") == "IncompatibleProtocols", "a listener without TLS, and targets with it"
    assert refused("TCP", "TCP", Certificates=[certificate]) == "ValidationError"
    assert refused("TCP", "TCP", SslPolicy=DEFAULT_POLICY) == "ValidationError"
    [plain] = aws.elbv2.create_listener(
        LoadBalancerArn=balancer.arn, Protocol="TCP", Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": balancer.groups["TCP"]}],
    )["Listeners"]
    assert refusal(
        aws.elbv2.add_listener_certificates, ListenerArn=plain["ListenerArn"], Certificates=[certificate]
    )[0] == "ValidationError"


def test_security_policies(aws):
    policies = {policy["Name"]: policy for policy in aws.elbv2.describe_ssl_policies()["SslPolicies"]}
    usual = policies[DEFAULT_POLICY]
    assert usual["SslProtocols"] == ["TLSv1", "TLSv1.1", "TLSv1.2"] and len(usual["Ciphers"]) == 18
    assert usual["Ciphers"][0] == {"Name": "ECDHE-ECDSA-AES128-GCM-SHA256", "Priority": 1}
    newest = aws.elbv2.describe_ssl_policies(Names=["ELBSecurityPolicy-TLS13-1-3-2021-06"])["SslPolicies"]
    assert [policy["SslProtocols"] for policy in newest] == [["TLSv1.3"]]
    pages = aws.elbv2.get_paginator("describe_ssl_policies").paginate(PaginationConfig={"PageSize": 5})
    assert sum(len(page["SslPolicies"]) for page in pages) == len(policies)
    assert refusal(aws.elbv2.describe_ssl_policies, Names=["none"])[0] == "SSLPolicyNotFound"


def test_capacity_is_not_reserved(aws, balancer):
    reserve = {"MinimumLoadBalancerCapacity": {"CapacityUnits": 2750}}
    elbv2 = aws.elbv2
    assert refusal(elbv2.modify_capacity_reservation, LoadBalancerArn=balancer.arn, **reserve)[0] == "ValidationError"
    assert refusal(elbv2.modify_capacity_reservation, LoadBalancerArn=balancer.arn)[0] == "ValidationError"
    elbv2.modify_capacity_reservation(LoadBalancerArn=balancer.arn, ResetCapacityReservation=True)


# Connections


@pytest.fixture
def world(daemon, programs, authority):
    """A service behind a TLS listener, an endpoint to it, and a client in each VPC."""
    return make_world(daemon, programs, authority)


def make_world(daemon, programs, authority, program=("echo.py", "7000"), protocol="TCP"):
    aws = Account.first(daemon)
    vpc = aws.vpc()
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    inner = aws.group(vpc, ("tcp", 7000, "10.0.0.0/24"))
    server = daemon.run(subnet, "/usr/bin/python3", programs / program[0], *program[1:], groups=[inner])
    shop = import_certificate(aws, authority.shop)
    service = publish(aws, [subnet], [server], port=443, target_port=7000, protocol=protocol, certificate=shop)
    consumer = aws.vpc()
    place = aws.subnet(consumer, "10.0.0.0/24")
    door = aws.group(consumer, ("tcp", 443, "10.0.0.0/24"))
    client = daemon.run(place, "sleep", "infinity", private_ip="10.0.0.100")
    endpoint = connect(aws, service, consumer, [place], [door])
    aws.wait_for_targets(service.target_group)
    aws.wait_for_endpoint(endpoint)
    [address] = aws.endpoint_addresses(endpoint).values()

    def ask(name=NAME, alpn="", version=None, host=address, client=client):
        done = daemon.exec(
            client, "/usr/bin/python3", programs / "secure.py", host, 443, authority.own.certificate, name, alpn,
            *([version] if version else []),
        )
        return json.loads(done.stdout)

    return SimpleNamespace(aws=aws, service=service, subnet=subnet, shop=shop, server=server, endpoint=endpoint, ask=ask)


def test_tls_ends_at_the_balancer(daemon, world, authority):
    told = world.ask()
    assert (told["name"], told["echo"], told["version"]) == (NAME, "hello", "TLSv1.2")
    assert told["cipher"] == "ECDHE-RSA-AES128-GCM-SHA256" and told["alpn"] is None and told["greeting"]
    # From the balancer's own VPC, too.
    neighbour = daemon.run(world.subnet, "sleep", "infinity")
    [node] = [
        interface["PrivateIpAddress"]
        for interface in world.aws.ec2.describe_network_interfaces(
            Filters=[{"Name": "subnet-id", "Values": [world.subnet]}]
        )["NetworkInterfaces"]
        if "ELB" in interface["Description"]
    ]
    assert world.ask(host=node, client=neighbour)["echo"] == "hello"

    # Another policy holds for the next connection.
    world.aws.elbv2.modify_listener(
        ListenerArn=world.service.listener, SslPolicy="ELBSecurityPolicy-TLS13-1-3-2021-06",
        AlpnPolicy=["HTTP2Preferred"],
    )
    told = until(lambda: seen(world.ask(alpn="http/1.1,h2"), version="TLSv1.3"), "TLS 1.3")
    assert told["alpn"] == "h2" and told["echo"] == "hello"
    assert world.ask(alpn="http/1.0")["alpn"] == "http/1.0"
    assert world.ask(alpn="imap")["alpn"] is None, "who knows none of them gets none"
    assert "error" in world.ask(version="TLSv1_2")

    # Closed while it speaks: the client knows at once.
    world.aws.elbv2.delete_listener(ListenerArn=world.service.listener)
    until(lambda: "error" in world.ask(), "closed")


def seen(told, **expected):
    """What was told, if it is as expected."""
    return told if all(told.get(key) == value for key, value in expected.items()) else None


def test_certificates_by_name(world, authority):
    wild, curve = import_certificate(world.aws, authority.wild), import_certificate(world.aws, authority.curve)
    elbv2, listener = world.aws.elbv2, world.service.listener
    elbv2.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": wild}])
    until(lambda: seen(world.ask("one.example.org"), name="*.example.org", echo="hello"), "the wildcard's")
    assert world.ask("example.org")["echo"] == "hello"
    assert world.ask("-")["name"] == NAME, "no name: the default"
    # A name that no certificate has gets the default one, which the client then refuses.
    assert "CERTIFICATE_VERIFY_FAILED" in world.ask("two.one.example.org")["error"]
    # Of two for one name, the one with the better key.
    elbv2.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": curve}])
    until(lambda: seen(world.ask(), cipher="ECDHE-ECDSA-AES128-GCM-SHA256", echo="hello"), "the ECDSA one")

    # Replaced under its ARN, for the next connection.
    renewed = authority.issue("renewed.example.com")
    import_certificate(world.aws, renewed, CertificateArn=world.shop)
    until(lambda: seen(world.ask("renewed.example.com"), echo="hello"), "the new certificate")


def test_targets_that_speak_tls_themselves(daemon, programs, authority):
    target = authority.issue("target.internal")
    program = ("secure_echo.py", "7000", target.certificate, target.key)
    world = make_world(daemon, programs, authority, program, protocol="TLS")
    # Nobody asks whose certificate the target has.
    assert seen(world.ask(), name=NAME, greeting="tls None", echo="hello")
    world.aws.elbv2.modify_listener(ListenerArn=world.service.listener, AlpnPolicy=["HTTP2Optional"])
    until(lambda: seen(world.ask(alpn="h2"), alpn="h2", greeting="tls h2"), "the target is told")


def test_proxy_protocol_comes_before(daemon, programs, authority):
    world = make_world(daemon, programs, authority, ("proxied.py", "7000"))
    world.aws.elbv2.modify_target_group_attributes(
        TargetGroupArn=world.service.target_group, Attributes=[{"Key": "proxy_protocol_v2.enabled", "Value": "true"}]
    )
    told = until(lambda: (greeting := world.ask().get("greeting", "")).startswith("{") and greeting, "a header")
    header = json.loads(told)
    assert header["source"][0] == "10.0.0.100" and header["records"]["0xea"] == "\x01" + world.endpoint


def test_certificates_outlive_the_daemon(own_daemon, programs, authority):
    daemon = own_daemon(arguments=()).start()
    world = make_world(daemon, programs, authority)
    assert world.ask()["echo"] == "hello"
    daemon.stop()
    daemon.start()
    until(lambda: seen(world.ask(), name=NAME, echo="hello"), "served again")
    # Keys are the owner's alone, and no part of what is logged.
    for file in daemon.state_dir.glob("state.db*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    secret = authority.shop.key_pem.decode().splitlines()[1]
    assert secret not in daemon.log_path.read_text()

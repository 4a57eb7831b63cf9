"""Connection notifications, delivered to webhooks in place of SNS topics, and to the log."""

import hashlib
import hmac
import http.server
import json
import ssl
import threading

import pytest

from harness.aws import Account
from harness.daemon import Failed
from harness.service import connect, publish
from harness.tls import Authority
from harness.wait import until

TOPIC = "arn:aws:sns:us-east-1:123456789012:endpoints"
EVENTS = ["Accept", "Connect", "Delete", "Reject"]


class Receiver:
    """Takes what is posted, and answers with the statuses that a test gives it; 200 when there are none left."""

    def __init__(self, context=None):
        self.posts, self.statuses = [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.posts.append((self.path, self.headers, body))
                self.send_response(outer.statuses.pop(0) if outer.statuses else 200)
                self.end_headers()

            def log_message(self, *_):
                """Nobody reads it."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def messages(self):
        """What was posted, without the envelope."""
        return [json.loads(json.loads(body)["Message"]) for _, _, body in self.posts]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def service_of(account):
    """A service that is asked before endpoints connect, and a VPC for these."""
    vpc = account.vpc()
    service = publish(account, [account.subnet(vpc, "10.0.0.0/24")], [], acceptance=True)
    service.consumer = account.vpc()
    service.place = account.subnet(service.consumer, "10.0.0.0/24")
    return service


def notify(account, topic=TOPIC, events=EVENTS, **about):
    made = account.ec2.create_vpc_endpoint_connection_notification(
        ConnectionNotificationArn=topic, ConnectionEvents=events, **about
    )["ConnectionNotification"]
    assert made["ConnectionNotificationState"] == "Enabled"
    return made["ConnectionNotificationId"]


def lines(daemon):
    """The log."""
    path = daemon.state_dir / "notifications.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_what_becomes_of_an_endpoint(own_daemon, receiver):
    daemon = own_daemon().start()
    aws = Account.first(daemon)
    service = service_of(aws)
    about_service = notify(aws, ServiceId=service.id)
    url = f"http://127.0.0.1:{receiver.port}/hook?team=shop"
    secret = daemon.linkway("notification", "set", TOPIC, "--webhook", url).stdout.strip()
    assert daemon.json("notification", "list") == [{"topic": TOPIC, "url": url, "waiting": 0}]

    endpoint = connect(aws, service, service.consumer, [service.place])
    [message] = until(receiver.messages, "told of the connection")
    assert (message["event"], message["vpcEndpointId"], message["serviceId"]) == ("Connect", endpoint, service.id)
    assert (message["vpcEndpointOwner"], message["vpcEndpointState"]) == ("123456789012", "pendingAcceptance")
    assert message["connectionNotificationId"] == about_service
    path, headers, body = receiver.posts[0]
    envelope = json.loads(body)
    assert path == "/hook?team=shop" and headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert (envelope["Type"], envelope["TopicArn"]) == ("Notification", TOPIC)
    assert envelope["MessageId"] == headers["x-amz-sns-message-id"]
    assert headers["x-amz-sns-message-type"] == "Notification" and headers["x-amz-sns-topic-arn"] == TOPIC
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert headers["x-linkway-signature"] == expected

    # The consumer has a notification of its own, of some events.
    about_endpoint = notify(aws, topic=TOPIC + "-own", events=["Reject"], VpcEndpointId=endpoint)
    change = {"ServiceId": service.id, "VpcEndpointIds": [endpoint]}
    for _ in range(2):
        # What is accepted already is not accepted again.
        aws.ec2.accept_vpc_endpoint_connections(**change)
    aws.ec2.reject_vpc_endpoint_connections(**change)
    aws.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    events = lambda: [message["event"] for message in receiver.messages()]  # noqa: E731
    until(lambda: events() == ["Connect", "Accept", "Reject", "Delete"], "all told, in order")
    until(lambda: daemon.json("notification", "list")[0]["waiting"] == 0, "none left")

    # The log has all of them, those without a webhook, too.
    until(lambda: len(lines(daemon)) == 5, "five lines")
    assert {line["messageId"] for line in lines(daemon)} >= {envelope["MessageId"]}
    [own] = [line for line in lines(daemon) if line["topic"] != TOPIC]
    assert own["message"]["event"] == "Reject" and own["message"]["connectionNotificationId"] == about_endpoint
    assert secret not in daemon.log_path.read_text() + (daemon.state_dir / "notifications.jsonl").read_text()

    # Another account tells this one's topic nothing.
    stranger = Account.new(daemon, "210987654321")
    other = service_of(stranger)
    notify(stranger, ServiceId=other.id)
    connect(stranger, other, other.consumer, [other.place])
    until(lambda: len(lines(daemon)) == 6, "it is in the log")
    until(lambda: daemon.json("notification", "list")[0]["waiting"] == 0, "and is settled")
    assert len(receiver.posts) == 4

    # Without a webhook, and without the notification, nobody is told.
    daemon.linkway("notification", "unset", TOPIC)
    assert daemon.json("notification", "list") == []
    aws.ec2.delete_vpc_endpoint_connection_notifications(ConnectionNotificationIds=[about_service])
    connect(aws, service, service.consumer, [service.place])
    assert len(receiver.posts) == 4 and len(lines(daemon)) == 6


def test_a_receiver_that_fails(own_daemon, receiver):
    daemon = own_daemon(arguments=()).start()
    aws = Account.first(daemon)
    service = service_of(aws)
    notify(aws, ServiceId=service.id, events=["Connect"])
    daemon.linkway("notification", "set", TOPIC, "--webhook", f"http://127.0.0.1:{receiver.port}/")
    receiver.statuses = [503, 429, 200, 403]
    first = connect(aws, service, service.consumer, [service.place])
    until(lambda: len(receiver.posts) == 3, "tried until it is taken")
    assert {message["vpcEndpointId"] for message in receiver.messages()} == {first}
    assert len({headers["x-amz-sns-message-id"] for _, headers, _ in receiver.posts}) == 1

    # What the receiver refuses is not tried again.
    second = connect(aws, service, service.consumer, [service.place])
    line = until(lambda: [line for line in lines(daemon) if "undelivered" in line], "given up")[0]
    assert "403" in line["undelivered"] and line["attempts"] == 1
    assert len(receiver.posts) == 4 and receiver.messages()[-1]["vpcEndpointId"] == second

    # Nothing waits for one that is gone; and what is put by outlives the daemon.
    port = receiver.port
    receiver.close()
    third = connect(aws, service, service.consumer, [service.place])
    until(lambda: daemon.json("notification", "list")[0]["waiting"] == 1, "it waits")
    daemon.kill()
    again = Receiver()
    try:
        daemon.start()
        assert daemon.json("notification", "list")[0]["waiting"] == 1
        daemon.linkway("notification", "set", TOPIC, "--webhook", f"http://127.0.0.1:{again.port}/")
        [message] = until(again.messages, "delivered by the next daemon")
        assert message["vpcEndpointId"] == third and again.port != port
    finally:
        again.close()


def test_webhooks_by_tls(own_daemon, tmp_path):
    authority = Authority(tmp_path)
    pair = authority.issue("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    receiver = Receiver(context)
    try:
        daemon = own_daemon().start()
        aws = Account.first(daemon)
        service = service_of(aws)
        notify(aws, ServiceId=service.id)
        secret = tmp_path / "secret"
        secret.write_text("a secret of one's own\n")
        hook = ("notification", "set", TOPIC, "--webhook", f"https://localhost:{receiver.port}/", "--secret-file", secret)
        assert daemon.linkway(*hook).stdout == ""
        connect(aws, service, service.consumer, [service.place])
        until(lambda: "not delivered yet" in daemon.log(), "a certificate that nobody trusts")
        assert receiver.posts == []
        daemon.linkway(*hook, "--ca", authority.own.certificate)
        _, headers, body = until(lambda: receiver.posts, "delivered")[0]
        expected = hmac.new(b"a secret of one's own", body, hashlib.sha256).hexdigest()
        assert headers["x-linkway-signature"] == f"sha256={expected}"
    finally:
        receiver.close()


@pytest.mark.parametrize(
    "topic, url, said",
    [
        ("topic", "http://127.0.0.1/", "not the ARN of an SNS topic"),
        (TOPIC, "127.0.0.1:80", "no webhook"),
        (TOPIC, "ftp://127.0.0.1/", "no webhook"),
        (TOPIC, "http://user@127.0.0.1/", "no webhook"),
        (TOPIC, "http://127.0.0.1/a b", "no webhook"),
    ],
)
def test_what_is_no_webhook(daemon, topic, url, said):
    with pytest.raises(Failed, match=said):
        daemon.linkway("notification", "set", topic, "--webhook", url)
    with pytest.raises(Failed, match="no webhook is set"):
        daemon.linkway("notification", "unset", TOPIC)

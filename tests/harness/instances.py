"""Fixtures and helpers for tests of the API of instances."""

import contextlib

import botocore.exceptions
import pytest

from harness.wait import until

UNKNOWN = "0123456789abcdef0"


@pytest.fixture
def image(aws):
    """The image of the host's file system."""
    [found] = aws.ec2.describe_images(Owners=["amazon"])["Images"]
    return found["ImageId"]


@pytest.fixture
def subnet(aws):
    return aws.subnet(aws.vpc(), "10.0.0.0/24")


@pytest.fixture
def launch(aws, image, subnet):
    """Launches one instance. Returns its id."""

    def launch(**options):
        asked = {"ImageId": image, "SubnetId": subnet, "MinCount": 1, "MaxCount": 1} | options
        if "NetworkInterfaces" in asked:
            del asked["SubnetId"]
        [instance] = aws.ec2.run_instances(**asked)["Instances"]
        return instance["InstanceId"]

    return launch


@contextlib.contextmanager
def refused(code, words):
    """What is done inside must be refused, by a code and with a message that has these words."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert error["Code"] == code and words in error["Message"], error


def show(aws, instance):
    [reservation] = aws.ec2.describe_instances(InstanceIds=[instance])["Reservations"]
    [found] = reservation["Instances"]
    return found


def state(aws, instance):
    return show(aws, instance)["State"]["Name"]


def reaches(aws, instance, wanted):
    until(lambda: state(aws, instance) == wanted, f"{instance} is {wanted}", within=40)


def running(aws, instance):
    reaches(aws, instance, "running")
    return instance


def ids(answer):
    return {one["InstanceId"] for reservation in answer["Reservations"] for one in reservation["Instances"]}

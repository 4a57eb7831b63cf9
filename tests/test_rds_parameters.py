"""DB parameter groups on real servers: what may be set is what they take."""

import pytest

from harness.rds import Network
from harness.wait import until


def settable(rds, family):
    """All parameters of a family."""
    pages = rds.get_paginator("describe_engine_default_parameters").paginate(DBParameterGroupFamily=family)
    return [parameter for page in pages for parameter in page["EngineDefaults"]["Parameters"]]


def some_value(parameter):
    """A value that a parameter may have: its default, or else the first that is allowed."""
    allowed = parameter["AllowedValues"]
    if "ParameterValue" in parameter:
        return parameter["ParameterValue"]
    if parameter["DataType"] in ("integer", "float"):
        least, most = allowed.rsplit("-", 1)
        # Between the two, as some have to be larger than others.
        return str(min(max(int(least), 1000), int(most)))
    return allowed.split(",")[0]


def group(rds, name, family, values):
    """Make a DB parameter group with these values."""
    rds.create_db_parameter_group(DBParameterGroupName=name, DBParameterGroupFamily=family, Description="for tests")
    change(rds, name, values)


def change(rds, name, values, method="pending-reboot"):
    """Set parameters of a group."""
    wanted = [
        {"ParameterName": key, "ParameterValue": value, "ApplyMethod": method} for key, value in values.items()
    ]
    for at in range(0, len(wanted), 20):
        rds.modify_db_parameter_group(DBParameterGroupName=name, Parameters=wanted[at : at + 20])


def family_of(rds, engine):
    """The family of the host's server of an engine."""
    return rds.describe_db_engine_versions(Engine=engine, DefaultOnly=True)["DBEngineVersions"][0][
        "DBParameterGroupFamily"
    ]


def apply_status(network, name):
    """Whether settings wait for a reboot."""
    return network.describe(name)["DBParameterGroups"][0]["ParameterApplyStatus"]


@pytest.mark.parametrize("engine", ["postgres", "mariadb"])
def test_a_server_takes_all_that_may_be_set(daemon, aws, engine):
    network = Network(daemon, aws)
    family = family_of(network.rds, engine)
    values = {parameter["ParameterName"]: some_value(parameter) for parameter in settable(network.rds, family)}
    assert len(values) > 40
    group(network.rds, "all", family, values)
    network.create("db", engine, DBParameterGroupName="all")
    assert apply_status(network, "db") == "in-sync"


def test_a_setting_reaches_postgresql(daemon, aws):
    network = Network(daemon, aws, 5432)
    group(network.rds, "mine", family_of(network.rds, "postgres"), {"work_mem": "8192", "max_connections": "33"})
    database = network.create("db", DBParameterGroupName="mine")
    assert network.query(database, "SHOW work_mem") == "8MB"
    assert network.query(database, "SHOW max_connections") == "33"

    change(network.rds, "mine", {"work_mem": "16384"}, "immediate")
    until(lambda: network.query(database, "SHOW work_mem") == "16MB", "work_mem is taken", 20)
    assert apply_status(network, "db") == "in-sync"

    change(network.rds, "mine", {"max_connections": "44"})
    assert apply_status(network, "db") == "pending-reboot"
    assert network.query(database, "SHOW max_connections") == "33"
    network.rds.reboot_db_instance(DBInstanceIdentifier="db")
    network.available("db")
    assert network.query(database, "SHOW max_connections") == "44"
    assert apply_status(network, "db") == "in-sync"

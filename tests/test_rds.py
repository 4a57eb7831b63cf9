"""Databases: real servers behind DB instances, reached by the names that the API gives."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import netns
from harness.aws import Account, refusal
from harness.rds import PASSWORD, Network
from harness.wait import until


def processes(daemon):
    """First processes of the daemon's databases, with those below them: pid, command."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()[1:]]
    inits = {pid for pid, _, command in rows if "keeper init" in command and f'/run/{daemon.name}/' in command}
    return inits, {pid: command for pid, parent, command in rows if parent in inits}


def files(daemon):
    """Directories of databases."""
    return [path.name for kind in ("databases", "databases-ephemeral") for path in (daemon.state_dir / kind).glob("*")]


def init_of(daemon):
    """The first process of the only database."""
    [init], _ = processes(daemon)
    return int(init)


def test_postgresql_at_the_address_that_the_api_gives(daemon, aws):
    network = Network(daemon, aws, 5432)
    network.start_creating("shop")
    assert network.status("shop") == "creating"
    database = network.available("shop")
    assert database["Endpoint"]["Port"] == 5432 and database["MasterUsername"] == "app"

    assert network.query(database, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == "t"
    assert network.query(database, "SELECT current_user, current_database()") == "app|shop"
    network.query(database, "CREATE TABLE items (name text); INSERT INTO items VALUES ('lamp')")
    assert network.query(database, "SELECT * FROM items") == "lamp"
    version = network.query(database, "SHOW server_version")
    assert version.startswith(database["EngineVersion"])

    # An administrator, but not of the server.
    assert network.query(database, "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = 'app'") == "f|t|t"
    assert network.query(database, "SELECT pg_has_role('rds_superuser', 'member'), pg_has_role('pg_monitor', 'member')") == "t|t"
    network.query(database, "CREATE ROLE reader LOGIN PASSWORD 'another-one'; GRANT SELECT ON items TO reader")
    assert network.query(database, "SELECT * FROM items", user="reader", password="another-one") == "lamp"
    # Not by a role that reads the server's files or runs programs, either, which PostgreSQL 15 would let it have.
    for role in ("pg_execute_server_program", "pg_read_server_files", "pg_write_server_files", "rdsadmin"):
        assert network.psql(database, f"GRANT {role} TO app").returncode != 0
    for statement in ("ALTER SYSTEM SET work_mem = '1MB'", "COPY items TO PROGRAM 'id'", "SELECT pg_read_file('/etc/passwd')"):
        done = network.psql(database, statement)
        assert done.returncode != 0 and ("permission denied" in done.stderr or "must be" in done.stderr), done.stderr

    wrong = network.psql(database, "SELECT 1", password="not-the-one")
    assert wrong.returncode == 2 and "password authentication failed" in wrong.stderr
    plain = network.psql(database, "SELECT 1", sslmode="disable")
    assert plain.returncode == 2 and "no encryption" in plain.stderr
    server = network.psql(database, "SELECT 1", user="rdsadmin")
    assert server.returncode == 2 and "rdsadmin" in server.stderr


def test_only_its_security_groups_let_anyone_in(daemon, aws):
    network = Network(daemon, aws, 5432)
    database = network.create("shop")
    stranger = daemon.run(network.subnets[1], "sleep", "infinity", groups=[aws.group(network.vpc)])
    before = daemon.drops().get("IngressDenied", 0)
    refused = network.psql(database, "SELECT 1", instance=stranger, connect_timeout=2)
    assert refused.returncode == 2, refused
    assert daemon.drops().get("IngressDenied", 0) > before
    assert network.query(database, "SELECT 1") == "1"

    # Another group lets in from another instance, at once.
    open_to_all = aws.group(network.vpc, ("tcp", 5432, "10.0.0.0/16"))
    network.rds.modify_db_instance(DBInstanceIdentifier="shop", VpcSecurityGroupIds=[open_to_all], ApplyImmediately=True)
    until(lambda: network.psql(database, "SELECT 1", instance=stranger, connect_timeout=2).returncode == 0, "let in")


def test_another_password_and_another_port(daemon, aws):
    network = Network(daemon, aws, 5432, 6000)
    database = network.create("shop")
    network.query(database, "CREATE TABLE items (name text)")
    # What is the administrator's may be in any state: the server's own way in is another.
    network.query(database, "ALTER DATABASE postgres CONNECTION LIMIT 0")
    network.query(database, "ALTER DATABASE template1 CONNECTION LIMIT 0")
    init = init_of(daemon)

    network.rds.modify_db_instance(DBInstanceIdentifier="shop", MasterUserPassword="it's-another'one", ApplyImmediately=True)
    network.available("shop")
    assert "authentication failed" in network.psql(database, "SELECT 1").stderr
    quoted = r"'it\'s-another\'one'"
    assert network.query(database, "SELECT 1", password=quoted) == "1"
    assert init_of(daemon) == init, "another password takes no other server"

    # One that took its own rights away has them back with another password.
    network.query(database, "ALTER ROLE app NOCREATEDB NOCREATEROLE; REVOKE rds_superuser FROM app", password=quoted)
    network.rds.modify_db_instance(DBInstanceIdentifier="shop", MasterUserPassword=PASSWORD, ApplyImmediately=True)
    network.available("shop")
    rights = "SELECT rolcreatedb, rolcreaterole, pg_has_role('rds_superuser', 'member') FROM pg_roles WHERE rolname = 'app'"
    assert network.query(database, rights) == "t|t|t"

    network.rds.modify_db_instance(DBInstanceIdentifier="shop", DBPortNumber=6000, ApplyImmediately=True)
    moved = network.available("shop")
    assert moved["Endpoint"]["Port"] == 6000
    assert network.query(moved, "SELECT count(*) FROM items") == "0"
    assert "Connection refused" in network.psql(database, "SELECT 1").stderr
    console = (daemon.state_dir / "databases-ephemeral" / database["DbiResourceId"] / "console.log").read_text()
    assert "another" not in console and PASSWORD not in console


def test_stopped_started_and_rebooted_it_keeps_its_data(daemon, aws):
    network = Network(daemon, aws, 5432)
    database = network.create("shop")
    network.query(database, "CREATE TABLE items (name text); INSERT INTO items VALUES ('lamp')")
    since = network.query(database, "SELECT pg_postmaster_start_time()")
    session = network.session(database)
    assert session.ask("SELECT 1") == "1"

    network.rds.reboot_db_instance(DBInstanceIdentifier="shop")
    network.available("shop")
    assert network.query(database, "SELECT pg_postmaster_start_time()") != since
    session.close()

    network.rds.stop_db_instance(DBInstanceIdentifier="shop")
    network.reaches("shop", "stopped")
    assert processes(daemon) == (set(), {})
    assert network.psql(database, "SELECT 1").returncode == 2
    network.rds.start_db_instance(DBInstanceIdentifier="shop")
    network.available("shop")
    assert network.query(database, "SELECT * FROM items") == "lamp"


def test_a_deleted_one_leaves_nothing(daemon, aws):
    network = Network(daemon, aws, 5432)
    database = network.create("shop")
    session = network.session(database)
    assert session.ask("SELECT 1") == "1"
    network.delete("shop")
    session.close()
    assert processes(daemon) == (set(), {}) and files(daemon) == []
    found = aws.ec2.describe_network_interfaces(Filters=[{"Name": "group-id", "Values": [network.servers]}])
    assert found["NetworkInterfaces"] == []
    until(lambda: len([name for name in netns.names() if name.startswith(f"{daemon.name}-i-")]) == 1, "its namespace gone")
    # Nothing holds its network any more.
    aws.ec2.delete_security_group(GroupId=network.servers)


def test_deleted_while_it_is_made(daemon, aws):
    network = Network(daemon, aws, 5432)
    network.start_creating("shop")
    until(lambda: files(daemon), "its files begun")
    network.delete("shop")
    assert processes(daemon) == (set(), {}) and files(daemon) == []


def test_several_are_made_side_by_side(daemon, aws):
    network = Network(daemon, aws, 5432)
    names = ["one", "two", "three"]
    for name in names:
        network.start_creating(name)
    databases = [network.available(name) for name in names]
    assert daemon.status()["databases"] == {"available": 3}
    assert len({database["Endpoint"]["Address"] for database in databases}) == 3
    for database in databases:
        network.query(database, f"CREATE TABLE {database['DBInstanceIdentifier']} (name text)")
    for database in databases:
        assert network.query(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == database["DBInstanceIdentifier"]


def test_it_survives_the_daemon_and_comes_back_with_it(own_daemon):
    daemon = own_daemon(arguments=()).start()
    network = Network(daemon, Account.first(daemon), 5432)
    database = network.create("shop")
    session = network.session(database)
    assert session.ask("CREATE TABLE items AS SELECT 'lamp' AS name; SELECT count(*) FROM items") == "1"
    backend, init = session.ask("SELECT pg_backend_pid()"), init_of(daemon)

    # Nobody asks the connection to notice.
    daemon.kill()
    assert session.ask("SELECT pg_backend_pid()") == backend
    daemon.start()
    assert session.ask("SELECT pg_backend_pid()") == backend
    assert network.status("shop") == "available" and init_of(daemon) == init
    assert network.query(database, "SELECT * FROM items") == "lamp"
    session.close()

    # The server dies, and is started again.
    os.kill(init, signal.SIGKILL)
    until(lambda: processes(daemon)[0] - {str(init)}, "another server")
    network.available("shop")
    assert network.query(database, "SELECT * FROM items") == "lamp"

    # So is it when all of it was taken down, as by the machine's end.
    daemon.linkway("down", "--name", daemon.name)
    daemon.wait()
    assert processes(daemon) == (set(), {})
    daemon.start()
    network.available("shop")
    network.application = daemon.run(network.subnets[0], "sleep", "infinity", groups=[network.clients])
    assert network.query(database, "SELECT * FROM items") == "lamp"
    network.delete("shop")
    assert files(daemon) == []


def test_made_stopped_and_changed_under_a_daemon_that_is_killed(own_daemon):
    daemon = own_daemon(arguments=()).start()
    network = Network(daemon, Account.first(daemon), 5432)
    network.start_creating("shop")
    until(lambda: files(daemon), "its files begun")
    daemon.kill()
    daemon.start()
    database = network.available("shop")
    network.query(database, "CREATE TABLE items (name text)")
    network.rds.modify_db_instance(DBInstanceIdentifier="shop", MasterUserPassword="another-one", ApplyImmediately=True)
    daemon.kill()
    daemon.start()
    network.available("shop")
    assert network.query(database, "SELECT count(*) FROM items", password="another-one") == "0"
    network.rds.stop_db_instance(DBInstanceIdentifier="shop")
    daemon.kill()
    daemon.start()
    network.reaches("shop", "stopped")
    assert processes(daemon) == (set(), {})


def test_what_an_ephemeral_daemon_leaves_behind(own_daemon):
    daemon = own_daemon().start()
    network = Network(daemon, Account.first(daemon), 5432)
    network.create("shop")
    daemon.reset()
    assert processes(daemon) == (set(), {}) and files(daemon) == []

    network = Network(daemon, Account.first(daemon), 5432)
    network.create("shop")
    daemon.stop()
    assert processes(daemon) == (set(), {}) and files(daemon) == []

    daemon.start()
    network = Network(daemon, Account.first(daemon), 5432)
    network.create("shop")
    daemon.kill()
    daemon.linkway("down", "--name", daemon.name)
    assert processes(daemon) == (set(), {}) and files(daemon) == []


@pytest.fixture
def kept_elsewhere():
    """A state directory that is not below /tmp, which servers have one of their own of."""
    directory = tempfile.mkdtemp(prefix="lwt-", dir="/var/lib")
    yield Path(directory)
    shutil.rmtree(directory, ignore_errors=True)


def test_what_a_server_sees_and_may(own_daemon, kept_elsewhere):
    daemon = own_daemon(arguments=(), state_dir=kept_elsewhere).start()
    network = Network(daemon, Account.first(daemon), 5432)
    database = network.create("shop")
    inits, servers = processes(daemon)
    [pid] = servers
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    assert "0" not in status["Uid"].split() and "0" not in status["Gid"].split() and not status["Groups"].strip()
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == "1"
    # Of the keeper's rights, the first process has kept the one to pass signals on.
    [init] = inits
    assert "CapEff:\t0000000000000020\n" in Path(f"/proc/{init}/status").read_text()

    root = Path(f"/proc/{pid}/root")
    assert os.listdir(root / "run") == ["database"]
    assert os.listdir(root / str(kept_elsewhere)[1:]) == [] and os.listdir(root / "tmp") == []
    assert all(not os.listdir(path) for path in [root / "var/lib/postgresql"] if path.exists())
    others = [entry for entry in os.listdir(root / "proc") if entry.isdigit()]
    assert len(others) < 20 and "1" in others

    def writes(path):
        command = ["nsenter", "--target", pid, "--mount", "setpriv", "--reuid", "postgres", "--regid", "postgres",
                   "--clear-groups", "touch", path]
        return subprocess.run(command, capture_output=True).returncode == 0

    assert writes("/run/database/data/a-file") and writes("/tmp/a-file")
    assert not any(writes(path) for path in ("/a-file", "/run/database/conf/server.conf", "/var/lib/a-file", "/etc/a-file"))
    as_root = subprocess.run(["nsenter", "--target", pid, "--mount", "touch", "/etc/a-file"], capture_output=True, text=True)
    assert "Read-only file system" in as_root.stderr

    directory = kept_elsewhere / "databases" / database["DbiResourceId"]
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in [directory, *directory.iterdir(), *(directory / "conf").iterdir()]}
    assert modes[directory.name] == modes["data"] == "0o700" and modes["server.key"] == modes["applied.json"] == "0o600"


def test_mariadb_at_the_address_that_the_api_gives(daemon, aws):
    network = Network(daemon, aws, 3306, 3307)
    database = network.create("shop", engine="mariadb")
    assert database["Endpoint"]["Port"] == 3306

    def answer(statement, **options):
        done = network.mariadb(database, statement, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert answer("SHOW STATUS LIKE 'Ssl_version'").split()[1].startswith("TLSv1.")
    assert answer("SELECT version()").startswith(database["EngineVersion"])
    answer("CREATE TABLE shop.items (name text); INSERT INTO shop.items VALUES ('lamp')")
    answer("CREATE USER reader@'%' IDENTIFIED BY 'another-one'; GRANT SELECT ON shop.* TO reader@'%'")
    assert answer("SELECT * FROM shop.items", user="reader", password="another-one") == "lamp"
    grants = answer("SHOW GRANTS")
    assert "SUPER" not in grants and "FILE" not in grants and "GRANT OPTION" in grants
    assert network.mariadb(database, "SET GLOBAL general_log = 1").returncode == 1
    for user, password in [("app", "not-the-one"), ("root", ""), ("mysql", "")]:
        assert "Access denied" in network.mariadb(database, "SELECT 1", user=user, password=password).stderr

    network.rds.modify_db_instance(
        DBInstanceIdentifier="shop", MasterUserPassword="it's-another'one", DBPortNumber=3307, ApplyImmediately=True
    )
    database = network.available("shop")
    assert database["Endpoint"]["Port"] == 3307
    assert answer("SELECT * FROM shop.items", password="it's-another'one") == "lamp"

    # An administrator that took its own rights away has them back with another password.
    answer("REVOKE ALL PRIVILEGES, GRANT OPTION FROM app@'%'", password="it's-another'one")
    assert "denied" in network.mariadb(database, "SELECT * FROM shop.items", password="it's-another'one").stderr
    network.rds.modify_db_instance(DBInstanceIdentifier="shop", MasterUserPassword=PASSWORD, ApplyImmediately=True)
    network.available("shop")
    assert answer("SELECT * FROM shop.items") == "lamp"

    os.kill(init_of(daemon), signal.SIGKILL)
    until(lambda: network.status("shop") != "available", "its end noticed")
    network.available("shop")
    network.rds.stop_db_instance(DBInstanceIdentifier="shop")
    network.reaches("shop", "stopped")
    network.rds.start_db_instance(DBInstanceIdentifier="shop")
    network.available("shop")
    assert answer("SELECT * FROM shop.items") == "lamp"
    network.delete("shop")
    assert processes(daemon) == (set(), {}) and files(daemon) == []


def test_a_server_that_is_not_installed_is_refused_at_create(daemon, aws):
    network = Network(daemon, aws, 3306)
    code, message = refusal(network.start_creating, name="shop", engine="mysql")
    assert code == "InvalidParameterCombination" and "no server for the engine mysql" in message, (code, message)
    assert network.rds.describe_db_instances()["DBInstances"] == []


def test_parameters_of_its_group(daemon, aws):
    network = Network(daemon, aws, 5432)
    [family] = {
        version["DBParameterGroupFamily"]
        for version in network.rds.describe_db_engine_versions(Engine="postgres", DefaultOnly=True)["DBEngineVersions"]
    }
    network.rds.create_db_parameter_group(DBParameterGroupName="own", DBParameterGroupFamily=family, Description="a test's")

    def set_to(name, value, method):
        network.rds.modify_db_parameter_group(DBParameterGroupName="own", Parameters=[
            {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}
        ])

    set_to("max_connections", "77", "pending-reboot")
    database = network.create("shop", DBParameterGroupName="own")
    assert network.query(database, "SHOW max_connections") == "77"
    # While it runs, it takes what it can.
    set_to("log_min_duration_statement", "12345", "immediate")
    until(lambda: network.query(database, "SHOW log_min_duration_statement") == "12345ms", "the parameter set")
    set_to("rds.force_ssl", "0", "immediate")
    until(lambda: network.psql(database, "SELECT 1", sslmode="disable").returncode == 0, "let in without TLS")
    set_to("max_connections", "78", "pending-reboot")
    [group] = network.describe("shop")["DBParameterGroups"]
    assert group["ParameterApplyStatus"] == "pending-reboot"
    assert network.query(database, "SHOW max_connections") == "77"
    network.rds.reboot_db_instance(DBInstanceIdentifier="shop")
    network.available("shop")
    assert network.query(database, "SHOW max_connections") == "78"


def test_what_keeps_a_server_from_running_is_told(own_daemon):
    daemon = own_daemon(arguments=()).start()
    network = Network(daemon, Account.first(daemon), 5432)
    database = network.create("shop")
    data = daemon.state_dir / "databases" / database["DbiResourceId"] / "data"
    # Its files are taken away, and come back.
    data.rename(data.with_name("elsewhere"))
    os.kill(init_of(daemon), signal.SIGKILL)

    def reason():
        return [info["Message"] for info in network.describe("shop").get("StatusInfos", [])]

    until(lambda: any("data are gone" in message for message in reason()), "the reason")
    assert network.status("shop") == "starting"
    data.with_name("elsewhere").rename(data)
    network.available("shop")
    assert reason() == [] and network.query(database, "SELECT 1") == "1"

    # One that was never there is not tried for ever.
    (daemon.state_dir / "ca-key.pem").rename(daemon.state_dir / "away")
    network.start_creating("other")
    network.reaches("other", "failed")
    [info] = network.describe("other")["StatusInfos"]
    assert "ca-key.pem" in info["Message"] and info["Normal"] is False
    (daemon.state_dir / "away").rename(daemon.state_dir / "ca-key.pem")
    network.rds.reboot_db_instance(DBInstanceIdentifier="other")
    assert network.query(network.available("other"), "SELECT 1") == "1"

"""A PostgreSQL cluster in a directory of its own, and the command that serves it."""

import glob
import shutil
import subprocess
import tempfile
from pathlib import Path

PASSWORD = "only-for-show"

# Single-user mode: a statement a line.
TABLE = """\
CREATE TABLE items (id int PRIMARY KEY, name text NOT NULL, price numeric(8,2) NOT NULL)
INSERT INTO items VALUES (1, 'lamp', 24.50), (2, 'chair', 79.00), (3, 'teapot', 18.25)
"""


def tool(name):
    """A program of the newest PostgreSQL that is installed."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: float(path.split("/")[4]))
    if not found:
        raise FileNotFoundError(f"PostgreSQL's {name} is not installed: run `make setup`")
    return found[-1]


class Cluster:
    """Serves one database, `shop`, with a table `items`, to whoever knows the password."""

    def __init__(self):
        # PostgreSQL refuses to run as root, and pytest's own directories are root's alone.
        self.directory = Path(tempfile.mkdtemp(prefix="lwt-postgres-"))
        shutil.chown(self.directory, "postgres", "postgres")
        self.data = self.directory / "data"
        password = self.directory / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self._as_postgres(
            tool("initdb"), "--pgdata", str(self.data), "--username", "app", "--pwfile", str(password),
            "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync",
        )
        with open(self.data / "postgresql.conf", "a") as settings:
            settings.write(
                "listen_addresses = '*'\n"
                f"unix_socket_directories = '{self.directory}'\n"
                "shared_buffers = '16MB'\nfsync = off\nfull_page_writes = off\n"
                "tcp_keepalives_idle = 60\nmax_connections = 50\n"
            )
        with open(self.data / "pg_hba.conf", "w") as rules:
            rules.write("local all all trust\nhost all all 0.0.0.0/0 scram-sha-256\n")
        self._fill()

    def _fill(self):
        """Make the database, before anything serves it."""
        single = [tool("postgres"), "--single", "-D", str(self.data)]
        self._as_postgres(*single, "postgres", input="CREATE DATABASE shop\n")
        self._as_postgres(*single, "shop", input=TABLE)

    def _as_postgres(self, *command, **options):
        subprocess.run(
            ["runuser", "-u", "postgres", "--", *command],
            check=True, capture_output=True, text=True, cwd="/", timeout=120, **options,
        )

    def command(self):
        """The command that serves it; it runs as root, and becomes the user postgres."""
        return ["runuser", "-u", "postgres", "--", tool("postgres"), "-D", str(self.data)]

    def remove(self):
        """Delete it. Whatever serves it must have ended."""
        shutil.rmtree(self.directory, ignore_errors=True)

    @staticmethod
    def psql(host, *arguments, port=5432, timeout=5):
        """A psql command line for a client of it."""
        target = f"host={host} port={port} dbname=shop user=app password={PASSWORD} connect_timeout={timeout}"
        return ["psql", "--no-psqlrc", "--tuples-only", "--no-align", target, *arguments]


def sql(host, statement, **options):
    """A psql command line that runs one statement."""
    return Cluster.psql(host, "--command", statement, **options)


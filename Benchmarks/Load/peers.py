# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL and a Redis of a benchmark's own, from `.peers`: started on free ports of 127.0.0.1, ended by their ids."""
import glob
import os
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

from server import free_port

# Both take time to come up on a machine that is busy.
PATIENCE_SECONDS = 60


def percentile(values, share):
    values = sorted(values)
    return values[round((len(values) - 1) * share)]


def wait_until(is_true, process, name, log):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if is_true():
            return
        time.sleep(0.05)
    with open(log) as file:
        raise SystemExit(f"{name} did not answer within {PATIENCE_SECONDS} s\n{file.read()[-2000:]}")


def end(process, number):
    if process.poll() is None:
        process.send_signal(number)
    process.wait()


class Redis:
    """`with Redis(peers, folder) as redis:` keeps nothing on disk."""

    def __init__(self, peers, folder):
        self.peers, self.folder, self.port = peers, folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}"

    def __enter__(self):
        log = f"{self.folder}/redis.log"
        with open(log, "w") as output:
            self.process = subprocess.Popen(
                [f"{self.peers}/bin/redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                 "--appendonly", "no", "--dir", self.folder], stdout=output, stderr=output)
        try:
            wait_until(self.answers, self.process, "redis-server", log)
        except BaseException:
            end(self.process, signal.SIGKILL)
            raise
        return self

    def __exit__(self, *_):
        end(self.process, signal.SIGKILL)

    def answers(self):
        done = subprocess.run(
            [f"{self.peers}/bin/redis-cli", "-p", str(self.port), "ping"], capture_output=True, text=True)
        return done.stdout.strip() == "PONG"


class PostgreSQL:
    """`with PostgreSQL(peers) as server:` has the settings that it comes with, so a commit is on disk when it is answered.

    The database `gate` belongs to the login `gate_admin`; the daemon's own login is `gate`.
    """

    PASSWORD = "bench"
    ROLES = f"""
        CREATE ROLE tollgate_app NOLOGIN;
        CREATE ROLE tollgate_admin NOLOGIN BYPASSRLS;
        CREATE ROLE a2a_admin NOLOGIN BYPASSRLS;
        GRANT tollgate_admin TO a2a_admin;
        CREATE ROLE gate LOGIN PASSWORD '{PASSWORD}' IN ROLE tollgate_app;
        CREATE ROLE gate_admin LOGIN PASSWORD '{PASSWORD}' IN ROLE tollgate_admin;
    """

    def __init__(self, peers):
        self.peers, self.port = peers, free_port()
        # It refuses to be root, and whoever it is instead must be able to get to its files.
        self.outer = []
        if os.geteuid() == 0:
            self.outer = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="tollgate-postgresql-")
        self.process = None
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process:
            # Its children end with it.
            end(self.process, signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        password, data, log = (f"{self.folder}/{name}" for name in ("password", "data", "log"))
        with open(password, "w") as file:
            file.write(self.PASSWORD)
        if self.outer:
            for path in self.folder, password:
                os.chown(path, 65534, 65534)
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
        made = subprocess.run(
            [*self.outer, f"{self.peers}/bin/initdb", "-D", data, "-U", "postgres", "--pwfile", password, "-A",
             "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-instructions"],
            env=environment, cwd="/", capture_output=True, text=True)
        if made.returncode != 0:
            raise SystemExit(f"initdb failed:\n{made.stdout}{made.stderr}")
        with open(log, "w") as output:
            self.process = subprocess.Popen(
                [*self.outer, f"{self.peers}/bin/postgres", "-D", data, "-p", str(self.port), "-c",
                 "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
                env=environment, cwd="/", stdout=output, stderr=output)
        wait_until(lambda: self.psql("SELECT 1", check=False), self.process, "postgres", log)
        if self.psql("SHOW fsync").strip() != "on":
            raise SystemExit("this PostgreSQL does not wait for its disk: nothing can be said about commits")
        self.psql(self.ROLES)
        self.psql("CREATE DATABASE gate OWNER gate_admin")

    def url(self, user):
        return f"postgresql://{user}:{self.PASSWORD}@127.0.0.1:{self.port}/gate"

    def psql(self, sql, database="postgres", check=True):
        done = subprocess.run(
            [f"{self.peers}/bin/psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
             str(self.port), "-U", "postgres", "-d", database, "-c", sql],
            env={"PATH": os.environ["PATH"], "PGPASSWORD": self.PASSWORD}, capture_output=True, text=True)
        if check and done.returncode != 0:
            raise SystemExit(f"psql failed:\n{done.stderr}")
        return done.stdout


class PostgreSQLInserts:
    """Rows of a table without anything around it, one a transaction, by pgbench."""

    def __init__(self, server, folder, text):
        self.server, self.folder = server, folder
        # It is in the server's package and no peer of any test: it has no launcher.
        found = glob.glob(f"{server.peers}/root/usr/lib/postgresql/*/bin/pgbench")
        if not found:
            raise SystemExit("no pgbench among the packages: see Scripts/setup-peers.sh")
        self.pgbench = found[0]
        self.libraries = ":".join(glob.glob(f"{server.peers}/root/usr/lib/*-linux-gnu"))
        server.psql("CREATE TABLE reference (id text PRIMARY KEY, record text NOT NULL)", database="gate")
        with open(f"{folder}/insert.sql", "w") as file:
            file.write(f"INSERT INTO reference VALUES (gen_random_uuid()::text, '{text}');\n")

    def run(self, seconds, clients):
        """Rows a second, median and 99th percentile of the time of each in µs."""
        # The clients log in within that time, too.
        seconds += 1
        for old in glob.glob(f"{self.folder}/pgbench_log.*"):
            os.remove(old)
        done = subprocess.run(
            [self.pgbench, "-n", "-M", "prepared", "-f", f"{self.folder}/insert.sql", "-T", str(seconds), "-c",
             str(clients), "-j", "1", "-l", "-h", "127.0.0.1", "-p", str(self.server.port), "-U", "postgres", "gate"],
            env={"PATH": os.environ["PATH"], "PGPASSWORD": self.server.PASSWORD, "LD_LIBRARY_PATH": self.libraries},
            cwd=self.folder, capture_output=True, text=True)
        rate = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
        if done.returncode != 0 or not rate:
            raise SystemExit(f"pgbench failed:\n{done.stdout}{done.stderr}")
        times = []
        for log in glob.glob(f"{self.folder}/pgbench_log.*"):
            with open(log) as file:
                times += [int(line.split()[2]) for line in file]
        return float(rate.group(1)), statistics.median(times), percentile(times, 0.99)

# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
"""A Tollgate of its own for a benchmark: started on free ports in a folder, asked, ended."""
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request

ADMIN_TOKEN = "bench-admin-token-bench-admin-token-1"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def is_ready(url):
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return answer.status == 200
    except OSError:
        return False


def wait_for(url, process, log=None, seconds=60, pause=0.02):
    """Waits until a URL answers 200; says what the process wrote when it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        if is_ready(url):
            return
        time.sleep(pause)
    text = ""
    if log:
        with open(log) as file:
            text = "\n" + file.read()[-2000:]
    raise SystemExit(f"{url} did not answer within {seconds} s{text}")


def processor_seconds(pid):
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mebibytes(pid):
    """Resident memory of a process: all of it, and the part that is not mapped from files."""
    with open(f"/proc/{pid}/status") as status:
        text = status.read()
    return tuple(int(re.search(name + r":\s+(\d+)", text).group(1)) / 1024 for name in ("VmRSS", "RssAnon"))


class Tollgate:
    """`with Tollgate(binary, folder) as gate:` runs `tollgate run` on the manifests in `folder`/manifests.

    `settings` are variables beside the usual ones.
    """

    def __init__(self, binary, folder, settings=None):
        self.binary = binary
        self.folder = folder
        self.port, probe = free_port(), free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.probe = f"http://127.0.0.1:{probe}"
        self.ready = f"{self.probe}/readyz"
        self.log = f"{folder}/tollgate.log"
        self.environment = {
            "PATH": os.environ["PATH"], "TOLLGATE_LISTEN": f"127.0.0.1:{self.port}",
            "TOLLGATE_PROBE_LISTEN": f"127.0.0.1:{probe}", "TOLLGATE_TRUSTED_PROXIES": "127.0.0.0/8",
            "TOLLGATE_NAMESPACE_TENANTS": "acme=acme", "TOLLGATE_DATA_DIR": f"{folder}/data",
            "TOLLGATE_AUTH_TOKEN": ADMIN_TOKEN, "LOG_LEVEL": "warning",
        } | (settings or {})

    def __enter__(self):
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [self.binary, "run", "--manifests", f"{self.folder}/manifests"], env=self.environment, stdout=log,
                stderr=log)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def wait_until_ready(self, pause=0.02):
        wait_for(self.ready, self.process, log=self.log, pause=pause)

    def call(self, path, token, body=None):
        request = urllib.request.Request(
            self.base + path, data=body, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
"""Rounds of wrk, what they send, and what came out of them."""
import json
import re
import subprocess

from server import processor_seconds


def lua(path, method, headers, body):
    with open(path, "w") as script:
        script.write(f'wrk.method = "{method}"\n')
        for name, value in headers.items():
            script.write(f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}\n")
        if body is not None:
            script.write(f"wrk.body = {json.dumps(body)}\n")


class Shape:
    """One kind of request against one server, and what came out of it."""

    def __init__(self, name, script, url, pid):
        self.name, self.script, self.url, self.pid = name, script, url, pid
        self.rounds = []
        self.requests = 0

    def load(self, wrk, seconds, connections):
        """One round of wrk: requests a second, median and 99th percentile of latency, processor time of the server."""
        before = processor_seconds(self.pid)
        text = subprocess.run(
            [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency", "-s", self.script, self.url],
            check=True, capture_output=True, text=True).stdout
        spent = processor_seconds(self.pid) - before
        if "Non-2xx" in text or "Socket errors" in text:
            raise SystemExit(f"errors under load at {self.url}:\n{text}")
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
        count = int(re.search(r"(\d+) requests in", text).group(1))
        self.requests += count
        unit = {"us": 1, "ms": 1000, "s": 1_000_000}
        latency = []
        for percentile in ("50%", "99%"):
            number, suffix = re.search(percentile + r"\s+([\d.]+)(us|ms|s)", text).groups()
            latency.append(float(number) * unit[suffix])
        return rate, *latency, spent / count * 1_000_000

#!/usr/bin/env python3
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
"""What accounts cost over HTTP, with every answer durable: reserve and commit as fast as it goes, the same at a thousand pairs a second, and
usage events in batches of 100. Prints Markdown; the median of the rounds counts.
"""
import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile

from server import ADMIN_TOKEN, Tollgate, processor_seconds

ACCOUNTS = 8
CONNECTIONS = 64

# Each answer to a reservation queues its commit, which the next free connection sends: as many of one as of the other.
PAIRS = """
local waiting, count = {}, 0
local headers = {["Authorization"] = "Bearer %(token)s", ["Content-Type"] = "application/json"}
request = function()
  local path = table.remove(waiting)
  if path then return wrk.format("POST", path, headers, '{"micro_credits": 500}') end
  count = count + 1
  local account = "load-" .. count %% %(accounts)d
  return wrk.format("POST", "/v1/billing/reservations", headers,
    '{"account": "' .. account .. '", "key": "%(round)s-' .. count .. '", "micro_credits": 1000}')
end
response = function(status, _, body)
  local id, key = body:match('"id":"([^"]+)"'), body:match('"key":"[^"]*%%-(%%d+)"')
  if status == 201 then
    waiting[#waiting + 1] = "/v1/billing/reservations/" .. id .. "/commit?account=load-" .. key %% %(accounts)d
  end
end
%(delay)s
"""

USAGE = """
local count = 0
local headers = {["Authorization"] = "Bearer %(token)s", ["Content-Type"] = "application/cloudevents-batch+json"}
request = function()
  local events = {}
  for i = 1, 100 do
    count = count + 1
    events[i] = '{"specversion":"1.0","id":"%(round)s-' .. count .. '","source":"load","type":"dev.tollgate.usage.tokens","subject":"load-' ..
      math.floor(count / 100) %% %(accounts)d .. '","data":{"model":"gpt-4o-mini","input":12,"output":3,"user":"u' .. count %% 50 .. '"}}'
  end
  return wrk.format("POST", "/v1/usage/events", headers, "[" .. table.concat(events, ",") .. "]")
end
"""

DONE = """
done = function(summary, latency)
  io.write(string.format("FIGURES %d %d %d %d %d\\n", summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


def load(options, gate, script, connections):
    """One round of wrk: requests a second, median and 99th percentile of latency in milliseconds, and the server's processor time for a request
    in microseconds."""
    path = f"{gate.folder}/round.lua"
    with open(path, "w") as file:
        file.write(script + DONE)
    spent = processor_seconds(gate.process.pid)
    text = subprocess.run(
        [options.wrk, "-t1", f"-c{connections}", f"-d{options.seconds}s", "--timeout", "30s", "-s", path, gate.base],
        check=True, capture_output=True, text=True).stdout
    spent = processor_seconds(gate.process.pid) - spent
    requests, micros, errors, middle, high = map(int, re.search(r"FIGURES (\d+) (\d+) (\d+) (\d+) (\d+)", text).groups())
    if errors:
        raise SystemExit(f"{errors} errors under load:\n{text}")
    return requests / micros * 1e6, middle / 1000, high / 1000, spent / requests * 1e6


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tollgate", required=True)
    options.add_argument("--wrk", default="wrk")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=5)
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/manifests")
        with Tollgate(options.tollgate, folder) as gate:
            gate.wait_until_ready()
            measure(options, gate)


def measure(options, gate):
    values = {"token": ADMIN_TOKEN, "accounts": ACCOUNTS}
    kinds = [
        ("reserve and commit, 64 connections", 2, None,
         lambda name, rest: PAIRS % (values | {"round": name, "delay": ""})),
        ("reserve and commit, at about 1,000 a second", 2, 2000,
         lambda name, rest: PAIRS % (values | {"round": name, "delay": f"function delay() return {rest} end"})),
        ("usage events in batches of 100, 64 connections", 0.01, None,
         lambda name, rest: USAGE % (values | {"round": name})),
    ]
    print("| measurement | a second | p50 ms of a request | p99 ms of a request | server's processor time, µs a pair or event |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for index, (name, share, pace, script) in enumerate(kinds):
        rounds, rest = [], 20
        for turn in range(options.rounds + 1):
            rounds.append(load(options, gate, script(f"{index}.{turn}", rest), CONNECTIONS))
            if pace:
                # What a connection rests after an answer, in ms, and the answer itself come to the time that it has for both.
                answer = 1000 * CONNECTIONS / rounds[-1][0] - rest
                rest = max(1, round(1000 * CONNECTIONS / pace - answer))
        rate, middle, high, spent = (statistics.median(column) for column in zip(*rounds[1:]))
        print(f"| {name} | {rate / share:,.0f} | {middle:.2f} | {high:.2f} | {spent * share:,.0f} |")


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# Builds for release, measures, prints the tables and writes them to Benchmarks/RESULTS.md.
# TOLLGATE_BENCH_QUICK=1 takes a quick look instead: short rounds, printed only.
set -euo pipefail
. "$(dirname "$0")/../Scripts/lib.sh"
. Benchmarks/lib.sh
require_swift

wrk=$repository/.peers/bin/wrk
[ -x "$wrk" ] || fail "wrk is missing: run Scripts/setup-peers.sh"

export TOLLGATE_BENCHMARKS=1
for product in tollgate BareServer MicroBenchmarks; do
    say "building $product"
    "${build[@]}" --product "$product" | tail -n 1
done
bin=$("${build[@]}" --show-bin-path)

micro=() billing=() load=(--rounds 7 --seconds 5) start=(--rounds 7)
if [ -n "${TOLLGATE_BENCH_QUICK:-}" ]; then
    micro=(--quick) billing=(--rounds 3 --seconds 2) load=(--rounds 3 --seconds 2 --decisions 100000) start=(--rounds 3)
fi

results=$(mktemp)
trap 'rm -f "$results"' EXIT
{
    printf '# What Tollgate costs\n\n'
    printf 'Made by `make bench` (`Benchmarks/run.sh`) on %s with %s on %s.\n' \
        "$(date -u +%Y-%m-%d)" "$(swift --version 2>&1 | sed -n 's/.*\(Swift version [^ ]*\).*/\1/p')" "$(machine)"
    printf 'Load average when it began, which is 0 on a machine that does nothing else: %s.\n' "$(load_average)"
} >"$results"

say "inside the process"
{
    printf '\n## Inside the process\n\n'
    printf 'One decision through the whole pipeline: real snapshot, metrics and audit trail on disk, 100,000 service tokens stored.\n'
    printf 'Processor time of the deciding thread, median of several rounds; rows that wait for a policy engine give the time on the wall.\n\n'
    "$bin/MicroBenchmarks" ${micro[@]+"${micro[@]}"}
} | tee -a "$results"

say "audit trail"
{
    printf '\n## Audit trail\n\n'
    printf 'Segments on this machine'\''s disk, every batch synced. Times are those of `tollgate_audit_write_seconds`: from the queue to the disk.\n\n'
    "$bin/MicroBenchmarks" --audit ${micro[@]+"${micro[@]}"}
} | tee -a "$results"

say "accounts"
{
    printf '\n## Accounts\n\n'
    printf 'Thirty grants in the account for the arithmetic; SQLite on this machine'\''s disk, every answer synced, for the rest.\n\n'
    "$bin/MicroBenchmarks" --accounts ${micro[@]+"${micro[@]}"}
    printf '\nOver HTTP, wrk with one thread on the same machine, eight accounts:\n\n'
    python3 Benchmarks/Load/billing.py --tollgate "$bin/tollgate" --wrk "$wrk" ${billing[@]+"${billing[@]}"}
} | tee -a "$results"

say "ledger"
{
    printf '\n## Ledger\n\n'
    printf 'SQLite on this machine'\''s disk, every answer synced. A batch is 100 events of one account in one transaction, asked for by 16 callers at once.\n\n'
    "$bin/MicroBenchmarks" --ledger ${micro[@]+"${micro[@]}"}
} | tee -a "$results"

say "over HTTP"
{
    printf '\n## Over HTTP\n\n'
    printf 'wrk with one thread and 64 connections on the same machine; each door is loaded in turns with a bare Hummingbird route of the same shape.\n\n'
    python3 Benchmarks/Load/load.py --tollgate "$bin/tollgate" --bare "$bin/BareServer" --wrk "$wrk" "${load[@]}"
} | tee -a "$results"

say "start"
{
    printf '\n## Start\n\n'
    python3 Benchmarks/Load/start.py --tollgate "$bin/tollgate" "${start[@]}"
} | tee -a "$results"

[ -n "${TOLLGATE_BENCH_QUICK:-}" ] || cat "$results" >Benchmarks/RESULTS.md

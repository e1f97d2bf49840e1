#!/usr/bin/env bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# Builds for release, measures what PostgreSQL and Redis cost beside the embedded stores, prints the tables and puts them into
# Benchmarks/RESULTS.md as its section "Shared stores". TOLLGATE_BENCH_QUICK=1 takes a quick look instead: short rounds, printed only.
set -euo pipefail
. "$(dirname "$0")/../Scripts/lib.sh"
. Benchmarks/lib.sh
require_swift

peers=$repository/.peers
for peer in postgres redis-server wrk; do
    [ -x "$peers/bin/$peer" ] || fail "$peer is missing: run Scripts/setup-peers.sh"
done

export TOLLGATE_BENCHMARKS=1
for product in tollgate MicroBenchmarks; do
    say "building $product"
    "${build[@]}" --product "$product" | tail -n 1
done
bin=$("${build[@]}" --show-bin-path)

limits=() stores=()
if [ -n "${TOLLGATE_BENCH_QUICK:-}" ]; then
    limits=(--quick) stores=(--rounds 3 --token-rounds 2 --token-seconds 1)
fi

section=$(mktemp)
trap 'rm -f "$section"' EXIT
{
    printf '## Shared stores\n\n'
    printf 'Made by `Scripts/bench.sh --stores` on %s on %s, with PostgreSQL %s and Redis %s on the same machine.\n' \
        "$(date -u +%Y-%m-%d)" "$(machine)" "$("$peers/bin/postgres" --version | awk '{ print $3 }')" \
        "$("$peers/bin/redis-server" --version | sed -n 's/.* v=\([0-9.]*\) .*/\1/p')"
    printf 'Load average when it began: %s.\n' "$(load_average)"
} >"$section"

say "a limit in Redis"
{
    printf '\n### A limit in Redis\n\n'
    printf 'A request with two limits of three windows, counted in Redis (one script, one round trip) and in memory; time on the wall.\n\n'
    "$bin/MicroBenchmarks" --shared-limits ${limits[@]+"${limits[@]}"}
} | tee -a "$section"

say "decisions and tokens"
{
    printf '\n'
    python3 -u Benchmarks/Load/stores.py --tollgate "$bin/tollgate" --peers "$peers" ${stores[@]+"${stores[@]}"}
} | tee -a "$section"

[ -n "${TOLLGATE_BENCH_QUICK:-}" ] || replace_section "Shared stores" "$section"

#!/usr/bin/env bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# Builds for release, measures the operator on a real API server, prints the tables and puts them into Benchmarks/RESULTS.md
# as its section "Operator". TOLLGATE_BENCH_QUICK=1 takes a quick look instead: few objects, printed only.
# Benchmarks/Operator/BenchmarkSettings.swift names the variables that say how much is measured.
set -euo pipefail
. "$(dirname "$0")/../Scripts/lib.sh"
. Benchmarks/lib.sh
require_swift

export TOLLGATE_BENCHMARKS=1
for product in tollgate OperatorBenchmark; do
    say "building $product"
    "${build[@]}" --product "$product" | tail -n 1
done
bin=$("${build[@]}" --show-bin-path)
Scripts/control-plane-get.sh >/dev/null

if [ -n "${TOLLGATE_BENCH_QUICK:-}" ]; then
    export TOLLGATE_BENCH_OBJECTS=${TOLLGATE_BENCH_OBJECTS:-400} TOLLGATE_BENCH_BARE_OBJECTS=${TOLLGATE_BENCH_BARE_OBJECTS:-400}
    export TOLLGATE_BENCH_IDLE_SECONDS=${TOLLGATE_BENCH_IDLE_SECONDS:-20} TOLLGATE_BENCH_CHANGE_SECONDS=${TOLLGATE_BENCH_CHANGE_SECONDS:-10}
    export TOLLGATE_BENCH_EDITS=${TOLLGATE_BENCH_EDITS:-40} TOLLGATE_BENCH_REVOCATIONS=${TOLLGATE_BENCH_REVOCATIONS:-4}
    export TOLLGATE_BENCH_FOREIGN_SECRETS=${TOLLGATE_BENCH_FOREIGN_SECRETS:-500}
fi

scratch=$(mktemp -d)
# Whatever ends the benchmark, its control plane ends with it.
finish() {
    for plane in "$scratch"/*/plane; do
        if [ -d "$plane" ]; then Scripts/control-plane.sh stop "$plane" || true; fi
    done
    rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT TERM

section=$scratch/section.md
{
    printf '## Operator\n\n'
    printf 'Made by `Scripts/bench.sh --operator` on %s on %s, with Kubernetes as `Scripts/control-plane.sh` starts it.\n' \
        "$(date -u +%Y-%m-%d)" "$(machine)"
    printf 'Load average when it began: %s.\n\n' "$(load_average)"
} >"$section"
say "operator"
TMPDIR=$scratch TOLLGATE_BENCH_BINARY=$bin/tollgate "$bin/OperatorBenchmark" | tee -a "$section"

[ -n "${TOLLGATE_BENCH_QUICK:-}" ] || replace_section Operator "$section"

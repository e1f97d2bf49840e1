#!/usr/bin/env bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# Runs the benchmarks, which print their tables and write them to Benchmarks/RESULTS.md.
#
#   bench.sh             all of them
#   bench.sh --stores    only PostgreSQL and Redis beside the embedded stores
#   bench.sh --operator  only the operator on a real API server
#   bench.sh --live      only live event streams
set -euo pipefail
. "$(dirname "$0")/lib.sh"

if [ "${1:-}" = --operator ]; then
    Scripts/setup.sh
    exec Benchmarks/operator.sh
fi
if [ "${1:-}" = --live ]; then
    Scripts/setup.sh
    exec Benchmarks/live.sh
fi
Scripts/setup.sh --with-peers
Scripts/setup-peers.sh
[ "${1:-}" != --stores ] || exec Benchmarks/stores.sh
[ -x Benchmarks/run.sh ] || fail "Benchmarks/run.sh is missing"
Benchmarks/run.sh "$@"
Benchmarks/stores.sh
Benchmarks/live.sh
exec Benchmarks/operator.sh

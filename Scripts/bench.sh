#!/usr/bin/env bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# Runs the benchmarks, which print their table and write it to Benchmarks/RESULTS.md.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

Scripts/setup.sh --with-peers
Scripts/setup-peers.sh
[ -x Benchmarks/run.sh ] || fail "Benchmarks/run.sh is missing"
exec Benchmarks/run.sh "$@"

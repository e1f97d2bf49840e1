#!/usr/bin/env bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# Builds for release, measures live event streams, prints the tables and puts them into Benchmarks/RESULTS.md as its section "Live events".
# TOLLGATE_BENCH_QUICK=1 takes a quick look instead: short rounds, printed only.
set -euo pipefail
. "$(dirname "$0")/../Scripts/lib.sh"
. Benchmarks/lib.sh
require_swift

say "building tollgate"
"${build[@]}" --product tollgate | tail -n 1
bin=$("${build[@]}" --show-bin-path)

live=()
if [ -n "${TOLLGATE_BENCH_QUICK:-}" ]; then
    live=(--seconds 5)
fi

section=$(mktemp)
trap 'rm -f "$section"' EXIT
{
    printf '## Live events\n\n'
    # shellcheck disable=SC2016 # the back quotes are Markdown
    printf 'Made by `Scripts/bench.sh --live` on %s on %s.\n' "$(date -u +%Y-%m-%d)" "$(machine)"
    printf 'Load average when it began: %s.\n' "$(load_average)"
} >"$section"

say "live events"
python3 -u Benchmarks/Load/live.py --tollgate "$bin/tollgate" ${live[@]+"${live[@]}"} | tee -a "$section"

[ -n "${TOLLGATE_BENCH_QUICK:-}" ] || replace_section "Live events" "$section"

#!/usr/bin/env bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# What the sources must not hold, found by pattern. A comment line is never a finding.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

status=0

# ban REASON PATTERN FOLDER [PATH-TO-LEAVE-OUT]: the lines that match, with the reason.
ban() {
    local reason=$1 pattern=$2 folder=$3 except=${4:-^$} found
    found=$(grep -rnE --include='*.swift' -- "$pattern" "$folder" \
        | grep -vE '^[^:]+:[0-9]+:[[:space:]]*(//|\*)' | grep -vE "$except" || true)
    [ -z "$found" ] && return
    printf '%s\n' "$found" | sed "s|\$|    <- $reason|"
    status=1
}

ban "work lives in a task group or a service" '\bTask(<[^>]*>)?[[:space:]]*(\([^)]*\))?[[:space:]]*\{' Sources
ban "work lives in a task group or a service" '\bTask\.(detached|immediate)\b' Sources
ban "a failure is handled or thrown on" '\btry!' Sources
ban "a cast that can fail is asked, not forced" '\bas!' Sources
ban "sendability is proved, not claimed" '@unchecked[[:space:]]+Sendable|nonisolated\(unsafe\)' Sources
ban "a broken invariant is an error value" '\bfatalError\(' Sources
ban "a mutex wraps a function once more at every access: put it into a struct" \
    'Mutex<\(*[[:space:]]*(@Sendable|@escaping|\([^()]*\)[[:space:]]*(async|throws|->))' Sources
ban "only Sources/tollgate/Output writes to the terminal" '(^|[^A-Za-z0-9_.])(print|debugPrint|dump)\(' Sources \
    '^Sources/tollgate/Output/'
# Only what is public and inlinable is compiled for the types of other modules: of what is generic, that is for the way of every request.
ban "one package: nothing is public" '^[[:space:]]*(@[A-Za-z]+ )*(public|open) ' Sources \
    '^Sources/Essentials/Collections/LRUCache\.swift:'
ban "a test waits for a condition: Tests/TestSupport/Eventually.swift" \
    '\b(Task\.sleep|Thread\.sleep|usleep|nanosleep)\b|[^A-Za-z0-9_.]sleep\(' Tests '^Tests/TestSupport/Eventually\.swift:'

if grep -rnE --include='*.swift' '\b(TODO|FIXME|XXX)\b' Sources Tests Benchmarks; then
    say "a note of what is left to do belongs into an issue"
    status=1
fi

# Long files are a smell, not an error; generated ones are nobody's reading.
find Sources Tests -name '*.swift' -not -path '*/Generated/*' -exec wc -l {} + \
    | awk '$2 != "total" && $1 > 400 { printf "warning: %s has %d lines (aim: under 400)\n", $2, $1 }'

exit $status

# shellcheck shell=bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# What the benchmarks' scripts share. Sourced after Scripts/lib.sh.

# What is measured is built as it is shipped: with the standard library in the binary.
# shellcheck disable=SC2034 # used by those that source this
build=(swift build -c release --static-swift-stdlib)

# machine: what was measured on.
machine() {
    printf '%s cores of %s, Linux %s' "$(nproc)" "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(uname -r)"
}

# load_average: what else the machine had to do.
load_average() { cut -d ' ' -f 1-3 /proc/loadavg; }

# replace_section NAME FILE: puts a section into Benchmarks/RESULTS.md, where it was or else at the end.
replace_section() {
    local results
    results=$(awk -v heading="## $1" -v file="$2" '
        function put(line) { while ((getline line < file) > 0) print line; isThere = 1 }
        /^## / { skip = $0 == heading; if (skip) { put(); print "" } }
        !skip
        END { if (!isThere) { print ""; put() } }
    ' Benchmarks/RESULTS.md)
    printf '%s\n' "$results" >Benchmarks/RESULTS.md
}

#!/usr/bin/env bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# Set-up, test peers, checks, build, every test: the one command that says whether the tree is good.
# Warnings are errors by the manifest. Words after the script are passed on to `swift test` (e.g. --filter PeerTests).
set -euo pipefail
. "$(dirname "$0")/lib.sh"
exec </dev/null

started=$SECONDS
# Whatever a test starts inherits this mark, so that nothing of ours outlives the run, however it ends.
TOLLGATE_TEST_RUN="$$-$(date +%s)"
export TOLLGATE_TEST_RUN

end_children() {
    local process pid
    for process in /proc/[0-9]*; do
        pid=${process#/proc/}
        [ "$pid" = $$ ] && continue
        if grep -qsz "^TOLLGATE_TEST_RUN=$TOLLGATE_TEST_RUN\$" "$process/environ"; then
            kill -KILL "$pid" 2>/dev/null || true
        fi
    done
}

finish() {
    local status=$?
    trap - EXIT INT TERM
    end_children
    if [ $status -eq 0 ]; then
        say "make test: GREEN after $((SECONDS - started)) s"
    else
        say "make test: RED after $((SECONDS - started)) s (status $status)"
    fi
    exit $status
}
# Runs the tests; what failed is said once more at the end, where whoever reads a long log looks first.
run_tests() {
    local log=.build/tests.log status=0
    swift test --skip-build --disable-xctest "$@" 2>&1 | tee "$log" || status=$?
    [ $status -eq 0 ] || grep -E -A 4 '^✘ .* recorded an issue' "$log" | grep -E '^(✘|↳|--)' | cut -c 1-1000 || true
    return $status
}

trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

timed "set-up" Scripts/setup.sh --with-peers
timed "test peers" Scripts/setup-peers.sh
timed "check" Scripts/check.sh
timed "build" swift build --build-tests --explicit-target-dependency-import-check error
if [ $# -gt 0 ]; then
    timed "tests" run_tests "$@"
else
    # Apart, because tests of one run share its few threads: those that wait for something would stand behind all that compute.
    # What no set names is in the last one.
    sets=(
        'EssentialsTests|ResourceModelTests|AuthorizationTests|BillingTests|AuditTrailTests|ToolTrustTests|HealingTests'
        'AuthenticationTests|ConnectorsTests|PersistenceTests'
        'KubernetesClientTests|ControllerRuntimeTests|ManifestFilesTests|ReconcilersTests|SelfManagementTests'
        'HTTPServiceTests|ExtAuthzServiceTests|TollgateTests'
    )
    others=(--skip '^PeerTests\.' --skip '^ClusterTests\.')
    for set in "${sets[@]}"; do
        timed "tests: ${set//|/, }" run_tests --filter "^($set)\."
        others+=(--skip "^($set)\.")
    done
    timed "tests: all others without peers" run_tests "${others[@]}"
    # Each of these starts servers of its own: all of them at once would have every one wait beyond its patience.
    few=(--experimental-maximum-parallelization-width 6)
    # A thousand callers at once take processor and ports from whatever runs beside them.
    storms='^PeerTests\.(ReservationStormTests|UsageStormTests|RoleDaemonTests|SidecarTests/holdsAThousandPollsAtOnce)'
    timed "tests with real peers" run_tests "${few[@]}" --filter PeerTests --skip "$storms"
    timed "storms with real peers" run_tests "${few[@]}" --filter "$storms"
    timed "tests on a real Kubernetes API server" run_tests "${few[@]}" --filter ClusterTests
fi

#!/usr/bin/env bash
# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# The long forms of what `make test` runs in short. Each length can be set in the environment:
#
#   TOLLGATE_STORM_ROUNDS     kill -9 rounds of each storm (50; in make test 3)
#   TOLLGATE_REPLICA_REVOCATIONS  revocations at one of three replicas that are timed at the others (1000; in make test 20)
#   TOLLGATE_STORM_EVENTS     usage events that are reported while the server is killed (1000000; in make test 3000)
#   TOLLGATE_FUZZ_CASES       mutated inputs per fuzz test (100000; in make test 5000 to 20000), and rounds of a thousand callers
#                             for credits of a hundred (at most 100; in make test 3)
#   TOLLGATE_SOAK_SECONDS     length of the steady load (600; in make test 5)
#   TOLLGATE_OPERATOR_SOAK_SECONDS  length of the changes on a real control plane (1200; in make test 120)
#
# TOLLGATE_STORM_SEED makes the storm of usage events that of an earlier run (it prints its seed), and
# TOLLGATE_OPERATOR_SOAK_SEED makes the changes on the control plane those of an earlier run; each run draws one and prints it.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

export TOLLGATE_STORM_ROUNDS=${TOLLGATE_STORM_ROUNDS:-50}
export TOLLGATE_REPLICA_REVOCATIONS=${TOLLGATE_REPLICA_REVOCATIONS:-1000}
export TOLLGATE_STORM_EVENTS=${TOLLGATE_STORM_EVENTS:-1000000}
export TOLLGATE_STORM_SEED=${TOLLGATE_STORM_SEED:-$((RANDOM + 1))}
export TOLLGATE_FUZZ_CASES=${TOLLGATE_FUZZ_CASES:-100000}
export TOLLGATE_OPERATOR_SOAK_SECONDS=${TOLLGATE_OPERATOR_SOAK_SECONDS:-1200}
export TOLLGATE_OPERATOR_SOAK_SEED=${TOLLGATE_OPERATOR_SOAK_SEED:-$((RANDOM + 1))}
export TOLLGATE_SOAK_SECONDS=${TOLLGATE_SOAK_SECONDS:-600}

exec Scripts/test.sh --filter '[Ss]torm|[Ff]uzz|[Ss]oak|whatOneReplicaWasToldAllKnow' "$@"

// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Testing

/// The stores over a real server, one test after the other: each has a database of its own, and several replicas with connections.
@Suite(.serialized, .timeLimit(.minutes(30))) enum StoresInPostgreSQL {}

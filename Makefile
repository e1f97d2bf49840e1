# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# The index of tasks: each one is a thin call of Scripts/.

.DEFAULT_GOAL := help
.PHONY: help run test check format bench soak

help: ## list the tasks
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## set up, build, and run Tollgate on manifests/samples at 127.0.0.1:8080
	@Scripts/run.sh

test: ## set up, install the test peers, check, build and run every test
	@Scripts/test.sh

check: ## format lint, layers, bans: what a reviewer should not have to look for
	@Scripts/check.sh

format: ## format Package.swift, Sources, Tests and Benchmarks in place
	@Scripts/format.sh

bench: ## measure decision cost and HTTP throughput, write Benchmarks/RESULTS.md
	@Scripts/bench.sh

soak: ## the long forms: kill storm, fuzz, soak
	@Scripts/soak.sh

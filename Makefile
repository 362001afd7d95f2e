# The front door: every verb of the project. `make` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

NODE := node_modules/.bin/node
CLUSTERS ?= 1
NODES ?= 1
CLUSTER ?= real
KEEP ?=
MINUTES ?= 10
ROUNDS ?= 1

##@ Start here
.PHONY: demo demo-stop test
demo: build ## Show it: a real cluster, two controllers, a process, a crash and a hand-over (KEEP=1 leaves it running)
	@$(NODE) hack/demo/main.ts $(if $(KEEP),--keep)

demo-stop: install ## End a demo that KEEP=1 left running
	@$(NODE) hack/demo/main.ts --stop

test: install ## Run everything: checks, unit tests, end-to-end tests against real clusters
	@$(NODE) hack/test.ts

##@ Develop
.PHONY: install build verify format unit coverage hooks e2e soak chaos chaos-long crds reference bench
install: node_modules/.installed ## Install the packages, Node 24 among them

node_modules/.installed: package.json package-lock.json
	@npm ci --no-progress
	@touch $@

build: dist/main.mjs ## Bundle the controller into dist/

dist/main.mjs: node_modules/.installed $(shell find operator -name '*.ts' -not -name '*.test.ts' 2> /dev/null)
	@npm run --silent build

verify: install ## Types, lint, format, import rules, generated files, unused code
	@npm run --silent verify

format: install ## Format all files
	@npm run --silent format

unit: install ## Unit tests, the stores against real servers (WATCH=1 reruns on change)
	@$(NODE) hack/lab/prepare.ts
	@npm run --silent $(if $(WATCH),test:watch,test)

coverage: install ## Unit tests, and which lines of operator/ they reach (coverage/index.html)
	@$(NODE) hack/lab/prepare.ts
	@npm run --silent test -- --coverage --coverage.reporter=html --coverage.reporter=text-summary

hooks: ## Check format, imports, documents and types before each commit (undo: git config --unset core.hooksPath)
	@git config core.hooksPath hack/hooks

e2e: build ## End-to-end tests against real clusters (SPEC=name runs one)
	@$(NODE) hack/lab/prepare.ts
	@npm run --silent e2e -- $(SPEC)

soak: install ## Elections of real processes on real stores, with faults (MINUTES=10, SEED=, STORE=redis|db)
	@$(NODE) hack/soak/main.ts --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(if $(STORE),--store $(STORE))

chaos: build ## Each fault once on two real clusters, and its effect on the workloads (ROUNDS=1, SEED=, FAULT=name, KEEP=folder for logs)
	@$(NODE) hack/chaos/main.ts --rounds $(ROUNDS) $(if $(SEED),--seed $(SEED)) $(if $(FAULT),--fault '$(FAULT)') $(if $(KEEP),--keep $(KEEP))

chaos-long: ## The same, 20 times
	@$(MAKE) chaos ROUNDS=20

crds: install ## Write crds/ from the schemas in operator/api
	@$(NODE) hack/generate-crds.ts

reference: install ## Write docs/reference/ from the code: reasons, events, log messages, codes, commands
	@$(NODE) hack/reference/main.ts

bench: build ## Benchmarks, each beside its limit or a peer in the same run (ONLY=name runs one, ONLY="stores redis" one store)
	@$(NODE) bench/main.ts $(ONLY)

##@ Run a cluster
.PHONY: cluster cluster-down cluster-status
cluster: install ## Start Kubernetes clusters (CLUSTERS=2, NODES=2, CLUSTER=real|simulated|kind)
	@$(NODE) hack/cluster/cli.ts up --clusters $(CLUSTERS) --nodes $(NODES) \
	  $(if $(filter simulated,$(CLUSTER)),--simulated) $(if $(filter kind,$(CLUSTER)),--provider kind)

cluster-down: install ## Stop this folder's clusters and remove every trace of them
	@$(NODE) hack/cluster/cli.ts down

cluster-status: install ## Show this folder's clusters
	@$(NODE) hack/cluster/cli.ts status

##@ Other
.PHONY: clean help
clean: ## Remove what was built here
	@rm -rf dist coverage node_modules

help: ## This list
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

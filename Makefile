# Tools, pinned.
GOLANGCI_LINT_VERSION := v2.15.0

# Where the facts of AWS's models are, for `make diff` and the tests that use them.
SHARED ?= ../shared

# How long each fuzz target runs in `make fuzz`.
FUZZTIME ?= 10s

GOBIN := $(shell go env GOPATH)/bin

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

.PHONY: all
all: build lint check test ## Build, lint, check and test

.PHONY: build
build: ## Build the programs into bin/
	go build -o bin/ ./cmd/...

.PHONY: test
test: ## Run the tests
	go test ./...

.PHONY: race
race: ## Run the tests with the race detector
	go test -race ./...

.PHONY: lint
lint: $(GOBIN)/golangci-lint-$(GOLANGCI_LINT_VERSION) ## Run the linters
	$< run --allow-parallel-runners

.PHONY: fmt
fmt: $(GOBIN)/golangci-lint-$(GOLANGCI_LINT_VERSION) ## Format the sources
	$< fmt

$(GOBIN)/golangci-lint-$(GOLANGCI_LINT_VERSION):
	go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	mv $(GOBIN)/golangci-lint $@

.PHONY: generate
generate: ## Write the generated code, documentation and AWS CLI model from spec/
	go run ./cmd/iamgen generate

.PHONY: check
check: ## Fail if anything generated differs from what spec/ says, or the specification has faults
	go run ./cmd/iamgen check
	go run ./cmd/iamgen lint

.PHONY: diff
diff: ## Compare the specification with AWS's models in SHARED
	go run ./cmd/iamgen diff --model $(SHARED)/models/aws-iam-2010-05-08.json
	go run ./cmd/iamgen diff --model $(SHARED)/models/aws-sts-2011-06-15.json
	for service in iam s3 sts; do go run ./cmd/iamgen diff-authorization --service $$service --data $(SHARED)/models/authorization-$$service.json || exit 1; done

.PHONY: plugins
plugins: ## Compile the WebAssembly modules of tests and examples (needs clang, lld, wabt and asc)
	go run ./plugins/build

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME; fails if a target is missing
	FUZZTIME=$(FUZZTIME) bash .ci/fuzz

.PHONY: bench
bench: ## Run the benchmarks
	go test -run '^$$' -bench . -benchmem ./...

.PHONY: reload
reload: ## Reload plugins 1,000 times under load and look for failures and leaks
	go test -run TestReloadUnderLoad -count 1 -timeout 30m -v ./plugins/host -reloads 1000
	go test -run TestReloadUnderRequests -count 1 -timeout 30m -v ./plugins/hooks -reloads 1000

.PHONY: scale
scale: ## Run the benchmark with a million users (minutes, 2 GiB of disk)
	go test -run '^$$' -bench Scale -benchtime 1x -timeout 60m -v ./cmd/iamserver -scale 1000000

.PHONY: crash
crash: ## Kill the server 50 times under load and look for lost writes
	go test -run TestCrash -count 1 -timeout 30m ./cmd/iamserver -crash.rounds 50

.PHONY: conformance
conformance: ## Replay the conformance cases against a server in the test's process
	go test -count=1 ./conformance/...

.PHONY: mutants
mutants: ## Break the server in one place after the other, and see the conformance cases notice
	bash .ci/mutants

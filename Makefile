# permdrift. "make demo" and "make test" need Go and make, nothing else: their
# recipes use the shell's own words only. "make help" lists the targets.

FUZZTIME ?= 10s
BENCHTIME ?= 1s
COUNT ?= 1
# Packages for test, race, fuzz, bench and cover.
PKG ?= ./...

GOTOOL = go tool -modfile=tools/go.mod

.DEFAULT_GOAL := help
.PHONY: help demo build functions build-AuditorFunction build-RemediatorFunction \
	test race differential fuzz bench cover watch lint fmt deploy clean

help: ## list the targets
	@while IFS= read -r line; do case "$$line" in \
		[a-z]*:*'## '*) printf '  %-12s %s\n' "$${line%%:*}" "$${line#*## }" ;; \
	esac; done < Makefile

demo: ## the whole story on this machine, in seconds
	@go run ./cmd/permdrift demo

build: ## the command line, bin/permdrift
	go build -trimpath -o bin/permdrift ./cmd/permdrift

functions: ## both Lambda binaries, in dist/
	$(MAKE) build-AuditorFunction ARTIFACTS_DIR=dist/AuditorFunction
	$(MAKE) build-RemediatorFunction ARTIFACTS_DIR=dist/RemediatorFunction

# sam build calls these two (BuildMethod: makefile) and sets ARTIFACTS_DIR.
build-AuditorFunction: FUNCTION = auditor
build-RemediatorFunction: FUNCTION = remediator
build-AuditorFunction build-RemediatorFunction:
	@: $(or $(ARTIFACTS_DIR),$(error set ARTIFACTS_DIR to the folder that bootstrap goes to))
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 go build -tags lambda.norpc -trimpath -buildvcs=false \
		-ldflags "-s -w" -o "$(ARTIFACTS_DIR)/bootstrap" ./functions/$(FUNCTION)

# -count=1, since the test cache does not see what lies outside the module.
test: ## vet, then every test; a SKIP line for each check that could not run
	go vet $(PKG)
	@echo 'go test -count=1 $(PKG)'; go run -C tools ./testsummary .. -count=1 $(PKG)

race: ## the tests under the race detector, but for test/e2e, test/template, test/differential
	@packages=; for p in $$(go list $(PKG)); do case "$$p" in \
		*/test/e2e|*/test/e2e/*|*/test/template|*/test/differential) ;; \
		*) packages="$$packages $$p" ;; \
	esac; done; \
	echo "go test -race -count=1 (without test/e2e, test/template, test/differential)"; go test -race -count=1 $$packages

N ?= 300
SEED ?= 1
differential: ## N (300) random policy pairs of SEED (1) against the solver cvc5; KEEP=1 keeps what it finds
	N=$(N) SEED=$(SEED) KEEP=$(KEEP) go test -count=1 -v -timeout 0 -run '^TestNewAccessAgreesWithSolver$$' ./test/differential

# go test fuzzes one target of one package at a time; a target that is not
# found here would silently never be fuzzed. At the end of its time go test
# sometimes fails with "context deadline exceeded" and no failing input (a known
# flaw of go test): that alone is no finding, and is said. A failing input,
# a crash, anything else fails.
fuzz: ## every fuzz target of every package for FUZZTIME (10s)
	@found=0; \
	for p in $$(go list $(PKG)); do \
		names=$$(go test -list '^Fuzz' "$$p") || { echo "$$names"; exit 1; }; \
		for f in $$names; do case "$$f" in Fuzz*) \
			found=$$((found + 1)); \
			echo "fuzz $$p $$f"; \
			if out=$$(go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$p" 2>&1); then echo "$$out"; \
			else echo "$$out"; case "$$out" in \
				*'Failing input written'*|*panic*) exit 1 ;; \
				*'context deadline exceeded'*) echo "fuzz $$p $$f: ended by its time, with no failing input" ;; \
				*) exit 1 ;; \
			esac; fi ;; \
		esac; done; \
	done; \
	if [ $$found -eq 0 ]; then echo 'make fuzz: found no fuzz target' >&2; exit 1; fi; \
	echo "fuzzed $$found targets for $(FUZZTIME) each"

bench: ## every benchmark COUNT (1) times for BENCHTIME (1s)
	@found=0; \
	for p in $$(go list $(PKG)); do \
		names=$$(go test -list '^Benchmark' "$$p") || { echo "$$names"; exit 1; }; \
		case "$$names" in Benchmark*) \
			found=1; \
			go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) -count $(COUNT) "$$p" || exit 1 ;; \
		esac; \
	done; \
	if [ $$found -eq 0 ]; then echo 'make bench: found no benchmark' >&2; exit 1; fi

cover: ## how much the tests reach, in coverage.out
	go test -count=1 -coverpkg=./pkg/...,./internal/...,./cmd/...,./functions/... -coverprofile=coverage.out $(PKG)
	go tool cover -func=coverage.out

watch: ## run the tests of what changes (downloads gotestsum)
	$(GOTOOL) gotestsum --watch --format testname

lint: ## the linters of .golangci.yml (downloads golangci-lint)
	$(GOTOOL) golangci-lint run

fmt: ## format as the linters want it
	$(GOTOOL) golangci-lint fmt

deploy: ## build and deploy with the SAM command line; ARGS goes to sam deploy
	sam build
	sam deploy --guided $(ARGS)

clean: ## remove what the other targets made
	rm -rf bin dist .aws-sam .cache coverage.out

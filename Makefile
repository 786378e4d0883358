# make            builds ./arc
# make install    puts it on the PATH
# make seed       runs the echo app
# make test       runs every test
# make bench      prints our figures beside their floors
# make soak       runs an app for ten minutes with everything at once
# make lost       kills the local cloud for ten minutes with messages under way
# make lint       what the reviewer's machine checks first
# make fuzz       half a minute for every fuzz target
# make mutants    edits a room's code in 100 places and counts what its tests notice
# make functions  runs the tests of @architect/functions against the sandbox
# make jsonata    runs JSONata's own test suite against the evaluator of state machines
# make oracle     compares with Architect itself, which npm installs
GO ?= go

.PHONY: build test bench soak lint fuzz oracle

# 38.8 MB, 14.0 MB gzipped. The largest parts, by symbols (their share of the
# line tables, some 8 MB for all, comes on top): esbuild 2.5, the SDK's
# CloudFormation 2.5, the Go runtime with net/http and crypto about 3, everything
# of ours 6.3, the SDK's core and STS 1.2, YAML 0.3, time zones 0.4. Other AWS
# services go through deploy/signed: S3 was 5.0 MB as a package of the SDK.
# urfave_cli_no_docs leaves out a Markdown library.
build:
	CGO_ENABLED=0 $(GO) build -tags urfave_cli_no_docs -trimpath -ldflags "-s -w" -o arc ./cmd/arc

# The two rooms that take longest begin first, and the others go by beside them. Most
# tests of theirs wait for programs that start, so that three of a room go on at once on two
# cores. go vet has looked at everything by then, with more than go test would have it
# look for.
test:
	$(GO) vet ./...
	$(GO) test -vet=off -timeout 30m -p 3 -parallel 3 ./cmd/arc ./sandbox ./...

# A further system takes 80 s of CPU the first time: SYSTEMS="darwin windows" reads both.
SYSTEMS ?= windows
lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	$(GO) vet ./...
	@for os in $(SYSTEMS); do echo "$(GO) vet for $$os"; GOOS=$$os $(GO) vet ./... || exit 1; done

bench: build
	$(GO) run ./bench

# FOR=3m CLIENTS=2 for less.
FOR ?= 10m
CLIENTS ?= 8
soak:
	$(GO) run ./bench/soak -for $(FOR) -clients $(CLIENTS) -seed $(SEED)

# Every message is handled, a dead letter, or told of: go test runs a short one.
.PHONY: lost
lost:
	ARC_LOST=$(FOR) ARC_LOST_SEED=$(SEED) $(GO) test -count=1 -v -timeout 0 -run '^TestNothingIsLost$$' ./cmd/arc

fuzz:
	@for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
	    echo "$$package $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime 30s $$package || exit 1; \
	  done; \
	done

# ROOM=cfn, cfn/diff, deploy or sandbox/gateway; N and SEED draw others. It takes
# 10 to 30 minutes, and is no part of what CI runs.
N ?= 100
SEED ?= 1
.PHONY: mutants
mutants:
	$(GO) run ./bench/mutants -n $(N) -seed $(SEED) -except "$(if $(filter cfn,$(ROOM)),cfn/cost$(comma)cfn/diff)" $(ROOM)
comma := ,

# ARC_ORACLE=FOLDER names one that has Architect 11.3.0 in node_modules already;
# UPDATE=-update keeps what Architect makes of testdata/original.
ARC_ORACLE ?= 1
oracle:
	ARC_ORACLE=$(ARC_ORACLE) $(GO) test -count=1 -v -run 'TestOriginal|TestCorpus' ./cmd/arc $(UPDATE)
	ARC_ORACLE=$(ARC_ORACLE) $(GO) test -count=1 -v -run TestCorpus ./cfn ./manifest

# SUITE is a checkout of https://github.com/jsonata-js/jsonata at v2.0.6, whose test suite
# asks the evaluator of state machines.
.PHONY: jsonata
jsonata:
	@test -d "$(SUITE)/test/test-suite/groups" || { echo "make jsonata SUITE=dir: a checkout of https://github.com/jsonata-js/jsonata at v2.0.6" >&2; exit 1; }
	JSONATA_SUITE="$(SUITE)/test/test-suite" $(GO) test -count=1 -v -run TestSuite ./sandbox/states/jsonata

# SUITE is a checkout of https://github.com/architect/functions: its integration tests run
# in a copy, with arc sandbox in the place of @architect/sandbox. What is to fail, and why, is
# in testdata/functions/known.txt.
.PHONY: functions
functions: build
	@test -f "$(SUITE)/src/index.js" || { echo "make functions SUITE=dir: a checkout of https://github.com/architect/functions" >&2; exit 1; }
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && arc=$$PWD/arc && stand=$$PWD/testdata/functions && cp -R "$(SUITE)/." "$$dir" && cd "$$dir" && \
	  node -e "const f = './package.json', p = require(f); delete p.devDependencies; fs.writeFileSync(f, JSON.stringify(p))" && \
	  npm install --no-audit --no-fund --loglevel=error --ignore-scripts tape@5 tiny-json-http@7 ws@8 @architect/asap@7 && \
	  mkdir -p node_modules/@architect/sandbox && cp "$$stand/sandbox.js" node_modules/@architect/sandbox/index.js && \
	  ARC=$$arc XDG_STATE_HOME=$$dir/state TMPDIR=$$dir node "$$stand/suite.js"

# The first minute: the echo app on the local cloud. With exec, Ctrl-C reaches
# arc, which ends well, and make has no error to report; while npm waits for the
# network, the trap sees to that.
.PHONY: seed
seed: build
	@test -d testdata/apps/seed/node_modules/@architect/functions || echo "npm install: fetching @architect/functions for the echo app (once, from the network)"
	@cd testdata/apps/seed && { trap 'exit 0' INT; test -d node_modules/@architect/functions || npm install --no-audit --no-fund --no-package-lock --loglevel=error || \
	  { echo "make seed: npm could not fetch the package: is there a network?" >&2; exit 1; }; } && exec ../../../arc sandbox

# make install puts arc where Go puts programs, and says how to find it there.
.PHONY: install
install: build
	@dir="$${GOBIN:-$$($(GO) env GOBIN)}"; dir="$${dir:-$$($(GO) env GOPATH)/bin}"; mkdir -p "$$dir" && cp arc "$$dir/arc" && echo "installed $$dir/arc" && \
	  case ":$$PATH:" in *":$$dir:"*) ;; *) echo "it is not on your PATH yet: export PATH=\"$$dir:\$$PATH\"" ;; esac

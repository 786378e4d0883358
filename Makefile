# make            builds ./arc
# make test       runs every test
# make bench      prints our figures beside their floors
# make lint       what the reviewer's machine checks first
# make fuzz       half a minute for every fuzz target
# make oracle     compares with Architect itself, which npm installs
GO ?= go

.PHONY: build test bench lint fuzz oracle

build:
	CGO_ENABLED=0 $(GO) build -tags urfave_cli_no_docs -trimpath -ldflags "-s -w" -o arc ./cmd/arc

test:
	$(GO) vet ./...
	$(GO) test ./...

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	$(GO) vet ./...

bench: build
	$(GO) run ./bench

fuzz:
	@for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
	    echo "$$package $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime 30s $$package || exit 1; \
	  done; \
	done

oracle:
	ARC_ORACLE=1 $(GO) test -count=1 -v -run 'TestOriginal|TestCorpus' ./cfn ./manifest

# The first minute: the echo app on the local cloud.
.PHONY: seed
seed: build
	cd testdata/apps/seed && npm install --no-audit --no-fund --no-package-lock --loglevel=error && ../../../arc sandbox

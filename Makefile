# Verbs only; meson.build knows how.  `make` alone prints them.
BUILD ?= build
MESON = tools/with-build $(BUILD)

help:
	@sed -n 's/^\([a-z]*\):.*## */  make \1	/p' $(MAKEFILE_LIST)
build: ## compile everything; programs land in build/bin
	@$(MESON) build
test: ## install what is missing, build, run every test
	@tools/test
check: ## module rules, style, format, lint: no tests
	@tools/check
demo: ## install what is missing, build, deploy and prove a real function
	@tools/demo
bench: ## run the benchmarks side by side with their yardsticks
	@$(MESON) bench
fuzz: ## run every fuzz target for FUZZ_SECONDS (default 30)
	@tools/fuzz $(FUZZ_SECONDS)
format: ## rewrite the sources in the project's format
	@tools/format --write
install: ## install programs under /usr/local (DESTDIR respected)
	@$(MESON) install
deb: ## make Debian packages in build/packages
	@tools/make-deb --build $(BUILD)
clean: ## remove build folders
	rm -rf build build-*
.PHONY: help build test check demo bench fuzz format install deb clean

PYTHON ?= python3
RUN = .venv/bin/python -m

.PHONY: demo up down reset status test lint bench bench-payouts bench-mdrp bench-search \
	bench-realtime simulate histories finance docs lock

demo: .venv/ready  ## start everything and play one order (EXIT=1 ends after it)
	@$(RUN) local.demo $(if $(EXIT),--exit)

up: .venv/ready  ## start everything and return when it is ready
	@$(RUN) local up

down: .venv/ready  ## stop what `make up` started
	@$(RUN) local down

reset: .venv/ready  ## stop, and forget the data
	@$(RUN) local reset

status: .venv/ready  ## say what runs, and how what died ended
	@$(RUN) local status

test: .venv/ready  ## prove it, in three processes (ARGS="tests/domain -k price" for a part, in one)
	@$(RUN) pytest $(or $(ARGS),-n 3 --dist loadfile --no-loadscope-reorder)

lint: .venv/ready
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@.venv/bin/lint-imports

bench: .venv/ready  ## errors of the ETA; orders per second beside a workflow without logic (ARGS="--orders 200")
	@$(RUN) bench.eta
	@$(RUN) bench.orders $(ARGS)

bench-payouts: .venv/ready  ## a payout run beside the same calls to Stripe (ARGS="--payees 10000")
	@$(RUN) bench.payouts $(ARGS)

bench-mdrp: .venv/ready  ## dispatch beside the published algorithms (ARGS="--policy nearest")
	@$(RUN) bench.mdrp $(ARGS)

bench-search: .venv/ready  ## finding chefs beside the same without indexes (ARGS="--chefs 10000")
	@$(RUN) bench.search $(ARGS)

bench-realtime: .venv/ready  ## telling clients what happens, beside a bare server (ARGS="--clients 10000")
	@$(RUN) bench.realtime $(ARGS)

simulate: .venv/ready  ## an evening in a city, at the API (ARGS="--drivers 60 --speed 20"; ARGS=-h)
	@$(RUN) local.simulate $(ARGS)

histories: .venv/ready  ## record anew the histories that the replay test reads
	@$(RUN) tests.workflows.record_histories

docs: .venv/ready  ## write anew what docs/api.md has from the code
	@$(RUN) tests.docs.problem_codes

finance: .venv/ready  ## ask the books of `make up` (ARGS="replay --date 2026-11-21"; ARGS=-h)
	@$(RUN) local run finance $(ARGS)

lock: .venv/ready  ## pin anew what pyproject.toml asks for
	@.venv/bin/uv pip compile -q pyproject.toml --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header -o requirements.lock
	@.venv/bin/uv pip compile -q pyproject.toml --group dev -c requirements.lock --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements-dev.lock

# uv installs the locked set in about a second where pip needs fifteen, so pip installs uv and uv the
# rest; pip does it all where uv cannot (it does not read pip's configuration).
.venv/ready: requirements.lock requirements-dev.lock
	@echo "Installing into .venv"
	@$(PYTHON) -m venv .venv
	@awk '/^[a-z]/ { wanted = /^uv==/ } wanted' requirements-dev.lock > .venv/uv.lock
	@.venv/bin/pip install -q --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.lock
	@.venv/bin/uv pip install -q --python .venv/bin/python --require-hashes --no-deps \
			-r requirements.lock -r requirements-dev.lock \
		|| .venv/bin/pip install -q --disable-pip-version-check --require-hashes --no-deps \
			-r requirements.lock -r requirements-dev.lock
	@touch $@

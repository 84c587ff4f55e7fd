# What both servers' kits share: passwords made here, the last commit of this checkout to serve, and the commands.

COMPOSE ?= docker compose
PIPEGEN ?= ../.venv/bin/pipegen
FLAGSHIP := ../examples/house-prices
WORKFLOW ?= push

.PHONY: help up mirror deploy run status down clean

# Made once, and kept until `make clean`: nobody knows them, and nothing of them is committed.
.env:
	@umask 077 && ../tools/kit-passwords $(PASSWORDS) >$@.new && mv $@.new $@

$(PIPEGEN):
	@$(MAKE) -C .. setup

# Agents and server clone from here what the flagship calls its repository; after a commit, `make mirror` brings it over.
mirror:
	@../tools/kit-mirror .kit/git/pipegen.git

run: $(PIPEGEN)
	$(ON_SERVER) $(PIPEGEN) trigger $(WORKFLOW) $(BRANCH) --follow --server $(SERVER) -C $(FLAGSHIP)

status: $(PIPEGEN)
	$(ON_SERVER) $(PIPEGEN) status $(WORKFLOW) --server $(SERVER) -C $(FLAGSHIP)

down:
	$(COMPOSE) down

clean:
	$(COMPOSE) down --volumes
	rm -rf .env .kit

# Every target is a stage list in deploy/stages.py; nothing needs to be installed first but Python 3.11-3.13 and make.
PYTHON ?= python3
TARGETS = up install down test check bench bench-retrieval tour house-models test-full lock

help:
	@echo "make up         install everything, start Graft in the background, ask the sample corpus one question"
	@echo "make install    only install"
	@echo "make down       stop it"
	@echo "make test       run the tests (ARGS='-k name' narrows them); make test-full: the slow ones too"
	@echo "make check      style, types, package order, locks, the built wheel"
	@echo "make bench      measure, and write the report to bench-out/"
	@echo "make bench-retrieval DATA=FOLDER   measure search at 10,000 to 1,000,000 chunks beside other libraries (ARGS=--quick: two minutes)"
	@echo "make tour       the whole chain on the sample corpus: training data, an adapter, four arms compared (CONFIG=smoke: quick)"
	@echo "make house-models DATA=FOLDER   make our own models anew from open question sets (two and a half hours)"
	@echo "make lock       resolve deploy/*.lock anew from pyproject.toml"

$(TARGETS):
	@$(PYTHON) deploy/bootstrap.py $@

.PHONY: help $(TARGETS)

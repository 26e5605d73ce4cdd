# Everything needed to chat with papers, from a bare machine: `make chat`, or `make chat PAPERS=path`.
PYTHON ?= python3
VENV ?= .venv
PAPERS ?=
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check -q

# Only what Citable uses of llama.cpp. For a GPU: CMAKE_ARGS="-DGGML_CUDA=on" make llama (Metal is built by itself).
LLAMA_CMAKE := -DLLAVA_BUILD=OFF -DLLAMA_OPENSSL=OFF $(CMAKE_ARGS)
# Some GCC versions, 12.2 among them, compile llama.cpp's AMX code to a crash; without AMX it runs everywhere.
ifneq ($(shell grep -wso -m1 amx_tile /proc/cpuinfo),)
LLAMA_CFLAGS ?= -mno-amx-tile -mno-amx-int8 -mno-amx-bf16
endif
BUILD_LLAMA := CMAKE_ARGS="$(LLAMA_CMAKE)" CFLAGS="$(CFLAGS) $(LLAMA_CFLAGS)" CXXFLAGS="$(CXXFLAGS) $(LLAMA_CFLAGS)" $(PIP)

.PHONY: chat test lint setup llama clean
.DEFAULT_GOAL := chat

chat: setup
ifneq ($(strip $(PAPERS)),)
	@$(BIN)/citable index $(PAPERS) && exec $(BIN)/citable chat
else
	@echo "Opening the bundled sample. Your own papers: make chat PAPERS=path"
	@exec $(BIN)/citable chat --sample
endif

test: setup $(VENV)/.dev
	$(BIN)/python -m pytest

lint: setup $(VENV)/.dev
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

setup: $(VENV)/.ready

# Also mends a llama.cpp that was built for another processor.
llama: $(VENV)/.torch
	$(BUILD_LLAMA) --no-cache-dir --force-reinstall --no-deps --no-binary llama-cpp-python -c constraints.txt llama-cpp-python

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Citable needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "No virtual environment: on Debian, apt install python3-venv"; exit 1; }

$(VENV)/.torch: constraints.txt | $(VENV)/bin/python
	@echo "Installing PyTorch ..."
	$(PIP) $(TORCH_ARGS) torch==2.13.0
	@touch $@

$(VENV)/.ready: pyproject.toml constraints.txt $(VENV)/.torch
	@echo "Installing llama.cpp; the first time it is compiled, which takes about 10 minutes on two cores ..."
	$(BUILD_LLAMA) -c constraints.txt llama-cpp-python
	@echo "Installing Citable ..."
	$(PIP) -c constraints.txt -e .
	@echo "Fetching the better embedding model; without a connection the bundled one does ..."
	-@$(BIN)/citable models pull all-mpnet-base-v2
	@$(BIN)/python -m rag.tryout || { echo "This build of llama.cpp does not run here; compiling it anew ..."; $(MAKE) llama; $(BIN)/python -m rag.tryout; }
	@touch $@

$(VENV)/.dev: $(VENV)/.ready
	$(PIP) -c constraints.txt -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache

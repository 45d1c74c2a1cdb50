#!/bin/sh
# Pins every package, with hashes, for all platforms and Python versions that pyproject.toml allows.
# test.txt is everything; run.txt is the part of it that a checkout needs to run; station.txt what a workstation without
# network is given, which builds nothing. Needs uv on PATH.
set -eu
cd "$(dirname "$0")/.."

# Only the files are read by anybody else: the options of this machine's package index stay out of them.
lock() {
    out=$1
    shift
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-emit-build-options \
        --custom-compile-command "sh packaging/lock.sh" \
        --constraint requirements/versions.in --output-file "$out" "$@" pyproject.toml
}

lock requirements/test.txt requirements/build.in --extra broker --extra page --extra test --extra lint --extra docs
lock requirements/run.txt requirements/build.in --extra broker --extra page --constraint requirements/test.txt
lock requirements/station.txt requirements/bundle.in --extra broker --extra page --constraint requirements/test.txt

#!/bin/sh
# Every check and every test. Does all set-up on a fresh Debian or Ubuntu. Arguments go to pytest.
# All checks run, whatever the ones before found; pytest comes last.
set -eu
cd "$(dirname "$0")/.."
. packaging/setup.sh
. packaging/kernel.sh

need_python
need must mosquitto libusb-1.0-0 dbus openssl gcc libc6-dev
need may chromium systemd systemd-container debootstrap iproute2 curl groff-base zsh fish
need_machine
install_packages
unpack_kernel
make_environment test
PATH=$PWD/.venv/bin:$PATH
# pyright: its own copy and the node of the environment, nothing fetched.
export PYRIGHT_PYTHON_IGNORE_WARNINGS=1 PYRIGHT_PYTHON_GLOBAL_NODE=0

FAILED=""
check() {
    say "$*"
    "$@" || FAILED="$FAILED '$*'"
}

check ruff format --check --quiet
check ruff check --quiet
# Beside the checks, each in a process of its own, since what it makes first takes long and is made once a process: a
# fresh Debian; a machine with the real kernel drivers.
pytest -q -m fresh "${@:-tests/packaging}" >.fresh.log 2>&1 &
FRESH=$!
pytest -q -m vm "${@:-tests/vm}" >.vm.log 2>&1 &
VM=$!
# Beside the others, since it takes as long as both runs of mypy.
pyright --pythonpath "$PWD/.venv/bin/python" >.pyright.log 2>&1 &
PYRIGHT=$!
check mypy --no-error-summary
check mypy --no-error-summary tests benchmarks docs/generate.py
check lint-imports --no-cache
say pyright
wait "$PYRIGHT" || FAILED="$FAILED pyright"
cat .pyright.log
rm -f .pyright.log
apart() {
    say "pytest -m $1"
    wait "$2" || [ $? -eq 5 ] || FAILED="$FAILED 'pytest -m $1'"
    cat ".$1.log"
    rm -f ".$1.log"
}
apart fresh "$FRESH"
apart vm "$VM"
[ -z "$FAILED" ] || say "FAILED so far:$FAILED"

# What is measured in seconds has the machine for itself, and a process that has collected nothing else; 5 is "no such
# test among those asked for".
say "pytest, one at a time"
alone() {
    pytest -q -m alone "$@" || [ $? -eq 5 ] || FAILED="$FAILED 'pytest -m alone $*'"
}
if [ $# -gt 0 ]; then
    alone "$@"
else
    for file in $(grep -rl --include='test_*.py' 'mark\.alone' tests); do
        alone "$file"
    done
fi

say "pytest"
# Much of it waits for processes and sockets, so that four keep two cores busy.
if pytest -n 4 --dist worksteal -q -m "not alone and not fresh and not vm" "$@"; then
    [ -z "$FAILED" ] && exit 0
else
    FAILED="$FAILED pytest"
fi
say "FAILED:$FAILED"
exit 1

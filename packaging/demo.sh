#!/bin/sh
# Simulated devices of every family and a broker on this computer: no hardware, no configuration.
# Does all set-up on a fresh Debian or Ubuntu. Arguments are those of `devicehub demo`.
set -eu
cd "$(dirname "$0")/.."
. packaging/setup.sh

need_python
need may mosquitto libusb-1.0-0
install_packages
make_environment run
exec .venv/bin/devicehub demo "$@"

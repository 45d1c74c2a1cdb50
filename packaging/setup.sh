# Sourced by demo.sh and test.sh from the root of the checkout: everything that a fresh Debian or Ubuntu lacks.
#
#   need FLAG PACKAGE...   notes missing system packages; FLAG "must" or "may" says what happens without them
#   install_packages       installs what was noted, with apt-get
#   make_environment LOCK  makes .venv from requirements/LOCK.txt, unless it is there and up to date
# shellcheck shell=sh

MUST=""
MAY=""

say() {
    printf '%s\n' "devicehub: $*" >&2
}

die() {
    say "$*"
    exit 69
}

# Debian keeps mosquitto in sbin, which is not on everybody's PATH.
PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin
export PATH

usable_python() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# PYTHON, else the first of the usual names that is 3.11 or newer.
find_python() {
    for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if usable_python "$name"; then
            PYTHON=$name
            return 0
        fi
    done
    return 1
}

has_library() {
    for folder in /lib /lib64 /usr/lib /usr/lib64 /usr/local/lib /lib/*-linux-* /usr/lib/*-linux-*; do
        for file in "$folder/$1".so.*; do
            [ -e "$file" ] && return 0
        done
    done
    return 1
}

is_missing() {
    case $1 in
        mosquitto | openssl | git | gcc | chromium | debootstrap | curl | zsh | fish) ! command -v "$1" >/dev/null 2>&1 ;;
        groff-base) ! command -v groff >/dev/null 2>&1 ;;
        systemd) ! command -v systemd-analyze >/dev/null 2>&1 ;;
        systemd-container) ! command -v systemd-nspawn >/dev/null 2>&1 ;;
        iproute2) ! command -v ip >/dev/null 2>&1 ;;
        dbus) ! command -v dbus-daemon >/dev/null 2>&1 ;;
        libusb-1.0-0) ! has_library libusb-1.0 ;;
        qemu-system-x86) ! command -v qemu-system-x86_64 >/dev/null 2>&1 ;;
        busybox-static) ! command -v busybox >/dev/null 2>&1 ;;
        kmod) ! command -v modprobe >/dev/null 2>&1 ;;
        udev) ! command -v udevadm >/dev/null 2>&1 ;;
        e2fsprogs) ! PATH=$PATH:/usr/sbin:/sbin command -v mke2fs >/dev/null 2>&1 ;;
        bluez) [ ! -x /usr/libexec/bluetooth/bluetoothd ] ;;
        libc6-dev) [ ! -e /usr/include/stdlib.h ] ;;
        *) return 0 ;;
    esac
}

need() {
    flag=$1
    shift
    for package in "$@"; do
        is_missing "$package" || continue
        case $flag in
            must) MUST="$MUST $package" ;;
            *) MAY="$MAY $package" ;;
        esac
    done
}

need_python() {
    if ! find_python; then
        [ -z "${PYTHON:-}" ] || die "PYTHON=$PYTHON is not a Python 3.11 or newer"
        if command -v python3 >/dev/null 2>&1; then
            die "Python 3.11 or newer is needed, python3 is $(python3 -V 2>&1 | cut -d' ' -f2): install one and set PYTHON"
        fi
        MUST="$MUST python3 python3-venv"
    elif ! "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then
        case $PYTHON in
            *python3.1?) MUST="$MUST ${PYTHON##*/}-venv" ;;
            *) MUST="$MUST python3-venv" ;;
        esac
    fi
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

may_become_root() {
    [ "$(id -u)" -eq 0 ] && return 0
    command -v sudo >/dev/null 2>&1 || return 1
    sudo -n true 2>/dev/null || [ -t 0 ]
}

install_packages() {
    if [ -n "$MUST$MAY" ]; then
        if command -v apt-get >/dev/null 2>&1 && may_become_root; then
            apt_install
        elif [ -n "$MUST" ]; then
            die "these packages are missing and cannot be installed from here (no apt-get, or neither root nor sudo):$MUST"
        else
            say "going on without:$MAY (no apt-get, or neither root nor sudo)"
        fi
    fi
    find_python || die "Python 3.11 or newer is needed: install one and set PYTHON"
}

# We want the broker's program, not a broker that occupies port 1883 from now on: policy-rc.d keeps packages
# from starting services while they are installed.
apt_install() {
    say "installing:$MUST$MAY"
    policy=/usr/sbin/policy-rc.d
    ours=""
    case "$MUST$MAY" in
        *mosquitto*) [ -e "$policy" ] || ours=yes ;;
    esac
    if [ -n "$ours" ]; then
        trap 'as_root rm -f "$policy"' EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    as_root apt-get update -qq || die "apt-get update failed; see its message above"
    # shellcheck disable=SC2086  # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $MUST $MAY >/dev/null ||
        die "apt-get could not install:$MUST$MAY"
    case "$MUST$MAY" in
        *mosquitto*)
            if command -v systemctl >/dev/null 2>&1; then
                as_root systemctl disable --quiet mosquitto.service 2>/dev/null ||
                    say "mosquitto.service could not be disabled; it may occupy port 1883 after a restart"
            fi
            ;;
    esac
    if [ -n "$ours" ]; then
        as_root rm -f "$policy"
        trap - EXIT INT TERM
    fi
}

# What .venv was made from: the locks, the project's description, where it stands and which Python.
stamp_of() {
    {
        printf '%s\n' "$1"
        pwd -P
        "$PYTHON" -c 'import sys; print(sys.version, sys.base_prefix)'
        cat "requirements/$1.txt" pyproject.toml
    } | cksum
}

is_current() {
    [ -x .venv/bin/python ] && [ -f .venv/devicehub-stamp ] && [ "$(cat .venv/devicehub-stamp)" = "$(stamp_of "$1")" ]
}

make_environment() {
    # The environment of the tests has everything that the demonstration needs.
    if is_current "$1" || is_current test; then return 0; fi
    say "making the environment .venv from requirements/$1.txt (once)"
    rm -rf .venv
    "$PYTHON" -m venv .venv || die "$PYTHON could not make the environment .venv"
    pip install --require-hashes -r "requirements/$1.txt" || die "pip could not install requirements/$1.txt"
    pip install --no-deps --no-build-isolation --editable . || die "pip could not install devicehub itself"
    stamp_of "$1" >.venv/devicehub-stamp
}

pip() {
    PYTHONWARNINGS='' .venv/bin/python -m pip -qq --disable-pip-version-check --no-input "$@"
}

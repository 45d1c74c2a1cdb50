#!/bin/sh
# Installs devicehub from this folder, without network, beside what is installed already, and goes back to it.
#
#   sh install.sh                   as root: environment, user, udev rules, service; the service is not started the first time
#   sh install.sh --prefix DIR      environment alone, for this user: nothing outside DIR is touched
#   sh install.sh --roll-back       to the version that was there before
#   sh install.sh --remove          everything but configuration and state
#
# Every file is checked against SHA256SUMS first. PYTHON names the Python to use; else the newest that the bundle has wheels for.
set -eu
HERE=$(cd "$(dirname "$0")" && pwd -P)
PREFIX=/opt/devicehub
WHAT=install
SYSTEM=yes
SHARED="share/man/man1/devicehub.1 share/bash-completion/completions/devicehub"

say() {
    printf '%s\n' "devicehub: $*" >&2
}

die() {
    code=$1
    shift
    say "$*"
    exit "$code"
}

while [ $# -gt 0 ]; do
    case $1 in
        --prefix)
            [ $# -gt 1 ] || die 2 "--prefix needs a folder"
            mkdir -p "$2"
            PREFIX=$(cd "$2" && pwd -P)
            SYSTEM=""
            shift
            ;;
        --roll-back) WHAT=roll_back ;;
        --remove) WHAT=remove ;;
        *) die 2 "unknown argument $1; the head of this file says what there is" ;;
    esac
    shift
done

check() {
    (cd "$HERE" && sha256sum --check --quiet --strict SHA256SUMS >&2) ||
        die 65 "this bundle is not what was built: nothing was installed"
    # What no sum covers was put there by somebody else, and would be installed with the rest.
    listed=$(cut -c67- "$HERE/SHA256SUMS" | sort)
    found=$(cd "$HERE" && find . -type f ! -name SHA256SUMS | cut -c3- | sort)
    [ "$listed" = "$found" ] || die 65 "this bundle has files that are not in SHA256SUMS: nothing was installed"
}

is_served() {
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || return 1
    grep -qx "$version" "$HERE/PYTHONS"
}

find_python() {
    for name in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        if is_served "$name"; then
            PYTHON=$(command -v "$name")
            return 0
        fi
    done
    die 69 "no Python that this bundle has wheels for ($(tr '\n' ' ' <"$HERE/PYTHONS"))"
}

make_environment() {
    version=$(cat "$HERE/VERSION")
    new=$PREFIX/$version
    rm -rf "$new.part" "$new.old"
    mkdir -p "$PREFIX"
    # Debian has no ensurepip without python3-venv, so pip comes with the bundle and runs from its wheel.
    "$PYTHON" -m venv --without-pip "$new.part"
    PYTHONPATH=$(echo "$HERE"/wheels/pip-*.whl) "$new.part/bin/python" -m pip -q --disable-pip-version-check --no-input \
        --isolated install --no-index --no-compile --find-links "$HERE/wheels" "devicehub[broker,page]==$version"
    # Environments cannot be moved: the scripts in it name the interpreter by its path.
    sed "1s|.*|#!$new/bin/python|" "$new.part/bin/devicehub" >"$new.part/devicehub"
    find "$new.part/bin" -type f ! -name 'python*' -delete
    mv "$new.part/devicehub" "$new.part/bin/devicehub"
    chmod 755 "$new.part/bin/devicehub"
    # Kept with the version, so that going back takes them back.
    keep packaging/60-devicehub.rules system/60-devicehub.rules
    keep packaging/system/devicehub.service system/devicehub.service
    keep docs/man/devicehub.1 share/man/man1/devicehub.1
    keep completion.bash share/bash-completion/completions/devicehub
    [ ! -e "$new" ] || mv "$new" "$new.old"
    mv "$new.part" "$new"
    rm -rf "$new.old"
    # The service may not write there; uncompiled, every start would take seconds more.
    "$new/bin/python" -m compileall -q -j 0 -x '/tests?/|/f2py/|/pygments/' --invalidation-mode unchecked-hash "$new/lib" ||
        say "some files could not be compiled; they are read as they are"
    "$new/bin/devicehub" version >/dev/null
}

keep() {
    install -D -m 644 "$HERE/$1" "$new.part/$2"
}

# Both links change by a rename: at no instant is there no version.
point() {
    ln -sfn "$1" "$PREFIX/$2.part"
    mv -T "$PREFIX/$2.part" "$PREFIX/$2"
}

select_version() {
    before=$(readlink "$PREFIX/current" || true)
    [ -z "$before" ] || [ "$before" = "$1" ] || point "$before" previous
    point "$1" current
}

may_be_root() {
    [ "$(id -u)" -eq 0 ] || die 77 "this needs root; --prefix DIR installs for one user"
}

add_user() {
    getent group devicehub >/dev/null || groupadd --system devicehub
    getent passwd devicehub >/dev/null ||
        useradd --system --gid devicehub --home-dir /var/lib/devicehub --no-create-home --shell /usr/sbin/nologin devicehub
    # Serial ports that no rule names, cameras, and Bluetooth's service; where there are such groups.
    for group in dialout video bluetooth; do
        getent group "$group" >/dev/null && usermod --append --groups "$group" devicehub
    done
    return 0
}

add_folders() {
    install -d -m 750 -o root -g devicehub /etc/devicehub
    install -d -m 700 -o devicehub -g devicehub /var/lib/devicehub
    if [ ! -e /etc/devicehub/devicehub.toml ]; then
        sed 's|^#state = "/var/lib/devicehub"|state = "/var/lib/devicehub"|' "$HERE/config/devicehub.toml" >/etc/devicehub/devicehub.toml
        chown root:devicehub /etc/devicehub/devicehub.toml
        chmod 640 /etc/devicehub/devicehub.toml
    fi
}

# What the system reads of the version that is current now. Links follow it by themselves; systemd takes a unit that
# is a link away when the service is disabled.
add_files() {
    mkdir -p /etc/udev/rules.d /etc/systemd/system
    install -m 644 "$PREFIX/current/system/60-devicehub.rules" /etc/udev/rules.d/60-devicehub.rules
    sed "s|^ExecStart=/usr/bin/devicehub|ExecStart=$PREFIX/current/bin/devicehub|" "$PREFIX/current/system/devicehub.service" \
        >/etc/systemd/system/devicehub.service
    for file in bin/devicehub $SHARED; do
        mkdir -p "/usr/local/$(dirname "$file")"
        ln -sfn "$PREFIX/current/$file" "/usr/local/$file"
    done
}

tell_system() {
    if [ -d /run/udev ] && command -v udevadm >/dev/null 2>&1; then
        udevadm control --reload
        udevadm trigger
    fi
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        systemctl "$@" || say "systemctl $* failed; see: journalctl -u devicehub"
    fi
}

do_install() {
    [ -z "$SYSTEM" ] || may_be_root
    check
    find_python
    make_environment
    select_version "$version"
    if [ -n "$SYSTEM" ]; then
        add_user
        add_folders
        add_files
        "$PREFIX/current/bin/devicehub" config migrate /etc/devicehub/devicehub.toml >&2 ||
            say "/etc/devicehub/devicehub.toml stays as it is"
        "$PREFIX/current/bin/devicehub" config check /etc/devicehub/devicehub.toml ||
            say "mend the configuration, or go back: sh install.sh --roll-back"
        tell_system try-restart devicehub.service
        say "set hub.site and hub.node in /etc/devicehub/devicehub.toml, then: systemctl enable --now devicehub"
    fi
    say "$version is in $PREFIX/current/bin/devicehub"
}

do_roll_back() {
    [ -z "$SYSTEM" ] || may_be_root
    before=$(readlink "$PREFIX/previous") || die 66 "there is no version to go back to in $PREFIX"
    select_version "$before"
    if [ -n "$SYSTEM" ]; then
        add_files
        "$PREFIX/current/bin/devicehub" config check /etc/devicehub/devicehub.toml ||
            say "if the newer version wrote the configuration: devicehub config migrate --back, and start the service again"
        tell_system try-restart devicehub.service
    fi
    say "$before is in $PREFIX/current/bin/devicehub"
}

do_remove() {
    if [ -n "$SYSTEM" ]; then
        may_be_root
        tell_system disable --now devicehub.service
        rm -f /etc/udev/rules.d/60-devicehub.rules /etc/systemd/system/devicehub.service /usr/local/bin/devicehub
        for file in $SHARED; do
            rm -f "/usr/local/$file"
        done
        say "kept: /etc/devicehub, /var/lib/devicehub and the user devicehub"
    fi
    for one in "$PREFIX"/*/pyvenv.cfg; do
        [ ! -e "$one" ] || rm -rf "$(dirname "$one")"
    done
    rm -f "$PREFIX/current" "$PREFIX/previous"
    rmdir "$PREFIX" 2>/dev/null || say "kept: $PREFIX, which has files of somebody else"
}

"do_$WHAT"

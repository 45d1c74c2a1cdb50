# Sourced by test.sh after setup.sh: the kernel that the machine of tests/vm starts, unpacked and never installed.
#
#   need_machine     notes the packages that a machine is made of; the tests that need one are skipped without them
#   unpack_kernel    fetches Debian's kernel package and unpacks it to .vm/kernel, unless it is there
# shellcheck shell=sh

need_machine() {
    need may qemu-system-x86 busybox-static kmod udev e2fsprogs bluez
}

unpack_kernel() {
    if [ -n "${DEVICEHUB_KERNEL:-}" ] || [ -d .vm/kernel ]; then return 0; fi
    if [ "$(dpkg --print-architecture 2>/dev/null)" != amd64 ]; then
        say "going on without a machine: its kernel is Debian's for amd64"
        return 0
    fi
    package=$(kernel_package)
    if [ -z "$package" ]; then
        as_root apt-get update -qq || true
        package=$(kernel_package)
    fi
    if [ -z "$package" ]; then
        say "going on without a machine: no package linux-image-amd64 here"
        return 0
    fi
    say "unpacking $package to .vm/kernel (once)"
    rm -rf .vm
    mkdir -p .vm/fetched
    if (cd .vm/fetched && apt-get download -qq "$package" 2>/dev/null) &&
        dpkg-deb -x .vm/fetched/*.deb .vm/unpacked && as_found depmod -b .vm/unpacked "${package#linux-image-}"; then
        mv .vm/unpacked .vm/kernel
    else
        say "going on without a machine: $package could not be fetched or unpacked"
    fi
    rm -rf .vm/fetched .vm/unpacked
}

kernel_package() {
    apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1
}

# A program of the system's folders, for somebody who does not have them on his PATH.
as_found() {
    PATH=$PATH:/usr/sbin:/sbin "$@"
}

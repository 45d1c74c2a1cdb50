# The task of the machine that runs the tests of tests/vm/inside; sourced after its settings:
#   ROOT the checkout, PYTHON the environment's, KERNEL the unpacked package, PYTHONPYCACHEPREFIX compiled modules,
#   TORTURE how many times the usual number of trials, IN_CI whether what is lacking is a failure
# shellcheck shell=sh disable=SC2154

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run/home LANG=C.UTF-8
SAID=$(echo /dev/vport*p1)
echo up >"$SAID"
mkdir -p "$HOME" /run/pytest /run/udev/rules.d
ip link set lo up 2>/dev/null || busybox ip link set lo up
version=$(uname -r)
rm -rf "/lib/modules/$version"
mkdir -p /lib/modules
ln -s "$KERNEL/lib/modules/$version" "/lib/modules/$version"
modprobe -a vhci-hcd usbhid hid-generic cdc-acm ftdi_sio cp210x uvcvideo evdev
cp "$ROOT/packaging/60-devicehub.rules" /run/udev/rules.d/
for udevd in /lib/systemd/systemd-udevd /usr/lib/systemd/systemd-udevd; do
    [ -x "$udevd" ] && "$udevd" --daemon && break
done
udevadm settle --timeout=30
cd "$ROOT" || exit
[ -z "$IN_CI" ] || export CI="$IN_CI"
export PYTHONPATH="$ROOT" DEVICEHUB_REPORTS="$SAID" DEVICEHUB_TORTURE="$TORTURE"
"$PYTHON" -m pytest -p no:cacheprovider --basetemp=/run/pytest/tests -q -o faulthandler_timeout=$((280 * TORTURE)) @/run/asked
echo "machine: pytest ended with $?"
busybox reboot -f

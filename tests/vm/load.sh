# The task of a machine whose power is cut; sourced after its settings:
#   ROOT the checkout, PYTHON the environment's, KERNEL the unpacked package, PYTHONPYCACHEPREFIX compiled modules
# Says first what is on its disk, then what the journal accepts that is loaded there for ever.
# shellcheck shell=sh disable=SC2154

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run LANG=C.UTF-8
SAID=$(echo /dev/vport*p1)
echo up >"$SAID"
modprobe -d "$KERNEL" -a virtio_blk ext4
mkdir -p /run/disk
mount -t ext4 /dev/vda /run/disk
{ tar -c -C /run/disk --exclude=ballast . | base64 -w 0 && echo; } >"$SAID"
cd "$ROOT" || exit
export PYTHONPATH="$ROOT" APPENDER_CHECKPOINT="$CHECKPOINT" APPENDER_SABOTAGE="$SABOTAGE"
"$PYTHON" -m tests.torture.appender /run/disk/state >"$SAID"
echo "machine: the load ended with $?"

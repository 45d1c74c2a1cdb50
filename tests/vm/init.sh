#!/bin/busybox sh
# The first process: the host's root, read-only, below a layer in memory; then the task.
/bin/busybox mkdir -p /proc /sys /dev /host /layer /new
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
echo "machine: up"
for module in /modules/*; do
    /bin/busybox insmod "$module" || echo "machine: no $module"
done
/bin/busybox mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro host /host
/bin/busybox mount -t tmpfs -o size=75% layer /layer
/bin/busybox mkdir /layer/upper /layer/work
/bin/busybox mount -t overlay -o lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work root /new
/bin/busybox mount -t tmpfs run /new/run
/bin/busybox mkdir -p /new/run/kernel /new/run/lock
/bin/busybox cp /task.sh /asked /new/run/
/bin/busybox mount -t devtmpfs dev /new/dev
/bin/busybox mkdir -p /new/dev/pts /new/dev/shm
/bin/busybox mount -t devpts pts /new/dev/pts
/bin/busybox mount -t tmpfs shm /new/dev/shm
/bin/busybox mount -t proc proc /new/proc
/bin/busybox mount -t sysfs sys /new/sys
/bin/busybox umount /dev /proc /sys
exec /bin/busybox switch_root /new /bin/sh /run/task.sh

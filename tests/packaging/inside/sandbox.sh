# The hub runs as the shipped unit runs it, with simulated devices of every family; then a probe in its place.
set -eu
cd /srv/inside
# Nodes of kinds that this kernel knows, for the asking; there is nothing behind them.
number() {
    awk -v name="$1" '$2 == name { print $1; exit }' /proc/devices
}
node() {
    [ -z "$3" ] || mknod -m 666 "/dev/$1" "$2" "$3" "$4"
}
[ -e /dev/ttyS0 ] || node ttyS0 c "$(number ttyS)" 64
node hidraw0 c "$(number hidraw)" 0
node usb0 c "$(number usb_device)" 0
node video0 c "$(number video4linux)" 0
node event0 c "$(number input)" 64
node loop0 b "$(number loop)" 0
node fuse c 10 229
mkdir -p /etc/credstore
echo secret >/etc/credstore/devicehub.mqtt.password
cp -r /usr/lib/devicehub/lib/python3*/site-packages/devicehub/_config/* /etc/devicehub/
cp /etc/devicehub/demo.toml /etc/devicehub/devicehub.toml
touch /tmp/of-others
systemctl enable --now devicehub
python3 running.py thermal-1 trace-1 scanner-2 endoscope-1 gamma-1
systemctl reload devicehub
systemctl status devicehub >/dev/null
journalctl -u devicehub >/dev/null
systemctl stop devicehub
mkdir -p /etc/systemd/system/devicehub.service.d
cat >/etc/systemd/system/devicehub.service.d/probe.conf <<'UNIT'
[Service]
Type=oneshot
Restart=no
ExecStart=
ExecStart=/usr/lib/devicehub/bin/python -I /etc/devicehub/probe.py
UNIT
cp probe.py /etc/devicehub/
systemctl daemon-reload
systemctl start devicehub || journalctl -u devicehub -o cat --no-pager
cat /var/lib/devicehub/probe.json
echo
journalctl -u devicehub -o cat --no-pager

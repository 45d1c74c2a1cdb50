# A former version is installed and runs; it is upgraded while it runs, goes back, is removed and purged.
set -eu
cd /srv/inside
dpkg -i /srv/former.deb
echo "after installing: $(systemctl is-active devicehub || true)"
cp station.toml /etc/devicehub/devicehub.toml
systemctl --quiet enable --now devicehub
python3 journal.py former 12
dpkg -i /srv/newer.deb
python3 journal.py upgraded 24
dpkg -i /srv/former.deb
python3 journal.py back 36
dpkg --remove devicehub
echo "after removing: $(ls /usr/lib/devicehub /usr/bin/devicehub 2>/dev/null | wc -l) files, $(ls /etc/devicehub)"
dpkg --purge devicehub
echo "after purging: $(ls -d /etc/devicehub 2>/dev/null || true) $(ls /var/lib/devicehub/journal.sqlite)"

# A former version, which knows an older format of the configuration alone, is installed and runs. It is upgraded while it
# runs, goes back, is removed and purged. Argument: package or bundle.
set -eu
cd /srv
package_former() {
    dpkg -i former.deb
}
package_look() {
    dpkg-deb -x devicehub_0.1.0_amd64.deb look
    sudo look/usr/lib/devicehub/bin/python -I -m devicehub config migrate --dry-run
}
package_newer() {
    sudo dpkg -i devicehub_0.1.0_amd64.deb
}
package_back() {
    package_former
}
package_remove() {
    dpkg --remove devicehub
}
bundle_former() {
    sh former/install.sh
}
bundle_look() {
    sh devicehub-0.1.0-linux-x86_64/install.sh --prefix look
    sudo look/current/bin/devicehub config migrate --dry-run
}
bundle_newer() {
    sudo sh devicehub-0.1.0-linux-x86_64/install.sh
}
bundle_back() {
    sudo sh devicehub-0.1.0-linux-x86_64/install.sh --roll-back
}
bundle_remove() {
    sh former/install.sh --remove
}
"$1_former"
echo "after installing: $(systemctl is-active devicehub || true)"
cp inside/station.toml /etc/devicehub/devicehub.toml
systemctl --quiet enable --now devicehub
"$1_look"
python3 inside/journal.py former 12
"$1_newer"
python3 inside/journal.py upgraded 24
"$1_back"
echo "after going back: $(systemctl is-active devicehub || true)"
sudo devicehub config migrate --back
sudo systemctl restart devicehub
python3 inside/journal.py back 36
"$1_remove"
echo "after removing: $(ls -d /usr/lib/devicehub /opt/devicehub /usr/bin/devicehub /usr/local/bin/devicehub 2>/dev/null | wc -l) files," \
    "$(ls -d /etc/devicehub /var/lib/devicehub/journal.sqlite)"
[ "$1" = bundle ] || dpkg --purge devicehub
echo "after purging: $(ls -d /etc/devicehub 2>/dev/null || true) $(ls /var/lib/devicehub/journal.sqlite)"

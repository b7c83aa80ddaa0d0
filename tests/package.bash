#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The Debian package in a machine of its own: installed, started by systemd behind the unit's walls, used, upgraded,
# removed, purged.  User-mode Linux boots this machine's systemd on this machine's files; all that is written stays in
# its memory.
set -u
S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}
. "$S3N_SOURCE/tests/cases.bash"
overlay=$(find /usr/lib/uml/modules -name overlay.ko 2>/dev/null | head -n 1)

# --- the unit, as systemd itself judges it
if command -v systemd-analyze >/dev/null; then
  if systemd-analyze security --offline=true --no-pager --threshold=20 "$S3N_SOURCE/packaging/s3nd.service" >/dev/null 2>&1; then
    pass "exposure of the unit is at most 2.0"
  else
    fail "exposure of the unit is at most 2.0" "$(systemd-analyze security --offline=true --no-pager "$S3N_SOURCE/packaging/s3nd.service" | grep -v ✓)"
  fi
else
  skip "exposure of the unit" "no systemd-analyze"
fi

for tool in linux.uml dh dpkg-buildpackage /lib/systemd/systemd perl; do
  command -v "$tool" >/dev/null || skip_all package "no $tool"
done
[ -n "$overlay" ] || skip_all package "the kernel of user-mode Linux has no overlay file system"
[ -x "$S3N_BUILD/bin/s3nd" ] || skip_all package "s3nd is not built"
! nm -D "$S3N_BUILD/bin/slipstream" | grep -q __asan_ || skip_all package "sanitizers want more memory"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/s3n-package.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"

# --- the packages: an older one and this one
for version in 0.0.9 9.9.9; do
  if "$S3N_SOURCE/tools/make-deb" --build "$S3N_BUILD" --output "$scratch" --version $version >"$scratch/log" 2>&1; then
    pass "package $version is made"
  else
    fail "package $version is made" "$(tail -n 20 "$scratch/log")"
    finish
  fi
done
# What is packed is the same both times, and so must the packing be.
for version in 0.0.9 9.9.9; do dpkg-deb --fsys-tarfile "$scratch/s3n_${version}_amd64.deb" | tar -t --full-time -v | grep -v changelog; done | sort | uniq -u >"$scratch/differs"
if [ ! -s "$scratch/differs" ]; then pass "the same programs make the same package"; else fail "the same programs make the same package" "$(cat "$scratch/differs")"; fi

# --- what runs in there, below systemd
cat >"$scratch/steps" <<STEPS
set -u
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root S3N_SOURCE=$(printf %q "$S3N_SOURCE")
. \$S3N_SOURCE/tests/cases.bash
scratch=/opt/package-test
check() { local name=\$1; shift; if output=\$("\$@" 2>&1); then pass "\$name"; else fail "\$name" "\$output"; return 1; fi; }
refuse() { local name=\$1; shift; if output=\$("\$@" 2>&1); then fail "\$name" "\$output"; else pass "\$name"; fi; }
wait_for() { local try; for try in \$(seq 60); do ! "\$@" >/dev/null 2>&1 || return 0; sleep 0.5; done; "\$@"; }
install() { DEBIAN_FRONTEND=noninteractive timeout 500 dpkg -i --force-confold "\$scratch/\$1"; }
ask() { timeout 60 s3n "\$@"; }
log() { journalctl -u s3nd --no-pager -o cat | tail -n 30; }
invoke() { [ "\$(ask invoke echo/echo --data hello)" = hello ]; }
echo 'package: steps'

check "it installs" install s3n_0.0.9_amd64.deb
check "its user is there" id s3n
[[ " \$(id -nG s3n) " == *' kvm '* ]] && pass "and may make micro-VMs" || fail "and may make micro-VMs" "\$(id s3n)"
check "the service is enabled" systemctl is-enabled s3nd
# No TEE here, and none is simulated by itself: it says so and does not serve.
no_tee() { journalctl -u s3nd --no-pager | grep -qi 'sim'; }
check "without a TEE its log says what to do" wait_for no_tee
refuse "and it does not serve" systemctl is-active s3nd

printf 'tee = "sim"\nlisten = "127.0.0.1:8443"\nadmin = "127.0.0.1:8444"\nbackend = "process"\n' >/etc/s3n/s3nd.toml
systemctl reset-failed s3nd
check "it starts" timeout 100 systemctl restart s3nd || log
check "as its user" [ "\$(systemctl show -P User s3nd)" = s3n ]
refuse "nothing of it is root's" pgrep -u root -f '^/usr/bin/(s3nd|s3n-keeper|slipstream)'
check "the data folder is its own" [ "\$(stat -c %U:%a /var/lib/s3n)" = s3n:700 ]
check "an owner logs in" ask login https://127.0.0.1:8443 --claim "\$(cat /var/lib/s3n/claim-code)" --trust-simulated
check "a function is deployed" ask deploy \$scratch/echo || log
check "and answers" invoke || log
systemd-analyze security --no-pager --threshold=20 s3nd >\$scratch/exposure 2>&1 && pass "running, its exposure is at most 2.0" || fail "running, its exposure is at most 2.0" "\$(cat \$scratch/exposure)"

# An upgrade of a node that is used: it keeps its process and its sockets, no request fails.
main=\$(systemctl show -P MainPID s3nd)
touch \$scratch/asking
asking() { while [ -e \$scratch/asking ]; do curl -sS --max-time 60 --insecure --fail --data-binary hello https://127.0.0.1:8443/a/echo/run || echo " failed"; echo; done; }
asking >\$scratch/asked 2>&1 &
wait_for grep -q hello \$scratch/asked
check "an upgrade" install s3n_9.9.9_amd64.deb
new_program() { [ "\$(readlink /proc/\$main/exe)" = /usr/bin/s3nd ]; }
check "the node takes the new programs" wait_for new_program || log
check "and was not stopped" [ "\$(systemctl show -P MainPID s3nd)" = "\$main" ]
rm -f \$scratch/asking
wait
refuse "no request failed" grep -vx hello \$scratch/asked
# Its scripts again: as often as anybody likes, by reload, and where no systemd runs.
postinst() { DPKG_MAINTSCRIPT_PACKAGE=s3n timeout 100 /var/lib/dpkg/info/s3n.postinst configure 0.0.9; }
server() { pgrep -P \$main -f -- '--role server'; }
server=\$(server)
check "the package's script again" postinst
refuse "it is another server" [ "\$(server)" = "\$server" ]
server=\$(server)
another_server() { [ "\$(server | wc -l)" = 1 ] && [ "\$(server)" != "\$server" ]; }
check "a reload" systemctl reload s3nd
check "hands over, too" wait_for another_server
check "and was not stopped by any of it" [ "\$(systemctl show -P MainPID s3nd)" = "\$main" ]
without_systemd() { DPKG_MAINTSCRIPT_PACKAGE=s3n unshare --mount sh -c 'mount -t tmpfs none /run/systemd && for script in "prerm upgrade 9.9.9" "postinst configure 0.0.9" "prerm remove"; do /var/lib/dpkg/info/s3n.\$script || exit; done'; }
check "without systemd the scripts do nothing" without_systemd
check "and the node runs on" [ "\$(systemctl show -P MainPID s3nd)" = "\$main" ]
# Programs that don't start.
echo 'no_such_key = 1' >>/etc/s3n/s3nd.toml
says() { local text=\$1; shift; output=\$("\$@" 2>&1) && [[ \$output == *"\$text"* ]] || { echo "\$output"; return 1; }; }
check "a configuration that can't be: the upgrade says so" says "goes on with those before" postinst
check "and the node goes on" invoke
check "as the same process" [ "\$(systemctl show -P MainPID s3nd)" = "\$main" ]
sed -i '/no_such_key/d' /etc/s3n/s3nd.toml
# A node that can't be asked.
mv /var/lib/s3n/control /var/lib/s3n/control.away
check "a node that can't be asked: the upgrade says so" says "it is restarted" postinst
refuse "it was restarted" [ "\$(systemctl show -P MainPID s3nd)" = "\$main" ]
check "keeps the configuration" grep -q '^tee = "sim"' /etc/s3n/s3nd.toml
check "serves again" wait_for systemctl is-active s3nd
check "and knows what was deployed" wait_for invoke || log
check "the new version is there" [ "\$(dpkg-query -W -f '\${Version}' s3n)" = 9.9.9 ]

check "a removal" timeout 100 dpkg -r s3n
refuse "stops it" pgrep -f '^/usr/bin/s3nd'
refuse "leaves no program" test -e /usr/bin/s3nd
check "leaves the state" test -d /var/lib/s3n/store
check "leaves the configuration" test -e /etc/s3n/s3nd.toml
check "a purge" timeout 100 dpkg --purge s3n
refuse "takes the state" test -e /var/lib/s3n
refuse "and the configuration" test -e /etc/s3n
left=\$(systemctl list-units --failed --no-legend "s3n*")
[ -z "\$left" ] && pass "systemd has nothing left over" || { fail "systemd has nothing left over" "\$left"; log; }
finish
STEPS
mkdir "$scratch/echo"
cp "$S3N_SOURCE/tests/data/functions/echo.wasm" "$scratch/echo/" || finish
cat >"$scratch/echo/s3n.toml" <<'MANIFEST'
s3n_manifest_version = 1
compatibility_date = "2026-11-01"
[application]
name = "echo"
version = "1.0.0"
[function.echo]
source = "echo.wasm"
[[trigger.http]]
route = "/run"
function = "echo"
MANIFEST

cat >"$scratch/init" <<INIT
#!/bin/bash
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs -o mode=755,size=2g tmp /run
perl -e 'open(F, "<", \$ARGV[0]) or die; my \$none = ""; syscall(313, fileno(F), \$none, 0) == 0 or die \$!' $overlay
mkdir /run/upper /run/work /run/root
mount -t overlay -o lowerdir=/,upperdir=/run/upper,workdir=/run/work files /run/root || exit
cd /run/root
mount --move /proc proc
mount --move /sys sys
rm -f etc/fstab usr/sbin/policy-rc.d var/lib/dpkg/lock*
rm -rf var/lib/s3n etc/s3n
cp -r $scratch opt/package-test # /tmp is cleaned at the start
cat >etc/systemd/system/package-test.service <<UNIT
[Unit]
DefaultDependencies=no
Requires=systemd-journald.service
After=basic.target systemd-journald.service
[Service]
Type=oneshot
ExecStart=/bin/bash /opt/package-test/steps
ExecStopPost=/bin/systemctl poweroff -ff
StandardOutput=tty
StandardError=tty
TTYPath=/dev/tty0
UNIT
exec switch_root . /lib/systemd/systemd systemd.unit=package-test.service
INIT
chmod 755 "$scratch/init"
timeout 560 linux.uml mem=2G quiet rootfstype=hostfs rootflags=/ ro init="$scratch/init" uml_dir="$scratch/" \
  con=null con0=fd:0,fd:1 </dev/null >"$scratch/output" 2>&1
tr -d '\r' <"$scratch/output" | sed -n '/^package: steps/,$p' >"$scratch/steps.log"
grep -E '^ok |^FAIL|^SKIP' "$scratch/steps.log"
closing=$(grep -E '^[0-9]+ passed, [0-9]+ failed, 0 skipped' "$scratch/steps.log" | tail -n 1)
if [[ $closing == *", 0 failed, "* ]]; then
  pass "in a machine of its own ($closing)"
else
  fail "in a machine of its own" "${closing:-it did not come to its end}"
  tail -n 60 "$scratch/output"
fi
finish

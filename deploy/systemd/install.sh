#!/bin/sh
# Installs the service around an installed `sluice`: its user, directories, unit, configuration, log rotation and
# certificate hook. Run it as root, again after each upgrade. It keeps the configuration, the admin token and every file
# that was edited since it was installed, and names the new version of an edited file.
# DESTDIR=/some/root installs the files below another root, and changes no running system.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=${DESTDIR:-}

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

if [ -z "$root" ]; then
  [ "$(id -u)" -eq 0 ] || fail 'not root: run it with sudo, or set DESTDIR'
  command -v sluice >/dev/null || fail 'sluice is not installed: run npm install --global sluice first'
  command -v systemctl >/dev/null || fail 'systemd is not installed'
fi

# Checksums of the files that the last installation brought.
sums="$root/etc/sluice/installed.sha256"

sum_of() { # FILE
  sha256sum <"$1" | cut -d ' ' -f 1
}

put() { # MODE SOURCE TARGET
  new=$(sum_of "$here/$2")
  old=
  [ ! -e "$sums" ] || old=$(sed -n "s|^\([0-9a-f]*\) $3\$|\1|p" "$sums")
  present=
  [ ! -e "$root$3" ] || present=$(sum_of "$root$3")
  case $present in
    '' | "$old" | "$new") install -D -m "$1" "$here/$2" "$root$3" ;;
    *)
      # A copy beside it would take effect, too: logrotate and certbot use every file of their directories.
      echo "install.sh: kept the edited $3, and the new version is $(realpath "$here/$2")"
      ;;
  esac
  {
    [ ! -e "$sums" ] || sed "\\| $3\$|d" "$sums"
    echo "$new $3"
  } >"$sums.new"
  chmod 644 "$sums.new"
  mv "$sums.new" "$sums"
}

[ -d "$root/etc/sluice" ] || install -d -m 755 "$root/etc/sluice"
put 644 sluice.sysusers /etc/sysusers.d/sluice.conf
put 644 sluice.service /etc/systemd/system/sluice.service
put 644 ../logrotate/sluice /etc/logrotate.d/sluice
put 755 ../certbot/sluice /etc/letsencrypt/renewal-hooks/deploy/sluice
[ -e "$root/etc/sluice/sluice.yaml" ] || install -m 644 "$here/sluice.yaml" "$root/etc/sluice/sluice.yaml"
install -d -m 750 "$root/etc/sluice/tls"

# Each machine has its own token. Only root and, as a credential, the service can read it.
token="$root/etc/credstore/sluice.admin-token"
if [ ! -e "$token" ]; then
  [ -d "$root/etc/credstore" ] || install -d -m 700 "$root/etc/credstore"
  value=$(od -An -N32 -tx1 -w32 /dev/urandom | tr -d ' ')
  [ "${#value}" -eq 64 ] || fail 'no admin token: reading /dev/urandom failed'
  # A rename: an interrupted installation leaves no half of a token.
  (umask 077 && printf '%s\n' "$value" >"$token.new")
  mv "$token.new" "$token"
fi

if [ -z "$root" ]; then
  systemd-sysusers sluice.conf
  chgrp sluice /etc/sluice/tls
  # systemd makes them at a start, and `sluice check` needs them before.
  install -d -m 750 -o sluice -g sluice /var/log/sluice
  install -d -m 700 -o sluice -g sluice /var/lib/sluice
  systemctl daemon-reload
  echo 'Edit /etc/sluice/sluice.yaml, then run: systemctl enable --now sluice'
fi

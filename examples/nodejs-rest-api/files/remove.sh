#!/bin/sh
# Removes what the example has made on this host. Prints "removed" if there was anything. Usage: remove.sh SERVICE
set -eu
units=/etc/systemd/system

if [ -e $units/consul.service ]; then
  # The old haproxy.cfg is not known; without one HAProxy does not start.
  if systemctl is-enabled --quiet haproxy 2>/dev/null; then systemctl disable --quiet --now haproxy; fi
  # With it the registrator.
  systemctl disable --quiet --now consul
  systemctl clean --what=state --what=configuration consul
  rm -f $units/consul.service $units/consul-registrator.service /usr/local/sbin/consul-registrator /etc/consul.json
  systemctl daemon-reload
  echo removed
fi

containers=$(docker ps --all --quiet --filter "label=service=$1")
# shellcheck disable=SC2086 # one word per ID
[ -z "$containers" ] || docker rm --force $containers >/dev/null
images=$(docker images --format '{{.Repository}}:{{.Tag}}' "$1")
# shellcheck disable=SC2086 # one word per image
[ -z "$images" ] || docker rmi $images >/dev/null
[ -z "$containers$images" ] || echo removed

#!/bin/sh
# Keeps a file of Consul's with the running containers of this host that have the label "service", each at its own address, and
# has Consul read it whenever a container starts or ends. Consul then checks the container's label "port" by HTTP.
# Usage: registrator NETWORK FILE, with the Docker network of the addresses. Ends with Docker.
set -u
network=$1 file=$2

# A container without an address on the network is not registered.
# shellcheck disable=SC2016 # Docker's variables
format='{{$name := index (split .Name "/") 1}}{{$port := index .Config.Labels "port"}}{{with index .NetworkSettings.Networks "'$network'"}}{{if .IPAddress}}{
  "id": {{json $name}}, "name": {{json (index $.Config.Labels "service")}}, "address": {{json .IPAddress}}, "port": {{$port}},
  "check": {"http": "http://{{.IPAddress}}:{{$port}}/", "interval": "1s", "timeout": "2s"}
},{{end}}{{end}}'

register() {
  ids=$(docker ps --quiet --filter label=service --filter label=port) || return
  # shellcheck disable=SC2086 # one word per ID
  services=$([ -z "$ids" ] || docker inspect --format "$format" $ids)
  printf '{"services": [\n%s\n]}\n' "${services%,}" >"$file.new"
  if cmp -s "$file.new" "$file"; then
    rm "$file.new"
  else
    mv "$file.new" "$file"
    # While Consul starts it may already have read the old file.
    until consul reload; do sleep 1; done
  fi
}

docker events --since "$(date +%s)" --filter type=container --filter event=start --filter event=die --format '{{.Actor.ID}}' | {
  register
  while read -r _; do register; done
}

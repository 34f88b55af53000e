#!/bin/sh
# Builds a container image from the host's own Node.js and a program, unless it exists. Needs no registry.
# Usage: image.sh NAME TAG NODE <PROGRAM
# Prints "built" if it built one. Also tags it as latest.
set -eu
name=$1 tag=$2 node=$3

docker image inspect "$name:$tag" >/dev/null 2>&1 && exit

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/bin" "$tree/etc" "$tree/tmp"
cat >"$tree/program.js"
cp -L "$node" "$tree/bin/node"
# Libraries keep their paths, as do the parts of Debian's Node.js that are separate files.
ldd "$node" | grep -o '/[^ ]*' | xargs cp -L --parents -t "$tree"
[ ! -d /usr/share/nodejs ] || cp -r --parents -t "$tree" /usr/share/nodejs
tar -C "$tree" -c . | docker import --change 'CMD ["node", "/program.js"]' - "$name:$tag" >/dev/null
docker tag "$name:$tag" "$name"
echo built

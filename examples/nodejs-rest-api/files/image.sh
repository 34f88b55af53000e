#!/bin/sh
# Makes a container image of the host's own Node and a program, unless it is there: no registry is needed for it.
# Usage: image.sh NAME TAG NODE <PROGRAM
# Says "made" where it made one. The tag latest is put on it, too.
set -eu
name=$1 tag=$2 node=$3

docker image inspect "$name:$tag" >/dev/null 2>&1 && exit

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/bin" "$tree/etc" "$tree/tmp"
cat >"$tree/program.js"
cp -L "$node" "$tree/bin/node"
# Libraries stay where they are looked for, and so do the parts that Debian's Node has in files of their own.
ldd "$node" | grep -o '/[^ ]*' | xargs cp -L --parents -t "$tree"
[ ! -d /usr/share/nodejs ] || cp -r --parents -t "$tree" /usr/share/nodejs
tar -C "$tree" -c . | docker import --change 'CMD ["node", "/program.js"]' - "$name:$tag" >/dev/null
docker tag "$name:$tag" "$name"
echo made

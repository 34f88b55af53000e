import type { Machine } from "./machine";

const IMAGE = "busybox:local";

// Hosts can't pull images. The applets are links, so that "docker run IMAGE httpd" works; wget is left out, as the static
// one crashes when it looks a name up.
const MAKE = `
set -eu
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/bin" "$tree/etc" "$tree/tmp" "$tree/www"
cp /bin/busybox "$tree/bin/"
for applet in $(/bin/busybox --list); do
  case $applet in busybox | wget) ;; *) ln -s busybox "$tree/bin/$applet" ;; esac
done
echo 'root:x:0:0:root:/:/bin/sh' >"$tree/etc/passwd"
echo hello >"$tree/www/index.html"
tar -C "$tree" -c . | docker import --change 'CMD ["sh"]' - "$1" >/dev/null
`;

/** Makes a small image of the host's own static busybox, unless it is there, and returns its name. */
export async function busyboxImage(host: Machine): Promise<string> {
  const { status } = await host.exec(["docker", "image", "inspect", IMAGE], { check: false });
  if (status !== 0) await host.exec(["sh", "-c", MAKE, "sh", IMAGE]);
  return IMAGE;
}

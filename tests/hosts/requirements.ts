import { accessSync, constants, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run";

// The programs that the test hosts are made with, and the Debian package of each.
const PROGRAMS: Readonly<Record<string, string>> = {
  chroot: "coreutils",
  flock: "util-linux",
  ip: "iproute2",
  mmdebstrap: "mmdebstrap",
  mount: "mount",
  nc: "netcat-openbsd",
  nsenter: "util-linux",
  setpriv: "util-linux",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
  sysctl: "procps",
  unshare: "util-linux",
};

/** What virtual machines are made with beside these. */
const VIRTUAL_PROGRAMS: Readonly<Record<string, string>> = {
  mke2fs: "e2fsprogs",
  "qemu-system-x86_64": "qemu-system-x86",
  tar: "tar",
};

// Kernel modules that hosts use and can't load, as a module loads into the machine's kernel. The kernel itself loads
// those that programs ask for by what they are for; these are the ones that nothing would.
const MODULES = ["overlay", "br_netfilter"];

/** Throws, saying what to do, when this process or this machine can't make test hosts or, if asked for, virtual machines. */
export function requireMachine({ virtual }: { virtual: boolean }): void {
  if (process.getuid?.() !== 0) throw new Error("test hosts are made of namespaces and mounts: run this as root");
  const programs = { ...PROGRAMS, ...(virtual && VIRTUAL_PROGRAMS) };
  const missing = Object.keys(programs).filter((program) => !isInPath(program));
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((program) => programs[program]))].join(" ");
    throw new Error(`test hosts need ${missing.join(", ")}: run "apt-get install ${packages}"`);
  }
}

/** Loads the kernel modules that hosts need and can't load themselves. A kernel that has them built in is fine. */
export async function loadModules(): Promise<void> {
  if (isInPath("modprobe")) await run(["modprobe", "--quiet", "--all", ...MODULES], { check: false });
}

// Each host's systemd and its services take some eight of the inotify instances that the kernel allows a user, 128 in all
// by default; a host that gets none fails in odd ways.
const INOTIFY_LIMIT = "/proc/sys/fs/inotify/max_user_instances";
const INOTIFY_INSTANCES = 10;

/** Has the kernel allow as many inotify instances as so many hosts take, until the machine's next boot. Throws where it can't. */
export function allowHosts(count: number): void {
  const needed = count * INOTIFY_INSTANCES;
  if (Number(readFileSync(INOTIFY_LIMIT, "utf8")) >= needed) return;
  try {
    writeFileSync(INOTIFY_LIMIT, String(needed));
  } catch (error) {
    throw new Error(`${count} test hosts need ${INOTIFY_LIMIT} to be ${needed}: ${(error as Error).message}`);
  }
}

function isInPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(":").some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

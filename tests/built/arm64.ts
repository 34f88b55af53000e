import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { downloaded } from "./downloads";

/** Debian's packages of an emulator for arm64's programs, and of the libraries that Node.js for arm64 is linked to. */
const PACKAGES = ["qemu-user-static", "libc6-arm64-cross", "libgcc-s1-arm64-cross", "libstdc++6-arm64-cross"];
const FILES = ["./usr/bin/qemu-aarch64-static", "./usr/aarch64-linux-gnu/lib"];

/** How a program for arm64 is run where `directory`, which arm64Emulator() returns, is `at` this path. */
export function onArm64(at: string, program: string): string[] {
  return [`${at}/usr/bin/qemu-aarch64-static`, "-L", `${at}/usr/aarch64-linux-gnu`, program];
}

/**
 * Returns the directory of the emulator and libraries, which come from apt, once. They are not installed: the emulator's package could
 * have the machine's kernel run arm64's programs everywhere, and what must fail without it would not.
 */
export function arm64Emulator(): string {
  return downloaded("arm64", (directory) => {
    console.error("Getting an emulator for arm64 from apt, once …");
    const apt = (...args: string[]): void => {
      execFileSync("apt-get", ["--quiet", ...args], { cwd: directory, stdio: ["ignore", "ignore", "pipe"] });
    };
    try {
      apt("download", ...PACKAGES);
    } catch {
      // The lists may be older than the packages.
      apt("update");
      apt("download", ...PACKAGES);
    }
    for (const name of readdirSync(directory)) {
      const unpack = 'dpkg-deb --fsys-tarfile "$1" | tar -x --wildcards "$2*" "$3*" 2>/dev/null; rm "$1"';
      execFileSync("sh", ["-c", unpack, "sh", name, ...FILES], { cwd: directory });
    }
  });
}

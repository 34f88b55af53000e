import type { Output } from "./run";

/** What tests do on a host, whatever it is made of: namespaces of this machine, or a virtual machine. */
export interface Machine {
  readonly name: string;
  readonly number: number;
  /** Its address on the cluster's underlay. */
  readonly address: string;
  /** Runs a program on the host as root. Throws when the host is off or the program takes too long and, unless `check` is false, when it fails. */
  exec(
    argv: readonly string[],
    options?: { input?: string; timeoutSeconds?: number; check?: boolean },
  ): Promise<Output>;
  /** The content of a file of the host. Throws when there is none. */
  read(path: string): Promise<string>;
}

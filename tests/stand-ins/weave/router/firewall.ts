/**
 * The rules that the 2.x router keeps in the host's tables, as net/bridge.go (ConfigureIPTables), net/expose.go and
 * net/iptables.go (MonitorForIptablesFlush) of v2.8.1. They stay when the router ends.
 */
import { run } from "./bridge";
import { log, splitHostPort } from "./text";

/** How often the router looks whether its rules are still there. */
const CANARY_MILLISECONDS = 10_000;

export interface FirewallSettings {
  bridge: string;
  dockerBridge: string | undefined;
  port: number;
  httpAddress: string | undefined;
  /** "nft" or "legacy": up to 2.8 the image's iptables writes into the legacy tables. */
  backend: string;
}

export class Firewall {
  private readonly program: string;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly settings: FirewallSettings) {
    this.program = iptablesOf(settings.backend);
  }

  /** Writes all rules, with those for the bridge's present addresses, and goes on to look after them. */
  start(): void {
    this.clear("filter", "WEAVE-EXPOSE");
    this.clear("nat", "WEAVE");
    this.configure();
    this.plantCanaries();
    this.timer = setInterval(() => {
      if (this.try("mangle", "-S", "WEAVE-CANARY")) return;
      log("INFO", "iptables canary mangle/WEAVE-CANARY deleted");
      log("INFO", "Reloading after iptables flush");
      this.configure();
      this.plantCanaries();
    }, CANARY_MILLISECONDS);
    this.timer.unref();
  }

  /** Adds an address to the bridge, and what lets containers behind it reach the rest and be reached. */
  expose(cidr: string, masquerade: boolean): void {
    try {
      run("ip", "addr", "add", cidr, "dev", this.settings.bridge);
    } catch (error) {
      if (!/File exists|already assigned/.test(String(error))) throw error;
    }
    if (masquerade) {
      this.append("nat", "WEAVE", `-s ${cidr} -d 224.0.0.0/4 -j RETURN`);
      this.append("nat", "WEAVE", `! -s ${cidr} -d ${cidr} -j MASQUERADE`);
      this.append("nat", "WEAVE", `-s ${cidr} ! -d ${cidr} -j MASQUERADE`);
    }
    this.append("filter", "WEAVE-EXPOSE", `-d ${cidr} -j ACCEPT`);
  }

  private configure(): void {
    const { bridge, dockerBridge, port, httpAddress } = this.settings;
    const forward: string[] = [];
    if (dockerBridge !== undefined) {
      if (dockerBridge !== bridge) forward.push(`-i ${dockerBridge} -o ${bridge} -j DROP`);
      const [address] = addresses(dockerBridge);
      if (address === undefined) throw new Error("Bridge has no IP address");
      const to = `-i ${dockerBridge} -d ${address.split("/")[0]}`;
      this.append("filter", "INPUT", `${to} -p tcp --dport ${port} -j DROP`);
      this.append("filter", "INPUT", `${to} -p udp --dport ${port} -j DROP`);
      this.append("filter", "INPUT", `${to} -p udp --dport ${port + 1} -j DROP`);
      this.append("filter", "INPUT", `-i ${dockerBridge} -p udp --dport 53 -j ACCEPT`);
      this.append("filter", "INPUT", `-i ${dockerBridge} -p tcp --dport 53 -j ACCEPT`);
    }
    if (httpAddress !== undefined) {
      const { port: control } = splitHostPort(httpAddress);
      this.append(
        "filter",
        "INPUT",
        `-p tcp -d 127.0.0.1 --dport ${control} -m addrtype ! --src-type LOCAL -m conntrack ! --ctstate RELATED,ESTABLISHED -m comment --comment`,
        "Block non-local access to Weave Net control port",
        "-j DROP",
      );
    }
    this.ensureChain("filter", "WEAVE-EXPOSE");
    forward.push(
      `-i ${bridge} -o ${bridge} -j ACCEPT`,
      `-o ${bridge} -j WEAVE-EXPOSE`,
      `-i ${bridge} ! -o ${bridge} -j ACCEPT`,
      `-o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    );
    if (!forward.every((rule) => this.try("filter", "-C", "FORWARD", ...rule.split(" ")))) {
      forward.forEach((rule, index) => {
        this.try("filter", "-D", "FORWARD", ...rule.split(" "));
        this.run("filter", "-I", "FORWARD", String(index + 1), ...rule.split(" "));
      });
    }
    this.ensureChain("nat", "WEAVE");
    this.append("nat", "POSTROUTING", "-j WEAVE");
    for (const cidr of addresses(bridge)) {
      log("INFO", `Re-exposing ${cidr} on bridge "${bridge}"`);
      this.expose(cidr, true);
    }
  }

  private plantCanaries(): void {
    for (const table of ["mangle", "nat", "filter"]) this.ensureChain(table, "WEAVE-CANARY");
  }

  private clear(table: string, chain: string): void {
    this.ensureChain(table, chain);
    this.run(table, "-F", chain);
  }

  private ensureChain(table: string, chain: string): void {
    if (!this.try(table, "-S", chain)) this.run(table, "-N", chain);
  }

  /** Appends a rule unless it is there; `parts` are words, but a comment, which is one of them, may have spaces. */
  private append(table: string, chain: string, ...parts: string[]): void {
    const rule = parts.flatMap((part) => (/^-|^!/.test(part) ? part.split(" ") : part));
    if (!this.try(table, "-C", chain, ...rule)) this.run(table, "-A", chain, ...rule);
  }

  private run(table: string, ...args: string[]): void {
    run(this.program, "-w", "-t", table, ...args);
  }

  private try(table: string, ...args: string[]): boolean {
    try {
      this.run(table, ...args);
      return true;
    } catch {
      return false;
    }
  }
}

/** The program that writes into the tables of `backend`; the host's own if its kernel has no such tables. */
export function iptablesOf(backend: string): string {
  try {
    run(`iptables-${backend}`, "-S");
    return `iptables-${backend}`;
  } catch {
    return "iptables";
  }
}

/** The IPv4 addresses of a device, as CIDRs. */
export function addresses(device: string): string[] {
  return [...run("ip", "-o", "-4", "addr", "show", "dev", device).matchAll(/ inet (\S+)/g)].map(
    (match) => match[1] ?? "",
  );
}

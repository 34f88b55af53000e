import { Refusal } from "../core/refusal";
import { type DockerFlags, parseDockerFlags, sameValues, strayWords } from "../formats/docker_flags";
import { splitWords } from "../formats/words";
import { contains, ipv4Network, networkOf } from "../network/ipv4";
import type { DockerOptions } from "./options";

/**
 * Takes the module's options; returns the options that dockerd is to have, by their long names. Throws a Refusal where
 * `opts` can't be read, or says something else than an option of its own name.
 */
export function wantedFlags(options: DockerOptions): DockerFlags {
  const words = splitWords(options.opts);
  const raw = parseDockerFlags(words);
  const [stray] = strayWords(words);
  if (stray) {
    const what = parseDockerFlags([stray]).size > 0 ? "lacks its value" : "is no option of dockerd";
    throw new Refusal(`opts: "${stray.raw}" ${what}; write options as --name=value`);
  }
  const unsafe = [...raw.values()].flat().find((value) => /[^\x21-\x7e]|["'\\$`]/.test(value));
  if (unsafe !== undefined) {
    throw new Refusal(
      `opts: the value ${JSON.stringify(unsafe)} has white space, quotes, "\\", "$" or a letter beyond ASCII in it; give dockerd that option in daemon.json`,
    );
  }
  const flags = new Map(raw);
  for (const [name, values] of named(options)) {
    const other = flags.get(name);
    if (other && !sameValues(other, values)) {
      throw new Refusal(
        `opts: --${name} is ${other.join(", ")} there and ${values.join(", ")} by its own name; give it once`,
      );
    }
    flags.set(name, values);
  }
  return flags;
}

function named({
  bridge,
  fixed_cidr,
  dns,
  dns_search,
  mtu,
}: DockerOptions): [name: string, values: readonly string[]][] {
  const given: [string, readonly string[] | null][] = [
    ["bridge", bridge === null ? null : [bridge]],
    ["fixed-cidr", fixed_cidr === null ? null : [fixed_cidr]],
    ["dns", dns],
    ["dns-search", dns_search],
    ["mtu", mtu === null ? null : [String(mtu)]],
  ];
  return given.flatMap(([name, values]) => (values === null ? [] : [[name, values]]));
}

/** Throws a Refusal where containers would get addresses from outside the bridge's network. */
export function refuseForeignSubnet(flags: DockerFlags, bridgeAddress: string | null): void {
  const [subnet] = flags.get("fixed-cidr") ?? [];
  if (subnet === undefined) return;
  try {
    ipv4Network(subnet);
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(`fixed-cidr: ${error.message}`) : error;
  }
  if (bridgeAddress !== null && !contains(networkOf(bridgeAddress), subnet)) {
    throw new Refusal(
      `fixed_cidr: "${subnet}" is outside the bridge's network ${networkOf(bridgeAddress)} (its address is ${bridgeAddress}); ` +
        "dockerd would ignore it and give out addresses that other hosts use. Give a subnet of that network",
    );
  }
}

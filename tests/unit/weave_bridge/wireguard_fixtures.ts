import { parseWireguardDump } from "../../../modules/formats/wireguard";
import { resolveDesired } from "../../../modules/weave_bridge/desired";
import type { ObservedBridge, ObservedWireguard } from "../../../modules/weave_bridge/observed";
import type { BridgeOptions } from "../../../modules/weave_bridge/options";
import { wireguardPath } from "../../../modules/weave_bridge/own_files";
import { plan } from "../../../modules/weave_bridge/plan";
import { inWords } from "../support/changes";
import { userErrorOf } from "../support/user_error";
import { FRESH, vxlan } from "./fixtures";

/** What an encrypted VXLAN needs, hosts that have and lack it, and options that ask for one. */
export const NEEDS = { tools: true, implementation: "kernel", tun: true, ipv6: true, portHolder: null } as const;
export const HOST: ObservedBridge = { ...FRESH, wireguardNeeds: NEEDS };
export const PASSWORD = "correct horse battery staple";
export const encrypted = (more: Record<string, unknown> = {}): BridgeOptions => vxlan({ password: PASSWORD, ...more });
export const errorOf = (options: BridgeOptions, observed = HOST): string => userErrorOf(() => plan(options, observed));
export const needing = (needs: Partial<ObservedBridge["wireguardNeeds"]>): ObservedBridge => ({
  ...FRESH,
  wireguardNeeds: { ...NEEDS, ...needs },
});
export const PATH = wireguardPath("weave");

/** A host with the file and the device that these options ask for; `change` edits the device's dump. */
export function with_(options: BridgeOptions, change: (dump: string) => string = (dump) => dump): ObservedBridge {
  const { wireguard } = resolveDesired(options, HOST);
  if (wireguard === null) throw new Error("not encrypted");
  const { config, address, mtu } = wireguard;
  const rows = config.peers.map(({ publicKey, presharedKey, endpoint, allowedIps }) =>
    [publicKey, presharedKey ?? "(none)", endpoint, allowedIps.join(), "900", "1", "2", "off"].join("\t"),
  );
  const own = /public key (\S+)/.exec(plan(options, HOST).changes[2]?.after ?? "")?.[1];
  const dump = [[config.privateKey, own, config.port, "off"].join("\t"), ...rows].join("\n");
  const device: ObservedWireguard = {
    ...{ mac: "", mtu, up: true, master: null, addresses: [`${address}/64`], observedAt: 1000, byProgram: false },
    config: parseWireguardDump(change(dump)),
  };
  const content = plan(options, HOST).changes[0]?.actions[0];
  if (content?.do !== "write") throw new Error("no file is written");
  const files = new Map([...HOST.files, [PATH, { content: content.content, mode: 0o600 }]]);
  return { ...HOST, files, wireguard: device };
}

/** The changes of the WireGuard device, in words. */
export const about = (options: BridgeOptions, observed: ObservedBridge) =>
  inWords(plan(options, observed).changes).filter(({ subject }) => /wg|encryption/.test(subject));

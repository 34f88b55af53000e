import type { Change } from "../../../modules/core/change";
import { neededTraffic } from "../../../modules/weave_bridge/firewall/needed_traffic";
import type { ObservedFirewall } from "../../../modules/weave_bridge/firewall/observe";
import { type FirewallPlan, firewallsOf, planTraffic } from "../../../modules/weave_bridge/firewall/plan";

export const TUNNEL = { protocols: ["udp"], port: 4789, peers: ["192.168.50.12", "192.168.50.13"], inside: null };
export const ENDPOINT = { device: "eth0", address: "192.168.50.11" };
export const traffic = (tunnel: object = {}) =>
  neededTraffic("weave", "10.2.0.1/16", "10.2.0.0/16", { ...TUNNEL, ...tunnel });
export const NOTHING: ObservedFirewall = { tables: { ipv4: null, ipv6: null }, nft: null, ufw: null, firewalld: null };

export const table = (rules: readonly string[], policy = "DROP"): string =>
  ["*filter", `:INPUT ${policy} [0:0]`, `:FORWARD ${policy} [0:0]`, ...rules, "COMMIT", ""].join("\n");
export const iptables = (...rules: string[]): ObservedFirewall => ({
  ...NOTHING,
  tables: { ipv4: table(rules), ipv6: null },
});
export const plan = (observed: ObservedFirewall, manage = true, tunnel: object = {}): FirewallPlan =>
  planTraffic(
    firewallsOf("weave", observed, traffic(tunnel), ENDPOINT, true),
    traffic(tunnel),
    manage ? "manage" : "check",
  );
/** What `state: absent` plans. */
export const absence = (observed: ObservedFirewall): FirewallPlan =>
  planTraffic(firewallsOf("weave", observed, [], ENDPOINT, true), [], "manage");
export const commands = ({ changes }: { readonly changes: readonly Change[] }): string[] =>
  changes.flatMap(({ actions }) => actions.map((action) => ("argv" in action ? action.argv.join(" ") : "")));

export const PEER = (n: number): string =>
  `INPUT -s 192.168.50.${n} -p udp -m udp --dport 4789 -m comment --comment weave_bridge/weave/udp/4789/192.168.50.${n} -j ACCEPT`;
export const HOST =
  "INPUT -s 10.2.0.0/16 -d 10.2.0.1 -i weave -m comment --comment weave_bridge/weave/host/10.2.0.1/16 -j ACCEPT";
/** As iptables-save prints them (1.8.9). */
export const saved = (rule: string): string => `-A ${rule.replace(/(-[sd] [\d.]+) /g, "$1/32 ")}`;

/** How packets come to ufw's own chain (0.36.2). */
export const UFW_CHAINS = ["-A INPUT -j ufw-before-input", "-A ufw-before-input -j ufw-user-input"];

/** As `nft -j -t list ruleset` prints them (1.0.6). */
export const nft = (...rules: object[]): string =>
  JSON.stringify({
    nftables: [
      { metainfo: { version: "1.0.6" } },
      ...["input", "forward"].map((hook) => ({
        chain: {
          ...{ family: "inet", table: "filter", name: hook, handle: 1, type: "filter", hook, prio: 0, policy: "drop" },
        },
      })),
      ...rules.map((rule, index) => ({
        rule: { family: "inet", table: "filter", chain: "input", handle: index + 2, ...rule },
      })),
    ],
  });
export const match = (left: object, right: unknown): object => ({ match: { op: "==", left, right } });
export const field = (protocol: string, name: string): object => ({ payload: { protocol, field: name } });

/** As firewalld 1.3.3 writes the files of zones, and makes its chains for eth0 in a zone that is not the default one. */
export const firewalld = (rules: readonly string[], open: boolean, more: readonly object[] = []): ObservedFirewall => {
  const table = { family: "inet", table: "firewalld" };
  const chain = (name: string, hook: object = {}): object => ({ chain: { ...table, name, handle: 1, ...hook } });
  const hook = (name: string): object => ({ type: "filter", hook: name, prio: 10, policy: "drop" });
  const rule = (name: string, ...expr: object[]): object => ({ rule: { ...table, chain: name, handle: 2, expr } });
  const by = (device: string): object => match({ meta: { key: "iifname" } }, device);
  return {
    ...NOTHING,
    nft: JSON.stringify({
      nftables: [
        ...[chain("filter_INPUT", hook("input")), chain("filter_FORWARD", hook("forward"))],
        ...[chain("filter_INPUT_ZONES"), chain("filter_IN_internal"), chain("filter_IN_public")],
        rule("filter_INPUT", { jump: { target: "filter_INPUT_ZONES" } }),
        rule("filter_INPUT_ZONES", by("eth0"), { goto: { target: "filter_IN_internal" } }),
        rule("filter_INPUT_ZONES", { goto: { target: "filter_IN_public" } }),
        ...(open ? [rule("filter_IN_internal", match(field("udp", "dport"), 4789), { accept: null })] : []),
        ...more,
      ],
    }),
    firewalld: {
      defaultZone: "public",
      zones: new Map([
        [
          "docker",
          '<zone target="ACCEPT">\n  <short>docker</short>\n  <interface name="weave"/>\n  <forward/>\n</zone>\n',
        ],
        ["internal", `<zone>\n  <service name="ssh"/>\n${rules.join("")}  <forward/>\n</zone>\n`],
      ]),
    },
  };
};
export const richRule = (address: string, priority: string): string =>
  `  <rule family="ipv4" priority="${priority}">\n    <source address="${address}"/>\n    <port port="4789" protocol="udp"/>\n    <accept/>\n  </rule>\n`;

import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseIptablesSave } from "../../../modules/formats/iptables_save";
import { describeRouterRules, findRouterRules, removeRouterRules } from "../../../modules/weave_service/router_rules";
import { golden } from "./fixtures";

/**
 * What iptables-nft-save 1.8.9 printed on a host with Docker 20.10 and its own rules after the commands of the router 2.8.1
 * (net/bridge.go, net/iptables.go, net/expose.go).
 */
const SAVED = readFileSync(golden("iptables-nft-save.txt"), "utf8");

const removed = (saved: string, port = 6783): string[] => {
  const found = findRouterRules("iptables-nft", parseIptablesSave(saved), port);
  return found === null ? [] : removeRouterRules(found).map((argv) => argv.slice(2).join(" "));
};

/** The rules that are left, as iptables would keep them. */
function left(saved: string): string[] {
  const gone = removed(saved);
  return parseIptablesSave(saved).flatMap(({ name, chains, rules }) => [
    ...chains.filter((chain) => !gone.includes(`-t ${name} -X ${chain}`)).map((chain) => `${name} ${chain}`),
    ...rules.filter((rule) => {
      const index = gone.indexOf(`-t ${name} ${rule.replace("-A", "-D").replace(/"((?:\\.|[^"])*)"/g, "$1")}`);
      if (index >= 0) gone.splice(index, 1);
      return index < 0;
    }),
  ]);
}

test("all that the router has made goes, and nothing of others", () => {
  const rest = left(SAVED).join("\n");
  assert.not.match(rest, /WEAVE|weave|678[34]/);
  assert.match(rest, '-A INPUT -i docker0 -p tcp -m tcp --dport 53 -m comment --comment "own \\"x\\" rule" -j ACCEPT');
  assert.match(rest, "-A INPUT -i eth0 -p udp -m udp --dport 53 -j ACCEPT");
  for (const dockers of SAVED.split("\n").filter((line) => /^-A .*DOCKER|^-A .* docker0 ! -o|MASQUERADE/.test(line))) {
    assert.is(rest.includes(dockers), !/WEAVE/.test(dockers), dockers);
  }
  assert.not.match(rest, "-A INPUT -i docker0 -p udp");
});

test("a chain is removed after the rules that use it, and words in quotes stay one word", () => {
  const commands = removed(SAVED);
  assert.ok(commands.indexOf("-t nat -X WEAVE") > commands.indexOf("-t nat -D POSTROUTING -j WEAVE"));
  const found = findRouterRules("iptables-legacy", parseIptablesSave(SAVED), 6783);
  const argv = (found ? removeRouterRules(found) : []).find((words) =>
    words.includes("Block non-local access to Weave Net control port"),
  );
  assert.equal(argv?.slice(0, 6), ["iptables-legacy", "-w", "-t", "filter", "-D", "INPUT"]);
  assert.match(found ? describeRouterRules(found) : "", "filter: chain WEAVE-EXPOSE\n");
});

test("rules that Docker makes for its bridge weave as well are left to it", () => {
  const shared = [
    "-A FORWARD -i weave -o weave -j ACCEPT",
    "-A FORWARD -i weave ! -o weave -j ACCEPT",
    "-A FORWARD -o weave -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
  ];
  const saved = (dockers: readonly string[]): string =>
    ["*filter", ":WEAVE-EXPOSE - [0:0]", "-A FORWARD -o weave -j WEAVE-EXPOSE", ...shared, ...dockers, "COMMIT\n"].join(
      "\n",
    );
  assert.equal(left(saved(["-A FORWARD -o weave -j DOCKER"])).slice(0, -1), shared);
  assert.equal(left(saved([...shared, "-A FORWARD -o weave -j DOCKER"])).slice(0, -1), shared);
  assert.equal(left(saved([])), []);
});

test("without one of the router's chains, no rule that others may have made is treated as the router's", () => {
  const rules = [
    "-A INPUT -i docker0 -p udp -m udp --dport 53 -j ACCEPT",
    "-A INPUT -p tcp -m tcp --dport 6783 -j ACCEPT",
    "-A FORWARD -i weave -o weave -m comment --comment weave_bridge -j ACCEPT",
    "-A FORWARD -i weave -o weave -j ACCEPT",
    "-A WEAVE-HOUSE -j DROP",
  ];
  assert.equal(removed(["*filter", ":WEAVE-HOUSE - [0:0]", ...rules, "COMMIT", ""].join("\n")), []);
});

test("a chain of a similar name, or in a table where the router has none, is somebody else's", () => {
  const table = (name: string, ...chains: string[]): string[] => [
    `*${name}`,
    ...chains.map((chain) => `:${chain} - [0:0]`),
    ...chains.flatMap((chain) => [`-A INPUT -j ${chain}`, `-A ${chain} -j RETURN`]),
    "COMMIT",
  ];
  const ofOthers = [
    ...table("nat", "WEAVE-EXPOSE", "WEAVE-NPC", "WEAVE-MINE", "weave"),
    ...table("filter", "WEAVE", "WEAVE-", "WEAVE-NPC-MINE", "WEAVE-CANARY-2", "WEAVEWORKS", "WEAVE-IPSEC-OUT"),
    ...table("mangle", "WEAVE", "WEAVE-EXPOSE", "WEAVE-IPSEC"),
    ...table("raw", "WEAVE", "WEAVE-CANARY"),
  ];
  assert.equal(removed([...ofOthers, ""].join("\n")), []);
  const npc = ["", "-DEFAULT", "-INGRESS", "-EGRESS", "-EGRESS-DEFAULT", "-EGRESS-CUSTOM", "-EGRESS-ACCEPT"];
  const ipsec = ["IN", "IN-MARK", "OUT", "OUT-MARK"].map((chain) => `WEAVE-IPSEC-${chain}`);
  const own = [
    ...table("nat", "WEAVE", "WEAVE-CANARY"),
    ...table("filter", "WEAVE-EXPOSE", "WEAVE-CANARY", "WEAVE-IPSEC-IN", ...npc.map((chain) => `WEAVE-NPC${chain}`)),
    ...table("mangle", "WEAVE-CANARY", ...ipsec),
  ];
  assert.equal(left([...own, ""].join("\n")), []);
});

test("the rules for the router's ports are those of the port that it was launched with", () => {
  const rules = ["tcp -m tcp --dport 7000", "udp -m udp --dport 7000", "udp -m udp --dport 7001"].map(
    (words) => `-A INPUT -d 172.17.0.1/32 -i docker0 -p ${words} -j DROP`,
  );
  const dns = "-A INPUT -i docker0 -p udp -m udp --dport 53 -j ACCEPT";
  const saved = ["*filter", ":WEAVE-EXPOSE - [0:0]", ...rules, dns, "COMMIT", ""].join("\n");
  assert.equal(left(saved.replaceAll(":WEAVE-EXPOSE - [0:0]\n", "")), [...rules, dns]);
  assert.is(removed(saved, 7000).length, 5);
  // An interrupted removal is finished.
  assert.is(removed(saved.replace(`${rules[0]}\n`, ""), 7000).length, 4);
});

test.run();

import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contains } from "../../modules/net/ipv4";
import { capture } from "../e2e/capture";
import { differences, fingerprint } from "../e2e/fingerprint";
import { changedTasks, type PlaybookRun } from "../e2e/playbook";
import { findServices, reachAll, type Service, startServices } from "../e2e/services";
import { Cluster } from "../hosts/cluster";
import { article } from "./article";
import { detail, heading, passed, showDiff, showMatrix } from "./screen";
import { ClaimFailed, expectThat, play } from "./steps";

/** `npm run demo`: three fresh hosts, provisioned by site.yml, and what they can do then. Exits 0 only if all of it passed. */
const HOSTS = 3;
/** Runs of several checkouts on one machine get their own by this variable. */
const CLUSTER = process.env["DEMO_CLUSTER"] ?? "demo";
const OPTIONS = ["--keep", "--article", "--encrypted"];
const SERVICES = 2;
const CAPTURE_SECONDS = 5;
/** WireGuard makes a new session if a peer has been silent for so long (KEEPALIVE_TIMEOUT and REKEY_TIMEOUT), and some to spare. */
const NEW_SESSION_SECONDS = 20;
const PLAY = ["site.yml", "--extra-vars", "weave_datapath=vxlan"];
/** With --encrypted; a password on a command line would be in the process list. */
const PASSWORD_FILE = join(tmpdir(), `apollo-weave-demo-${process.pid}.json`);
/** What every page's transfer begins with, unencrypted. */
const CLEAR_TEXT = "HTTP/1.";

async function demo(cluster: Cluster): Promise<void> {
  const fresh = await Promise.all(cluster.hosts.map(fingerprint));

  heading(`1. ansible-playbook ${PLAY.join(" ")} --check --diff`);
  const check = await play(cluster, [...PLAY, "--check", "--diff"]);
  showPlan(check, cluster);
  const checked = await Promise.all(cluster.hosts.map(fingerprint));
  const touched = fresh.flatMap((before, index) => differences(before, checked[index] ?? ""));
  expectThat(touched.length === 0, "the check changed nothing on any host", touched.join("\n"));

  heading(`2. ansible-playbook ${PLAY.join(" ")}`);
  const run = await play(cluster, PLAY);
  const planned = changedTasks(check).sort();
  const made = changedTasks(run).sort();
  expectThat(
    planned.join() === made.join(),
    `the run made the ${made.length} changes that the check had announced`,
    made.join("; "),
  );

  heading("3. the same again");
  const again = await play(cluster, PLAY);
  expectThat(changedTasks(again).length === 0, "changed=0 on all hosts", changedTasks(again).join("; "));

  heading(
    `4. ${SERVICES} services on each host, all on port 8080: docker run --detach --name apollo1-a … httpd -p 8080`,
  );
  await startServices(cluster, SERVICES);
  await matrix(cluster);

  if (isEncrypted()) await captureTraffic(cluster);

  heading("5. reboot of apollo2, with a new network namespace");
  await cluster.host("apollo2").reboot();
  passed("apollo2 is up again; its bridge, Docker and containers came back by themselves");
  if (isEncrypted()) detail(`the others may use their former sessions for up to ${NEW_SESSION_SECONDS} s`);
  await matrix(cluster, isEncrypted() ? NEW_SESSION_SECONDS : 0);
}

const isEncrypted = (): boolean => PLAY.includes(`@${PASSWORD_FILE}`);

/** The first host's whole plan, the others' in a line, as they differ only in their addresses. */
function showPlan(check: PlaybookRun, { hosts }: Cluster): void {
  const [first, ...others] = hosts.map(({ name }) => name);
  for (const { host, task, result } of check.results.filter((candidate) => candidate.result.changed)) {
    if (host !== first) continue;
    detail(`${host}: ${task.replace("weave : ", "")}`);
    for (const diff of [result.diff ?? []].flat()) if (diff.after_header !== undefined) showDiff(diff);
  }
  for (const name of others) {
    const changes = check.results.filter(({ host, result }) => host === name && result.changed);
    const subjects = changes.flatMap(({ result }) =>
      [result.diff ?? []].flat().flatMap(({ after_header }) => after_header ?? []),
    );
    detail(`${name}: the same with its own addresses (${subjects.join(", ")})`);
  }
}

/** Shows which paths work, once all do or so many seconds have passed. */
async function matrix(cluster: Cluster, seconds = 0): Promise<void> {
  const end = Date.now() + seconds * 1000;
  const services = await findServices(cluster, SERVICES);
  let reached = await reachAll(cluster, services);
  while (Date.now() < end && reached.some(({ ok }) => !ok)) reached = await reachAll(cluster, services);
  showMatrix(services, reached);
  const blocked = reached.filter(({ ok }) => !ok).map(({ from, to }) => `${from} → ${to.name}`);
  expectThat(
    blocked.length === 0,
    `${reached.length} of ${reached.length} paths work, by IP and port, across hosts`,
    blocked.join("; "),
  );
  const misplaced = services
    .filter((service) => !inItsSubnet(service))
    .map(({ name, address }) => `${name} ${address}`);
  expectThat(
    misplaced.length === 0,
    "every container's address is in its own host's subnet 10.2.N.0/24",
    misplaced.join("; "),
  );
}

/** Captures what an eavesdropper on the wire between the hosts would see while all services are fetched. */
async function captureTraffic(cluster: Cluster): Promise<void> {
  const [host] = cluster.hosts;
  if (host === undefined) return;
  const services = await findServices(cluster, SERVICES);
  const fetchAll = (): Promise<unknown> => reachAll(cluster, services);
  const inside = await capture(host, "weave-vx", CAPTURE_SECONDS, [CLEAR_TEXT], fetchAll);
  const outside = await capture(host, "eth0", CAPTURE_SECONDS, [CLEAR_TEXT], fetchAll);
  detail(`captured in the VXLAN, inside WireGuard: ${inside.texts[CLEAR_TEXT]} frames with HTTP in the clear`);
  detail(`captured on ${host.name}'s eth0: ${outside.ports["51820"] ?? 0} packets of WireGuard (UDP port 51820)`);
  const leaks = [outside.texts[CLEAR_TEXT] ?? 0, outside.ports["4789"] ?? 0];
  expectThat(
    (inside.texts[CLEAR_TEXT] ?? 0) > 0 && (outside.ports["51820"] ?? 0) > 0 && leaks.every((count) => count === 0),
    "of the same HTTP, no frame between the hosts has a text in the clear, and none is of an unencrypted VXLAN (UDP port 4789)",
    `${leaks[0]} frames have HTTP in the clear, ${leaks[1]} are of a VXLAN`,
  );
}

function inItsSubnet({ host, address }: Service): boolean {
  return contains(`10.2.${host.number}.0/24`, address);
}

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  if (words.some((word) => !OPTIONS.includes(word))) {
    throw new ClaimFailed(
      `npm run demo takes --keep, which leaves the hosts up, --article, which plays Apollo's article, and --encrypted, which sets a ` +
        `password; got ${words.join(" ")}`,
    );
  }
  const [keep, plays, encrypts] = OPTIONS.map((option) => words.includes(option));
  if (plays && encrypts) throw new ClaimFailed("npm run demo takes one of --article and --encrypted; got both");
  if (encrypts) {
    const password = randomBytes(24).toString("base64");
    writeFileSync(PASSWORD_FILE, JSON.stringify({ weave_password: password }), { mode: 0o600 });
    process.once("exit", () => rmSync(PASSWORD_FILE, { force: true }));
    PLAY.push("--extra-vars", `@${PASSWORD_FILE}`);
  }
  heading(`${HOSTS} hosts, each with its own systemd, Docker and SSH server`);
  const cluster = await Cluster.up(CLUSTER, HOSTS, { log: detail });
  cluster.tearDownOnSignals();
  passed(`${cluster.hosts.map(({ name, address }) => `${name} ${address}`).join(", ")}`);
  try {
    await (plays ? article(cluster, keep === true) : demo(cluster));
    heading("All of it passed.");
  } finally {
    if (!keep) {
      await cluster.down();
      detail("The hosts are taken down; nothing of them is left.");
    } else
      detail(
        `The hosts are left up. Look around with: npm run hosts -- exec --cluster ${CLUSTER} apollo1 -- docker ps; end them with: npm run hosts -- down --cluster ${CLUSTER}`,
      );
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof ClaimFailed ? `\n✗ ${error.message}` : error);
  process.exitCode = 1;
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { differences, fingerprint } from "./fingerprint";
import { bootHosts } from "./hosts";
import { ansiblePlaybook, changedTasks, type PlaybookRun, ROOT } from "./playbook";
import { startServices } from "./services";

const test = suite("playbooks/verify.yml");
let cluster: Cluster;
let first: Host;
let second: Host;

const verify = (...args: string[]): Promise<PlaybookRun> =>
  ansiblePlaybook(cluster.inventory, ["playbooks/verify.yml", ...args]);

/** The lines that a task printed by its `msg`. */
function lines(run: PlaybookRun, task: string): string[] {
  const shown = run.results.find((result) => result.task.includes(task) && result.outcome !== "skipped");
  return (shown?.result["msg"] as unknown as string[] | undefined) ?? [];
}

const table = (run: PlaybookRun): string[] => lines(run, "Show who reaches whom");
const problems = (run: PlaybookRun): string[] => lines(run, "Say what does not get through");

/** The table's cells by the names of row and column, as in "apollo1: apollo1-a > apollo2". */
function cells(run: PlaybookRun): Map<string, string> {
  const names = new Map<string, string>();
  const found = new Map<string, string>();
  let columns: string[] = [];
  for (const line of table(run)) {
    const legend = /^ ?(\d+) {2}[\d.]+ +(\S.*)$/.exec(line);
    if (legend?.[1] && legend[2]) names.set(legend[1], legend[2]);
    const [name = "", ...row] = line.split(/ {2,}/);
    if (name === "from, to") columns = row;
    else if (columns.length > 0 && row.length > 0) {
      row.forEach((cell, index) => {
        found.set(`${name} > ${names.get(columns[index] ?? "")}`, cell);
      });
    }
  }
  return found;
}

/** The page, which goes where ansible-playbook is started. */
const page = (): string => readFileSync(join(ROOT, "report.html"), "utf8");

const misses = (run: PlaybookRun): string[] =>
  [...cells(run)].filter(([, cell]) => cell === "MISS").map(([way]) => way);

function assertAllOpen(run: PlaybookRun, ways: number): void {
  assert.is(run.status, 0, run.output);
  const tried = [...cells(run).values()].filter((cell) => cell !== "-");
  assert.is(tried.length, ways, run.output);
  for (const cell of tried) assert.match(cell, /^ok \d+(\.\d+)?$/);
  assert.match(table(run).join("\n"), `${ways} of ${ways} ways are open`);
  assert.equal(problems(run), []);
}

/** Whether a fingerprint's line is of where a bridge has seen a sender: any frame that passes adds one. */
const isLearned = (line: string): boolean => /^[+-] [0-9a-f:]{17} dev /.test(line) && !line.includes("permanent");

/** Breaks something for one run, and mends it. */
async function broken(host: Host, breaks: string, mends: string, ...args: string[]): Promise<PlaybookRun> {
  await host.exec(["sh", "-c", breaks]);
  try {
    const run = await verify(...args);
    assert.is.not(run.status, 0, run.output);
    return run;
  } finally {
    await host.exec(["sh", "-c", mends]);
  }
}

test.before(async () => {
  cluster = await bootHosts(3);
  [first, second] = [cluster.host("apollo1"), cluster.host("apollo2")];
  const run = await ansiblePlaybook(cluster.inventory, ["site.yml", "--extra-vars", "weave_datapath=vxlan"]);
  assert.is(run.status, 0, run.output);
  await startServices({ hosts: [first, second] }, 2);
});
test.after(() => cluster.down());

test("every way is open, from hosts and from containers, and nothing is changed", async () => {
  const before = await Promise.all(cluster.hosts.map(fingerprint));
  const run = await verify();
  // Three hosts and two containers as sources; of seven addresses each tries those of the other hosts.
  assertAllOpen(run, 22);
  assert.match(table(run).join("\n"), "apollo3: no container that runs is on the network");
  const written = page();
  assert.match(written, "All 22 ways are open");
  assert.match(written, "subnet 10.2.1.0/24");
  assert.is(written.match(/<td>2 of 2<\/td>/g)?.length, 3, "each has a tunnel to both others");
  assertAllOpen(await verify("--check", "--extra-vars", "weave_verify_report=/nowhere/report.html"), 22);
  assert.equal(changedTasks(run), []);
  const after = await Promise.all(cluster.hosts.map(fingerprint));
  const changes = before.flatMap((text, index) => differences(text, after[index] ?? ""));
  assert.equal(
    changes.filter((line) => !isLearned(line)),
    [],
  );
});

test("with a limit, only the sources are fewer", async () => {
  const run = await verify("--limit", "apollo1");
  assertAllOpen(run, 8);
  assert.equal(
    [...new Set([...cells(run).keys()].map((way) => way.split(" > ")[0]))],
    ["apollo1", "apollo1: apollo1-a"],
  );
});

test("a plain user may run it who may become root, without pipelining too", async () => {
  const make = `useradd --create-home --shell /bin/bash plain
    echo 'plain ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/plain
    echo 'echo Welcome; printf "no line feed"' >/home/plain/.bashrc
    install -d -o plain -m 700 /home/plain/.ssh
    install -o plain -m 600 /root/.ssh/authorized_keys /home/plain/.ssh/`;
  await Promise.all(cluster.hosts.map((host) => host.exec(["sh", "-c", make])));
  const asPlain = ["--extra-vars", "ansible_user=plain ansible_pipelining=false"];
  assertAllOpen(await verify(...asPlain), 22);

  // Who may not is told so by the host's name, also where sudo refuses the password itself.
  for (const password of ["", " ansible_become_password=wrong"]) {
    const vars = ["--extra-vars", `ansible_user=plain ansible_pipelining=false${password}`];
    const run = await broken(first, "rm /etc/sudoers.d/plain", make.replace(/^.*\n/, ""), ...vars);
    assert.match(
      problems(run).join("\n"),
      /apollo1 \(192\.168\.50\.11\) could not be asked: .*(password|sudo|privilege)/i,
    );
    assert.equal(misses(run), []);
  }
});

test("a group without hosts is refused, here and by site.yml, with the oldest Ansible and the newest", async () => {
  for (const ansible of ["oldest", "newest"] as const) {
    for (const playbook of ["playbooks/verify.yml", "site.yml"]) {
      const args = [playbook, "--extra-vars", "weave_server_group=nobody"];
      const { status, output, results } = await ansiblePlaybook(cluster.inventory, args, { ansible });
      assert.is.not(status, 0, output);
      assert.match(output, "weave_server_group: the inventory has no hosts in the group nobody; put them there, or");
      assert.equal(results, []);
    }
  }
});

test("a firewall that drops the VXLAN is told by its two hosts and the port", async () => {
  const rule = "OUTPUT -p udp --dport 4789 -d 192.168.50.12 -j DROP";
  const run = await broken(first, `iptables -I ${rule}`, `iptables -D ${rule}`);
  const told = problems(run).join("\n");
  assert.match(told, "apollo1 does not reach apollo2 and its containers (10.2.0.2, 10.2.2.");
  assert.match(told, "apollo2's container apollo2-a does not reach apollo1 and its containers");
  assert.match(told, "Between apollo1 (192.168.50.11) and apollo2 (192.168.50.12): is UDP port 4789 open");
  assert.not.match(told, "apollo3");
  assert.is(misses(run).length, 12, "both containers and the bridge, from two sources, in both directions");
  assert.match(page(), "12 of 22 ways are closed");
  assert.match(page(), "apollo1 and apollo2: no way is open of 12");
});

test("a bridge that is down is told, and with it the ways that are missed, though the page can't be written", async () => {
  const report = ["--extra-vars", "weave_verify_report=/nowhere/report.html"];
  const run = await broken(second, "ip link set weave down", "ip link set weave up", ...report);
  assert.match(run.output, "Destination directory /nowhere does not exist");
  const told = problems(run);
  assert.match(told[0] ?? "", "apollo2: the bridge weave is down: run the role on it");
  assert.ok(told.some((line) => line.startsWith("apollo3 does not reach apollo2 and its containers")));
  assert.not.match(told.join("\n"), "4789");
  assert.is(cells(run).get("apollo1 > apollo3")?.slice(0, 3), "ok ");
});

test("a container that its host's firewall cuts off is told as such", async () => {
  const address = (
    await second.exec(["docker", "inspect", "--format", "{{.NetworkSettings.IPAddress}}", "apollo2-b"])
  ).stdout.trim();
  const pid = (await second.exec(["docker", "inspect", "--format", "{{.State.Pid}}", "apollo2-b"])).stdout.trim();
  const rule = (flag: string) => `nsenter -t ${pid} -n iptables -${flag} INPUT -p icmp -j DROP`;
  const run = await broken(second, rule("I"), rule("D"));
  const told = problems(run).join("\n");
  assert.match(told, `apollo3 does not reach apollo2's container apollo2-b (${address}).`);
  assert.match(told, "apollo2 is reached and its container apollo2-b is not");
  assert.equal(misses(run), [
    "apollo1 > apollo2: apollo2-b",
    "apollo1: apollo1-a > apollo2: apollo2-b",
    "apollo3 > apollo2: apollo2-b",
  ]);
});

test("where Docker is stopped it stays so, and the bridges are tried all the same", async () => {
  await second.exec(["systemctl", "stop", "docker.service"]);
  const run = await verify();
  assert.is((await second.exec(["systemctl", "is-active", "docker"], { check: false })).stdout, "inactive\n");
  assertAllOpen(run, 12);
  assert.match(table(run).join("\n"), "apollo2: Docker is off, so none of its containers is tried");
  await second.exec(["systemctl", "start", "docker.service"]);
});

test("a Docker that is not on the bridge is told, by its containers", async () => {
  const [file, drop] = [
    "/run/systemd/system/docker.service.d/off.conf",
    "ExecStart=\nExecStart=/usr/sbin/dockerd -H fd://",
  ];
  await second.write(file, `[Service]\n${drop}\n`);
  const restart = "systemctl daemon-reload && systemctl restart docker";
  const run = await broken(second, restart, `rm ${file} && ${restart}`);
  assert.match(
    problems(run).join("\n"),
    "apollo2: Docker is not on the bridge weave, so these containers are not on the network: apollo2-a, apollo2-b",
  );
});

test("a host that is off is told by name, in the limit or not, and the others are tried", async () => {
  await cluster.host("apollo3").kill();
  for (const [limit, ways] of [
    ["all", 12],
    ["apollo1", 6],
  ] as const) {
    const run = await verify("--limit", limit);
    assert.is.not(run.status, 0, run.output);
    assert.is(problems(run).length, 1, run.output);
    assert.match(problems(run)[0] ?? "", /^apollo3 \(192\.168\.50\.13\) could not be asked: .*ssh/);
    assert.match(table(run).join("\n"), `${ways} of ${ways} ways are open`);
  }
});

test.run();

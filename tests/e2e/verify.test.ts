import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { busyboxImage } from "../hosts/images";
import { differences, fingerprint } from "./fingerprint";
import { bootHosts } from "./hosts";
import { ansiblePlaybook, changedTasks, type PlaybookRun, ROOT } from "./playbook";
import { ADDRESS, assertAllReached, NEIGHBOURS_SECONDS, startServices } from "./services";

const test = suite("playbooks/verify.yml");
let cluster: Cluster;
let first: Host;
let second: Host;

// A host that is off need not be waited for as long as Ansible's own ten seconds.
const verify = (...args: string[]): Promise<PlaybookRun> =>
  ansiblePlaybook(cluster.inventory, ["playbooks/verify.yml", ...args], { env: { ANSIBLE_TIMEOUT: "4" } });

/** The lines that a task printed by its `msg`. */
function lines(run: PlaybookRun, task: string): string[] {
  const shown = run.results.find((result) => result.task.includes(task) && result.outcome !== "skipped");
  return (shown?.result["msg"] as unknown as string[] | undefined) ?? [];
}

const table = (run: PlaybookRun): string[] => lines(run, "Show which paths work");
const problems = (run: PlaybookRun): string[] => lines(run, "Fail and list the problems with their possible causes");

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

/** The report, which is written to the working directory of ansible-playbook. */
const page = (): string => readFileSync(join(ROOT, "report.html"), "utf8");

const blocked = (run: PlaybookRun): string[] =>
  [...cells(run)].filter(([, cell]) => cell === "BLOCKED").map(([path]) => path);

function assertAllWork(run: PlaybookRun, paths: number): void {
  assert.is(run.status, 0, run.output);
  const tested = [...cells(run).values()].filter((cell) => cell !== "-");
  assert.is(tested.length, paths, run.output);
  for (const cell of tested) assert.match(cell, /^ok \d+(\.\d+)?$/);
  assert.match(table(run).join("\n"), `All ${paths} paths work`);
  assert.equal(problems(run), []);
}

/** Whether a fingerprint's line is of where a bridge has seen a sender: any frame that passes adds one. */
const isLearned = (line: string): boolean => /^[+-] [0-9a-f:]{17} dev /.test(line) && !line.includes("permanent");

/** Nobody has to wait for what is blocked as long as an operator would. */
const SOON = ["--extra-vars", "weave_verify_timeout=4"];

/** Breaks something for one run, and mends it. */
async function broken(host: Host, breaks: string, mends: string, ...args: string[]): Promise<PlaybookRun> {
  await host.exec(["sh", "-c", breaks]);
  try {
    const run = await verify(...SOON, ...args);
    assert.is.not(run.status, 0, run.output);
    return run;
  } finally {
    await host.exec(["sh", "-c", mends]);
  }
}

/** Waits until all reach the containers that Docker has started again. */
const reachedAgain = (): Promise<void> => assertAllReached(cluster, { hosts: [first, second] }, 2, NEIGHBOURS_SECONDS);

test.before(async () => {
  cluster = await bootHosts(3);
  [first, second] = [cluster.host("apollo1"), cluster.host("apollo2")];
  const run = await ansiblePlaybook(cluster.inventory, ["site.yml", "--extra-vars", "weave_datapath=vxlan"]);
  assert.is(run.status, 0, run.output);
  await startServices({ hosts: [first, second] }, 2);
});
test.after(() => cluster.down());

test("every path works, from hosts and from containers, and nothing is changed", async () => {
  const before = await Promise.all(cluster.hosts.map(fingerprint));
  const run = await verify();
  // Three hosts and two containers as sources; of seven addresses each tests those of the other hosts.
  assertAllWork(run, 22);
  assert.match(table(run).join("\n"), "apollo3: no running container is on the network");
  const written = page();
  assert.match(written, "All 22 paths work");
  assert.match(written, "subnet 10.2.1.0/24");
  assert.is(written.match(/<td data-label="tunnels to">2 of 2<\/td>/g)?.length, 3, "each has a tunnel to both others");
  const unwritten = join(cluster.directory, "unwritten.html");
  assertAllWork(await verify("--check", "--extra-vars", `weave_verify_report=${unwritten}`), 22);
  assert.not.ok(existsSync(unwritten));
  assert.equal(changedTasks(run), []);
  const after = await Promise.all(cluster.hosts.map(fingerprint));
  const changes = before.flatMap((text, index) => differences(text, after[index] ?? ""));
  assert.equal(
    changes.filter((line) => !isLearned(line)),
    [],
  );
});

test("with a limit, only the sources are fewer", async () => {
  const report = join(mkdtempSync(join(tmpdir(), "apollo-weave-verify-")), "weave.prom");
  const metrics = ["--extra-vars", `weave_verify_format=prometheus weave_verify_report=${report}`];
  const run = await verify("--limit", "apollo1", ...metrics);
  assertAllWork(run, 8);
  const gauges = readFileSync(report, "utf8");
  rmSync(dirname(report), { recursive: true });
  assert.match(gauges, '\napollo_weave_verify_paths_tested{host="apollo1"} 8\n');
  assert.match(gauges, '\napollo_weave_verify_docker_on_bridge{host="apollo3"} 1\n');
  assert.equal(
    [...new Set([...cells(run).keys()].map((path) => path.split(" > ")[0]))],
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
  assertAllWork(await verify(...asPlain), 22);

  // A user who may not is reported by the host's name, also if sudo refuses the password itself.
  for (const password of ["", " ansible_become_password=wrong"]) {
    const vars = ["--extra-vars", `ansible_user=plain ansible_pipelining=false${password}`];
    const run = await broken(first, "rm /etc/sudoers.d/plain", make.replace(/^.*\n/, ""), ...vars);
    assert.match(problems(run).join("\n"), /apollo1: Ansible must become root there \(found: .*\. Run with -K/);
    assert.equal(blocked(run), []);
  }
  // The role says what to do.
  await first.exec(["sed", "-i", "s/NOPASSWD: //", "/etc/sudoers.d/plain"]);
  const { output } = await ansiblePlaybook(cluster.inventory, [
    "site.yml",
    "--check",
    ...asPlain,
    "--limit",
    "apollo1",
  ]);
  assert.match(
    output,
    /ansible_become_password: the role must become root on apollo1 \(found: .*sudo.*\)\. Run with -K, /,
  );
  await first.exec(["sh", "-c", make.replace(/^.*\n/, "")]);
});

test("a firewall that drops the VXLAN is reported with its two hosts and the port", async () => {
  const rule = "OUTPUT -p udp --dport 4789 -d 192.168.50.12 -j DROP";
  const run = await broken(first, `iptables -I ${rule}`, `iptables -D ${rule}`);
  const reported = problems(run).join("\n");
  assert.match(reported, "apollo1 does not reach apollo2 and its containers (10.2.0.2, 10.2.2.");
  assert.match(reported, "apollo2's container apollo2-a does not reach apollo1 and its containers");
  assert.match(
    reported,
    "apollo1 and apollo2: must reach each other through the vxlan (found blocked paths between 192.168.50.11 and 192.168.50.12). Open UDP port 4789 ",
  );
  assert.not.match(reported, "apollo3");
  assert.is(blocked(run).length, 12, "both containers and the bridge, from two sources, in both directions");
  assert.match(page(), "12 of 22 paths are blocked");
  assert.match(page(), "apollo1 and apollo2: all 12 paths are blocked");
});

test("a bridge that is down is reported with its blocked paths, even if the report can't be written", async () => {
  const report = ["--extra-vars", "weave_verify_report=/proc/report.html"];
  const run = await broken(second, "ip link set weave down", "ip link set weave up", ...report);
  assert.match(run.output, /fatal: \[apollo1 -> localhost\]: FAILED!/);
  const reported = problems(run);
  assert.match(reported[0] ?? "", "apollo2: the bridge weave must be up (found it down). Run the role on it");
  assert.ok(reported.some((line) => line.startsWith("apollo3 does not reach apollo2 and its containers")));
  assert.not.match(reported.join("\n"), "4789");
  assert.is(cells(run).get("apollo1 > apollo3")?.slice(0, 3), "ok ");
});

test("a container that its host's firewall isolates is reported as such", async () => {
  const address = (await second.exec(["docker", "inspect", "--format", ADDRESS, "apollo2-b"])).stdout.trim();
  const pid = (await second.exec(["docker", "inspect", "--format", "{{.State.Pid}}", "apollo2-b"])).stdout.trim();
  const rule = (flag: string) => `nsenter -t ${pid} -n iptables -${flag} INPUT -p icmp -j DROP`;
  const run = await broken(second, rule("I"), rule("D"));
  const reported = problems(run).join("\n");
  assert.match(reported, `apollo3 does not reach apollo2's container apollo2-b (${address}).`);
  assert.match(reported, "apollo2: container apollo2-b must answer pings, as its host does (found no answer).");
  assert.equal(blocked(run), [
    "apollo1 > apollo2: apollo2-b",
    "apollo1: apollo1-a > apollo2: apollo2-b",
    "apollo3 > apollo2: apollo2-b",
  ]);
});

test("a stopped Docker stays stopped and is a failure unless it is excused, and the bridges are tested all the same", async () => {
  await second.exec(["systemctl", "stop", "docker.service"]);
  const failed = await verify();
  assert.is.not(failed.status, 0, failed.output);
  assert.equal(problems(failed), [
    "apollo2: Docker must run, or its containers can't be tested (found it stopped). Start it (systemctl start docker), or list apollo2 in weave_verify_excused.",
  ]);
  await second.exec(["systemctl", "mask", "docker.service"]);
  const site = await ansiblePlaybook(cluster.inventory, ["site.yml", "--extra-vars", "weave_datapath=vxlan"]);
  await second.exec(["systemctl", "unmask", "docker.service"]);
  assert.match(
    site.output,
    "Docker: must be able to start on apollo2 (found docker.service masked). Run `systemctl unmask docker.service` there",
  );
  assert.equal(changedTasks(site), []);
  const run = await verify("--extra-vars", "weave_verify_excused=apollo2");
  assert.is((await second.exec(["systemctl", "is-active", "docker"], { check: false })).stdout, "inactive\n");
  assertAllWork(run, 12);
  assert.match(table(run).join("\n"), "apollo2: Docker is stopped, so none of its containers is tested");
  await second.exec(["systemctl", "start", "docker.service"]);
  await reachedAgain();
});

test("a container that Docker fails to start is a failure; one that nobody started is none", async () => {
  const image = await busyboxImage(second);
  const run = (...args: string[]): string => `docker ${args.join(" ")} ${image}`;
  const starts = [run("create", "--name idle"), `! ${run("run", "--detach", "--name taken", "--publish 22:80")}`];
  const result = await broken(second, starts.join(" && "), "docker rm idle taken");
  assert.match(problems(result).join("\n"), "(found that Docker fails to start taken). See why");
  assert.is(problems(result).length, 1);
  assert.match(table(result).join("\n"), "Tested 3 of 3 hosts, and 4 of 5 containers.");
});

test("a Docker that is not on the bridge is reported, by its containers", async () => {
  const [file, drop] = [
    "/run/systemd/system/docker.service.d/off.conf",
    "ExecStart=\nExecStart=/usr/sbin/dockerd -H fd://",
  ];
  await second.write(file, `[Service]\n${drop}\n`);
  const restart = "systemctl daemon-reload && systemctl restart docker";
  const run = await broken(second, restart, `rm ${file} && ${restart}`);
  await reachedAgain();
  assert.match(
    problems(run).join("\n"),
    "apollo2: Docker must use the bridge weave (found containers that are not on the network: apollo2-a, apollo2-b)",
  );
});

test("a host that is off is reported by name, in the limit or not, and the others are tested", async () => {
  await cluster.host("apollo3").kill();
  for (const [limit, paths] of [
    ["all", 12],
    ["apollo1", 6],
  ] as const) {
    const run = await verify("--limit", limit);
    assert.is.not(run.status, 0, run.output);
    assert.is(problems(run).length, 1, run.output);
    assert.match(problems(run)[0] ?? "", /^apollo3: must be reachable by Ansible \(found: .*ssh/);
    assert.match(table(run).join("\n"), `All ${paths} paths work`);
  }
});

test.run();

import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { busyboxImage } from "../hosts/images";
import { installWeaveStandIn } from "../stand-ins/weave/install";
import { bootHosts } from "./hosts";
import { ansiblePlaybook, changedTasks, failures, type PlaybookRun } from "./playbook";
import { sh, waitUntil } from "./shell";

/** How the role brings scripts and images to hosts without internet, and what its variables of both generations make. */
const test = suite("the role's router, proxy and Scope");
const directory = mkdtempSync(join(tmpdir(), "apollo-weave-role-"));
let cluster: Cluster;
let host: Host;
let script: string;

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

test.before(async () => {
  cluster = await bootHosts(2);
  host = cluster.host("apollo1");
  await installWeaveStandIn(host);
  script = await host.read("/usr/local/bin/weave");
  // A server on the host itself, for what would be the internet's.
  await sh(host, "mkdir /srv/files; mv /usr/local/bin/weave /srv/files/weave");
  await sh(host, "systemd-run --quiet python3 -m http.server --bind 127.0.0.1 --directory /srv/files 8000");
  await sh(host, waitUntil("curl -sf http://127.0.0.1:8000/ >/dev/null"));
});
test.after(async () => {
  rmSync(directory, { recursive: true });
  await cluster.down();
});

const play = (on: string, vars: object, ...more: string[]): Promise<PlaybookRun> =>
  ansiblePlaybook(cluster.inventory, ["site.yml", "--limit", on, "--extra-vars", JSON.stringify(vars), ...more]);

/** What the last check with --diff printed. */
let diff = "";

/** Runs the playbook after a check, and again: the first two have to agree, the last to change nothing. */
async function settled(on: string, vars: object): Promise<string[]> {
  const check = await play(on, vars, "--check", "--diff");
  assert.is(check.status, 0, check.output);
  diff = check.output;
  const run = await play(on, vars);
  assert.is(run.status, 0, run.output);
  assert.equal(changedTasks(check), changedTasks(run));
  const again = await play(on, vars);
  assert.equal(changedTasks(again), [], again.output);
  return changedTasks(run);
}

const failure = (run: PlaybookRun): string => Object.values(failures(run))[0] ?? run.output;

test("a download with another checksum than given fails, and is not kept", async () => {
  const url = { weave_url: "http://127.0.0.1:8000/weave", weave_sha256: sha256("another") };
  assert.match(failure(await play("apollo1", url)), /checksum/);
  assert.is(await sh(host, "ls /usr/local/bin"), "");
});

test("the script by URL and checksum, and an image by archive", async () => {
  const image = await busyboxImage(host);
  await sh(host, `docker save --output /srv/files/box.tar ${image} && docker rmi ${image}`);
  const archive = (await sh(host, "sha256sum /srv/files/box.tar")).slice(0, 64);
  const variables = {
    weave_url: "http://127.0.0.1:8000/weave",
    weave_sha256: sha256(script),
    weave_image_archives: [{ image, url: "http://127.0.0.1:8000/box.tar", sha256: archive }],
    weave_launch_peers: "192.168.50.11:6783,192.168.50.12:6790",
  };
  const changed = await settled("apollo1", variables);
  assert.ok(changed.includes("apollo1: weave : Load the image"), changed.join("\n"));
  assert.match(diff, `/usr/local/bin/weave: weave script 2.8.1, sha256 ${sha256(script)}`);
  assert.match(diff, `/var/cache/box.tar: image ${image}, sha256 ${archive}`);
  assert.is(await sh(host, "stat -c '%U %a' /usr/local/bin/weave"), "root 755");
  // Docker has the image, so the archive is not needed again.
  await sh(host, `docker image inspect ${image} && rm /var/cache/box.tar`);
  assert.equal(changedTasks(await play("apollo1", variables)), []);
  assert.is(await sh(host, "ls /var/cache | grep box || true"), "");
  assert.match(await sh(host, "grep PEERS /etc/weave.env"), 'WEAVE_PEERS="192.168.50.12:6790"');
});

test("an archive that does not contain its image is not loaded again and again, but rejected", async () => {
  const image = await busyboxImage(host);
  await sh(host, `docker tag ${image} other:1 && docker save --output /srv/files/other.tar other:1`);
  const checksum = (await sh(host, "sha256sum /srv/files/other.tar")).slice(0, 64);
  const wrong = { image: "weaveworks/weave:9.9.9", url: "http://127.0.0.1:8000/other.tar", sha256: checksum };
  const run = await play("apollo1", { weave_launch_peers: "192.168.50.12", weave_image_archives: [wrong] });
  assert.is(
    failure(run),
    "weave_image_archives: http://127.0.0.1:8000/other.tar must contain the image weaveworks/weave:9.9.9 (found other:1). " +
      "Name the image as the archive does, or write another one (docker save weaveworks/weave:9.9.9).",
  );
});

test("Apollo of 2016: docker0, router, proxy and Scope by its variables, the scripts from the controller", async () => {
  const other = cluster.host("apollo2");
  await installWeaveStandIn(other, { version: "1.9.8" });
  writeFileSync(join(directory, "weave"), await other.read("/usr/local/bin/weave"));
  await sh(other, "rm /usr/local/bin/weave");
  await sh(other, `docker tag ${await busyboxImage(other)} weaveworks/scope:1.13.2`);
  writeFileSync(
    join(directory, "scope"),
    `#!/bin/sh\nSCRIPT_VERSION="1.13.2"\ncase $1 in\nlaunch) docker run -d --name weavescope weaveworks/scope:1.13.2 sleep 1d ;;\nstop) docker rm -f weavescope ;;\nesac\n`,
  );
  await settled("apollo2", {
    weave_mode: "proxy",
    weave_bin: "/mnt/weave",
    weave_version: "1.9.8",
    weave_script_file: join(directory, "weave"),
    // Alone, it has enough peers for an address.
    weave_launch_peers: "192.168.50.12",
    weave_dns: true,
    scope_enabled: true,
    scope_bin: "/mnt/scope",
    weave_scope_script_file: join(directory, "scope"),
  });
  assert.match(
    diff,
    `/mnt/weave: weave script 1.9.8, sha256 ${createHash("sha256")
      .update(readFileSync(join(directory, "weave")))
      .digest("hex")}`,
  );
  assert.match(diff, /\/mnt\/scope: scope script 1\.13\.2, sha256 [0-9a-f]{64}/);
  assert.ok(diff.length < 20_000, `the diff has ${diff.length} characters`);
  assert.is(await sh(other, "docker ps --format '{{.Names}}' | sort | xargs"), "weave weaveproxy weavescope");
  for (const container of ["weave", "weaveproxy"]) {
    assert.not.match(await sh(other, `docker inspect --format '{{.Args}}' ${container}`), /--(no|without)-dns/);
  }
  assert.is(await sh(other, "systemctl is-active weave weaveproxy scope | uniq"), "active");
  assert.match(await sh(other, "docker network inspect --format '{{.Options}}' bridge"), "docker0");
  assert.match(await sh(other, "ip -o -4 addr show dev weave"), " inet ");
  assert.is(await sh(other, "systemd-analyze verify weave.service weaveproxy.service scope.service 2>&1"), "");
});

const PROXY_OF_1X = {
  weave_mode: "proxy",
  weave_bin: "/mnt/weave",
  weave_launch_peers: "192.168.50.12",
  weave_dns: true,
};
const SERVICES =
  "cd /etc/systemd/system && ls | grep -E '^(weave|scope).*service$' | xargs; docker ps --format '{{.Names}}' | sort | xargs";

test("an upgrade to Weave 2.x removes the proxy, which the router contains then, and Scope, which is switched off", async () => {
  const other = cluster.host("apollo2");
  await installWeaveStandIn(other);
  await sh(other, "rm /usr/local/bin/weave");
  writeFileSync(join(directory, "weave-2.8.1"), script);
  const vars = {
    ...PROXY_OF_1X,
    weave_script_file: join(directory, "weave-2.8.1"),
    scope_bin: "/mnt/scope",
    // The stand-in of 1.x has made a bridge without the fast datapath, which the real one has.
    weave_env: { WEAVE_NO_FASTDP: "1" },
  };
  const removals = ["Remove Weave's services that are switched off", "Remove Weave Scope, which is switched off"];
  for (const run of [await play("apollo2", vars, "--check"), await play("apollo2", vars)]) {
    assert.is(run.status, 0, run.output);
    assert.equal(
      changedTasks(run).slice(0, 2),
      removals.map((task) => `apollo2: weave : ${task}`),
    );
  }
  assert.is(await sh(other, SERVICES), "weave-expose.service weave.service\nweave");
  assert.is(
    await sh(other, "systemctl is-active weave; systemctl --failed --plain --no-legend | grep weave || true"),
    "active",
  );
  assert.equal(changedTasks(await play("apollo2", vars)), []);
});

test("the VXLAN replaces the proxy, too, which requires the router", async () => {
  const other = cluster.host("apollo2");
  const old = await play("apollo2", {
    ...PROXY_OF_1X,
    weave_version: "1.9.8",
    weave_script_file: join(directory, "weave"),
  });
  assert.is(old.status, 0, old.output);
  assert.match(await sh(other, SERVICES), "weaveproxy.service");
  const vars = { weave_datapath: "vxlan", weave_launch_peers: "192.168.50.12" };
  const run = await play("apollo2", vars);
  assert.is(run.status, 0, run.output);
  assert.is(await sh(other, SERVICES), "");
  assert.equal(changedTasks(await play("apollo2", vars)), []);
});

const RULE = "FORWARD -i weave -o weave";
const OURS = `${RULE} -m comment --comment weave_service -j ACCEPT`;

/** How a container gets onto the network: by the proxy's API, or on the plugin's network. */
const RUN = {
  proxy: "docker --host unix:///var/run/weave/weave.sock run --detach --name",
  plugin: "docker run --detach --network weave --name",
};

test("both hosts are set up again", async () => {
  const vars = JSON.stringify({ weave_mode: "proxy", weave_bin: "/usr/local/bin/weave" });
  const removed = await ansiblePlaybook(cluster.inventory, ["playbooks/teardown.yml", "--extra-vars", vars]);
  assert.is(removed.status, 0, removed.output);
  for (const on of cluster.hosts) await installWeaveStandIn(on);
});

for (const mode of ["proxy", "plugin"] as const) {
  test(`across hosts, containers of the ${mode} reach one another by name and HTTP, with only the role's rule`, async () => {
    const other = cluster.host("apollo2");
    const variables = { weave_mode: mode, weave_bin: "/usr/local/bin/weave", weave_dns: true };
    const everywhere = ["--extra-vars", JSON.stringify(variables)];
    const made = await ansiblePlaybook(cluster.inventory, ["site.yml", ...everywhere]);
    assert.is(made.status, 0, made.output);

    await sh(host, `${RUN[mode]} web ${await busyboxImage(host)} httpd -f -p 8080 -h /www`);
    await sh(other, `${RUN[mode]} client ${await busyboxImage(other)} sleep 1d`);
    // As dockerd sets it where nobody else has turned forwarding on.
    for (const on of cluster.hosts) await sh(on, "iptables -P FORWARD DROP");
    const address = (await sh(host, "docker exec web ip -o -4 addr")).match(/ ethwe\d? +inet ([\d.]+)/)?.[1] ?? "none";
    // A container of the plugin's asks Docker, which asks the host's servers.
    const server =
      mode === "proxy" ? "" : ` ${(await sh(other, "ip -4 addr show docker0")).match(/inet ([\d.]+)/)?.[1]}`;
    const found = await sh(other, `docker exec client nslookup web.weave.local${server}`);
    assert.match(found, new RegExp(`^Name:\\s+web\\.weave\\.local\\nAddress(?: 1)?: ${address}`, "m"));
    const http = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 3 ${address} 8080`;
    const page = (): Promise<string> => sh(other, `docker exec client sh -c "${http}" | tail -n 1`);
    assert.is(await page(), "hello");

    await sh(host, `iptables -D ${OURS}`);
    assert.is(
      await sh(host, `iptables-legacy -S FORWARD | grep -e '${RULE} -j'`),
      `-A ${RULE} -j ACCEPT`,
      "the router's own",
    );
    assert.is(await page(), "");
    if (mode === "proxy") {
      const vars = JSON.stringify({ ...variables, weave_verify_timeout: 2, weave_verify_report: "" });
      const verified = await ansiblePlaybook(cluster.inventory, ["playbooks/verify.yml", "--extra-vars", vars]);
      assert.match(
        verified.output,
        "apollo1: iptables must accept frames between the ports of the bridge weave (found no rule",
      );
      assert.not.match(verified.output, "apollo2: iptables must");
    }
    const repaired =
      mode === "proxy" ? await settled("apollo1", variables) : changedTasks(await play("apollo1", variables));
    assert.equal(repaired, ["apollo1: weave : Run the Weave router"]);
    assert.is(await page(), "hello");
    await Promise.all([sh(host, "docker rm --force web"), sh(other, "docker rm --force client")]);
  });
}

test.run();

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { busyboxImage } from "../hosts/images";
import type { Suite } from "../hosts/suites";
import { ALL } from "../runner/sample";
import { bootHosts } from "./hosts";
import { ansiblePlaybook, CONTROLLERS, ROOT } from "./playbook";

/** examples/compose with Compose of Debian 13 and newer, which is Docker's own from version 2 on, and a Docker with live-restore. */
const SUITES: readonly Suite[] = ["trixie", "testing"];
let cluster: Cluster;

const compose = async (host: Host, file: string, ...args: string[]): Promise<string> => {
  const set = ["env", `HOST=${host.name}`, `IMAGE=${await busyboxImage(host)}`];
  const argv = [...set, "docker", "compose", "--file", `/srv/example/${file}`, ...args];
  // A busy machine takes long to start several containers.
  const { stdout } = await host.exec(argv, { timeoutSeconds: 180 });
  return stdout.trim();
};

/** What answers on port 8080 of each container of the projects on all hosts, asked by the first and the last host. */
async function answers(file: string): Promise<string[]> {
  const addressesOf = async (host: Host): Promise<string> => {
    const ids = (await compose(host, file, "ps", "--quiet")).split("\n");
    const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    return (await host.exec(["docker", "inspect", "--format", format, ...ids])).stdout.trim();
  };
  const addresses = (await Promise.all(cluster.hosts.map(addressesOf))).flatMap((each) => each.split("\n"));
  const urls = addresses.map((address) => `http://${address}:8080/`);
  const asked = cluster.hosts.map((host) => host.exec(["curl", "-sS", "-m", "5", ...urls]));
  const [first, last] = (await Promise.all(asked)).map(({ stdout }) => stdout.trim().split("\n").sort());
  assert.equal(first, last);
  return first ?? [];
}

/** What people find as a compose.yml, and how it joins the network without a change. */
const PUBLISHED = ["compose.yml", "compose.override.yml"];
const ADDRESS = "{{with .NetworkSettings.Networks.weave}}{{.IPAddress}}{{end}}";
const inProject = async (host: Host, script: string): Promise<string> =>
  (await host.exec(["sh", "-c", `cd /srv/example/published\n${script}`], { timeoutSeconds: 120 })).stdout.trim();

/** A shell function for what a server answers at an address or name and a port. */
const GET = `get() { printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 "$1" "$2" | tail -n 1; }`;

/** Programs in the place of those that the project's images have, which show only who reaches whom: a database says where it is ... */
const DATABASE = "echo db of $HOST >/tmp/index.html; exec httpd -f -p 3306 -h /tmp";
/** ... and the page is what the database says that has the name in the project. */
const PAGE = `${GET}
httpd -p 80 -h /tmp
while :; do get $WORDPRESS_DB_HOST 3306 >/tmp/new; mv /tmp/new /tmp/index.html; sleep 1; done`;

/** Makes these images of a host's busybox. */
async function makeImages(host: Host): Promise<void> {
  const base = await busyboxImage(host);
  for (const [image, program] of Object.entries({ "mariadb:11": DATABASE, "wordpress:6": PAGE })) {
    await host.write("/srv/image/run.sh", `HOST=${host.name}\n${program}\n`);
    const tree = `docker rm --force base; docker create --name base ${base}; docker cp /srv/image/run.sh base:/run.sh`;
    const make = `docker export base | docker import --change 'CMD ["sh", "/run.sh"]' - ${image}; docker rm base`;
    await host.exec(["sh", "-c", `(${tree}; ${make}) >/dev/null`]);
  }
}

const EACH = ["api of apollo1", "api of apollo2", "web of apollo1", "web of apollo2"];

async function provision(network: string): Promise<void> {
  const set = ["weave_datapath=vxlan", `weave_docker_network=${network}`].flatMap((each) => ["--extra-vars", each]);
  const ansible = CONTROLLERS[cluster.suite];
  const run = await ansiblePlaybook(cluster.inventory, ["site.yml", ...set], { ansible });
  assert.is(run.status, 0, run.output);
}

function testCompose(debian: Suite): void {
  const test = suite(`examples/compose on Debian ${debian}`);

  test.before(async () => {
    cluster = await bootHosts(2, debian);
    for (const host of cluster.hosts) {
      await host.write("/etc/docker/daemon.json", '{ "live-restore": true }\n');
      await host.exec(["systemctl", "reload", "docker"]);
      for (const file of ["compose.yml", "compose-bridge.yml", ...PUBLISHED.map((each) => `published/${each}`)])
        await host.write(`/srv/example/${file}`, readFileSync(join(ROOT, "examples/compose", file)));
    }
  });
  test.after(() => cluster.down());

  test("on a separate Docker network: two services on one port on each of two hosts, and one name for several", async () => {
    await provision("weave");
    await Promise.all(cluster.hosts.map((host) => compose(host, "compose.yml", "up", "--detach")));
    assert.equal(await answers("compose.yml"), EACH);
    const one = cluster.host("apollo1");
    await compose(one, "compose.yml", "up", "--detach", "--no-recreate", "--scale", "web=3");
    const named = await compose(one, "compose.yml", "exec", "-T", "api", "nslookup", "web");
    assert.is(new Set(named.match(/10\.2\.1\.\d+/g)).size, 3, named);
    // The network is not the project's.
    await Promise.all(cluster.hosts.map((host) => compose(host, "compose.yml", "down", "--timeout", "1")));
  });

  test("a project as it is published: one service joins the network by an override, also after a reboot", async () => {
    const everywhere = (script: string): Promise<string[]> =>
      Promise.all(cluster.hosts.map((host) => inProject(host, script)));
    await Promise.all(cluster.hosts.map(makeImages));
    await everywhere("docker compose up --detach");
    // Containers that live-restore keeps would end only by systemd's time limit.
    await cluster.host("apollo2").kill();
    await cluster.host("apollo2").boot();
    const addresses = await everywhere(`docker inspect --format '${ADDRESS}' $(docker compose ps --quiet wordpress)`);
    assert.match(addresses.join(" "), /^10\.2\.1\.\d+ 10\.2\.2\.\d+$/);
    // Each at its own address, and where its host publishes its port.
    const urls = [
      ...addresses.map((each) => `http://${each}/`),
      ...cluster.hosts.map((each) => `http://${each.address}:8080/`),
    ];
    const pages = ["db of apollo1", "db of apollo2", "db of apollo1", "db of apollo2"].join("\n");
    const ask = `curl -sS -m 5 ${urls.join(" ")}`;
    for (const asked of await everywhere(
      `for i in $(seq 100); do [ "$(${ask})" != "${pages}" ] || break; sleep 0.2; done; ${ask}`,
    ))
      assert.is(asked, pages);
    const get = `docker compose exec -T wordpress sh -c '${GET.replaceAll("'", '"')}; get ${addresses[1]} 80'`;
    assert.is(await inProject(cluster.host("apollo1"), get), "db of apollo2");
    assert.equal(await everywhere(`docker inspect --format '${ADDRESS}' $(docker compose ps --quiet db)`), ["", ""]);
    // What the report of verify.yml shows of them.
    await cluster.host("apollo1").write("/srv/probe.sh", readFileSync(join(ROOT, "roles/weave/files/verify_probe.sh")));
    const { containers } = JSON.parse(await inProject(cluster.host("apollo1"), "sh /srv/probe.sh 5 weave"));
    assert.equal(
      containers.map(({ address, service, ports }: Record<string, string>) => ({
        address,
        service,
        ports: ports?.split(",")[0],
      })),
      [{ address: addresses[0], service: "wordpress", ports: "8080:80/tcp" }],
    );
    await everywhere("docker compose down --volumes --timeout 1");
  });

  test("on Docker's default network, as Apollo had it", async () => {
    await provision("bridge");
    await Promise.all(cluster.hosts.map((host) => compose(host, "compose-bridge.yml", "up", "--detach")));
    assert.equal(await answers("compose-bridge.yml"), EACH);
  });

  test.run();
}

const given = process.env["TEST_SUITE"];
for (const debian of ALL ? SUITES : [SUITES.find((each) => each === given) ?? "trixie"]) testCompose(debian);

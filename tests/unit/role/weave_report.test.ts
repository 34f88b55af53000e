import { suite } from "uvu";
import * as assert from "uvu/assert";
import { between, createFindings, type Findings, type GivenFindings } from "../support/findings";
import { callPlugin, renderPage } from "../support/python";

/** The report of playbooks/verify.yml: weave_report.py, weave_report_table.py, weave_drawing.py and the template. */
const test = suite("the report of verify.yml");

interface Pair {
  readonly from: string;
  readonly to: string;
  readonly kind: string;
}

interface Node {
  readonly host: { readonly name: string };
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

interface Report {
  readonly total: number;
  readonly working: number;
  readonly hosts: readonly {
    name: string;
    state: string;
    peers: string;
    containers: readonly { blocked: boolean }[];
  }[];
  readonly pairs: readonly Pair[];
  readonly summary: readonly string[];
}

interface ReportTable {
  readonly single: boolean;
  readonly blocks: readonly {
    readonly groups: readonly { readonly host: string; readonly targets: readonly unknown[] }[];
    readonly rows: readonly {
      readonly host: string;
      readonly container: string | null;
      readonly cells: readonly { readonly kind: string; readonly text: string }[];
    }[];
  }[];
}

interface Picture {
  readonly box: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
  readonly cards: boolean;
  readonly card: { readonly width: number; readonly height: number };
  readonly nodes: readonly Node[];
  readonly lines: Readonly<Record<string, string>>;
  readonly draws_working_lines: boolean;
  readonly blocked: readonly (Pair & { readonly mark: object | null })[];
  readonly kinds: readonly string[];
}

const reportOf = (found: Findings): Report => callPlugin("weave_report", "summarise_findings", [found]);
const reportTableOf = (found: Findings): ReportTable =>
  callPlugin("weave_report_table", "arrange_report_table", [found]);
interface Containers {
  readonly boxes: readonly {
    readonly listed: readonly { readonly name: string; readonly service: string; readonly ports: string }[];
    readonly more: number;
    readonly more_blocked: number;
    readonly off: readonly string[];
  }[];
  readonly without: readonly string[];
}

const containersOf = (found: Findings): Containers =>
  callPlugin("weave_containers", "arrange_containers", [reportOf(found).hosts]);
const pictureOf = (found: Findings): Picture => {
  const { hosts, pairs } = reportOf(found);
  return callPlugin("weave_drawing", "arrange_drawing", [hosts, pairs]);
};
const states = ({ hosts }: Report): string => hosts.map(({ state }) => state).join(" ");
const kinds = ({ pairs }: Report): string => pairs.map(({ kind }) => kind).join(" ");

test("in a healthy cluster every path works, every pair and every host", () => {
  const report = reportOf(createFindings({ hosts: 3 }));
  assert.equal([report.total, report.working], [36, 36]);
  assert.is(states(report), "works works works");
  assert.is(kinds(report), "working working working");
  assert.equal(report.summary, []);
  assert.is(report.hosts[0]?.peers, "2 of 2");
});

test("a blocked path is shown by pair and direction", () => {
  const all = reportOf(createFindings({ hosts: 3, blocked: between(1, 2) }));
  assert.is(kinds(all), "blocked working working");
  assert.is(states(all), "has_problems has_problems works");
  assert.equal(all.summary, ["docker1 and docker2: all 12 paths are blocked."]);

  const oneWay = reportOf(createFindings({ hosts: 3, blocked: (from, to) => from === 2 && to === 1 }));
  assert.is(kinds(oneWay), "one_way working working");
  assert.equal([oneWay.pairs[0]?.from, oneWay.pairs[0]?.to], ["docker2", "docker1"]);
  assert.equal(oneWay.summary, ["docker2 does not reach docker1, but docker1 reaches docker2."]);

  const some = reportOf(createFindings({ hosts: 2, blocked: (_, __, container) => container === "cache-2" }));
  assert.equal(some.summary, ["docker1 and docker2: 2 of 12 paths are blocked."]);
  assert.equal(
    some.hosts[1]?.containers.map(({ blocked }) => blocked),
    [false, true],
  );
});

test("what no host reaches is reported once, for the one host", () => {
  const cut = reportOf(
    createFindings({ hosts: 30, blocked: (from, to) => from === 7 || to === 7 || between(3, 4)(from, to) }),
  );
  assert.equal(cut.summary, [
    "All paths between docker7 and docker1, docker2, docker3 and 26 more are blocked.",
    "docker3 and docker4: all 12 paths are blocked.",
  ]);
  assert.equal(
    cut.hosts.filter(({ state }) => state !== "works").map(({ name, state }) => `${name} ${state}`),
    ["docker3 has_problems", "docker4 has_problems", "docker7 cut_off"],
  );
  const container = reportOf(createFindings({ hosts: 9, blocked: (_, __, name) => name === "cache-2" }));
  assert.equal(container.summary, ["Some paths between docker2 and docker1, docker3, docker4 and 5 more are blocked."]);
  assert.is(container.hosts[1]?.state, "has_problems");
});

test("hosts without an answer and untested paths are distinguished from blocked ones", () => {
  const report = reportOf(createFindings({ hosts: 3, off: [3], playing: [1] }));
  assert.is(states(report), "works works no_answer");
  assert.is(kinds(report), "working untested untested");
  assert.equal(report.summary, [
    "docker3 gave no answer: ssh: connect to host 192.168.50.3 port 22: No route to host.",
  ]);
  assert.is(report.hosts[2]?.peers, "unknown");
});

test("a host without a bridge is cut off, even if no path to it was tested", () => {
  const more = (number: number): object => (number === 2 ? { bridge: { state: "missing", address: null } } : {});
  const report = reportOf(createFindings({ hosts: 2, containers: 0, playing: [1], more }));
  assert.is(states(report), "works cut_off");
  assert.equal(report.summary, ["docker2: the bridge weave is missing."]);
});

test("tunnels are matched by the hosts' own addresses or the inventory's", () => {
  const tunnels = (...ends: { kind?: string; local?: string; peers?: string[] }[]): Report =>
    reportOf(
      createFindings({ hosts: ends.length, more: (number) => ({ datapath: { kind: "vxlan", ...ends[number - 1] } }) }),
    );
  const report = tunnels(
    { local: "192.0.2.1", peers: ["192.168.50.2", "192.0.2.99"] },
    { local: "192.0.2.2", peers: ["192.0.2.1"] },
    { local: "192.0.2.3", peers: [] },
  );
  assert.equal(
    report.hosts.map(({ peers }) => peers),
    [
      "1 of 2; none to docker3; also to 192.0.2.99, not in the group",
      "1 of 2; none to docker3",
      "0 of 2; none to docker1, docker2",
    ],
  );
  assert.is(kinds(report), "working relayed relayed");
  // A router of Weave 1.x has its connections in its own network namespace.
  assert.is(kinds(tunnels({ kind: "router", peers: [] }, { kind: "router", peers: [] })), "working");
});

const cellsOf = ({ blocks }: ReportTable): string[] =>
  blocks.flatMap(({ rows }) => rows.map(({ cells }) => cells.map(({ text }) => text || "own").join(" ")));

test("the table has single paths, in steps by their milliseconds, unless they are too many", () => {
  const found = createFindings({
    hosts: 2,
    containers: 1,
    blocked: (from, _, container) => from === 2 && container !== null,
  });
  const slow = { ...found.sources[0], ms: { "10.2.0.2": 0.05, "10.2.2.1": 12.3 } } as Findings["sources"][number];
  const slower = { ...found.sources[1], ms: { "10.2.0.2": 3.21 } } as Findings["sources"][number];
  const table = reportTableOf({ ...found, sources: [slow, slower, ...found.sources.slice(2)] });
  assert.equal(cellsOf(table).slice(0, 2), ["own own 0.05 12", "own own 3.2 –"]);
  assert.match(cellsOf(table)[2] ?? "", /^\d+\.\d\d × own own$/);
  const row = table.blocks[0]?.rows[0]?.cells.map(({ kind }) => kind);
  assert.equal(row, ["own", "own", "working0", "working2"]);
});

test("beyond that it has a cell for each two hosts", () => {
  const blocked = (from: number, to: number, container: string | null): boolean =>
    between(1, 2)(from, to) || (to === 4 && container === "api-4");
  const table = reportTableOf(createFindings({ hosts: 30, blocked }));
  assert.not.ok(table.single);
  assert.match(cellsOf(table)[0] ?? "", /^own × [\d.]+ 4\/6 /);
  assert.is(table.blocks[0]?.rows.length, 30);
});

test("blocks of columns are narrow enough for paper, equally wide, and have hosts whole", () => {
  for (const [hosts, containers] of [
    [3, 5],
    [10, 5],
    [30, 2],
    [100, 2],
  ] as const) {
    const { blocks } = reportTableOf(createFindings({ hosts, containers }));
    const widths = blocks.map(({ groups }) => groups.reduce((sum, { targets }) => sum + targets.length, 0));
    assert.ok(Math.max(...widths) <= 25, `${hosts} hosts: ${widths}`);
    const names = blocks.flatMap(({ groups }) => groups.map(({ host }) => host));
    assert.is(new Set(names).size, names.length, "no host is in two blocks");
    assert.is(names.length, hosts);
  }
});

test("no card covers another, and all are in the drawing", () => {
  for (let hosts = 1; hosts <= 12; hosts++) {
    const { nodes, card, box, cards } = pictureOf(createFindings({ hosts, containers: 0 }));
    assert.ok(cards);
    for (const [index, { x, y }] of nodes.entries()) {
      for (const other of nodes.slice(index + 1)) {
        const apart = Math.abs(x - other.x) > card.width || Math.abs(y - other.y) > card.height;
        assert.ok(apart, `${hosts} hosts: ${nodes[index]?.name} and ${other.name}`);
      }
      assert.ok(x - card.width / 2 >= box.left && x + card.width / 2 <= box.left + box.width);
      assert.ok(y - card.height / 2 >= box.top && y + card.height / 2 <= box.top + box.height);
    }
  }
});

test("many hosts are dots, far enough apart for their names", () => {
  for (const hosts of [13, 100]) {
    const { nodes, cards } = pictureOf(createFindings({ hosts, containers: 0, playing: [1] }));
    assert.not.ok(cards);
    const [first, second] = nodes;
    assert.ok(first && second && Math.hypot(first.x - second.x, first.y - second.y) > 14, String(hosts));
  }
});

test("working pairs are drawn faintly up to forty hosts, and blocked ones always", () => {
  const many = pictureOf(createFindings({ hosts: 41, containers: 0, blocked: between(1, 2) }));
  assert.equal([many.draws_working_lines, many.lines, many.blocked.length], [false, {}, 1]);
  const mesh = pictureOf(createFindings({ hosts: 30, containers: 0 }));
  assert.is(mesh.lines["working"]?.split("M").length, 436);
  assert.equal(mesh.kinds, ["working"]);
});

test("few blocked pairs have a mark, and a blocked direction always has one", () => {
  const marked = ({ blocked }: Picture): string =>
    [...new Set(blocked.map(({ kind, mark }) => `${kind} ${mark !== null}`))].join();
  const cut = (from: number, to: number): boolean => from === 1 || to === 1;
  assert.is(marked(pictureOf(createFindings({ hosts: 17, containers: 0, blocked: cut }))), "blocked true");
  assert.is(
    marked(pictureOf(createFindings({ hosts: 18, containers: 0, blocked: (from, to) => cut(from, to) || from === 2 }))),
    "blocked false,one_way true",
  );
});

test("each host's containers are listed with service and ports: at most ten, those first that are not reachable", () => {
  const of = (number: number, count: number): object[] =>
    Array.from({ length: count }, (_, index) => ({ name: `c${index}`, address: `10.2.${number}.${index}`, pid: 7 }));
  const more = (number: number): object => {
    if (number === 1) return { containers: of(1, 12), others: [], containers_total: 25, off_network: ["old"] };
    if (number === 3) return { containers: [], containers_total: 0 };
    const labels = { service: "caf%C3%A9+%0A%3Cb%3E", ports: "8080:80/tcp,8080:80/tcp,53/udp," };
    return {
      containers: [{ ...of(2, 1)[0], ...labels }],
      others: [{ ...of(2, 2)[1], port: "8080" }],
      containers_total: 2,
    };
  };
  const found = createFindings({ hosts: 3, containers: 12, more, blocked: (_, __, name) => name === "c11" });
  const { boxes, without } = containersOf(found);
  assert.equal(without, ["docker3"]);
  assert.equal(
    boxes[0]?.listed.map(({ name }) => name),
    ["c11", "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"],
  );
  assert.equal([boxes[0]?.more, boxes[0]?.more_blocked, boxes[0]?.off], [15, 0, ["old"]]);
  assert.equal(
    boxes[1]?.listed.map(({ service, ports }) => [service, ports]),
    [
      ["café  <b>", "ports 80 (published as 8080), 53/udp"],
      ["", "port 8080"],
    ],
  );
  const page = renderPage(found);
  assert.match(page, "and 15 more");
  assert.match(page, "<b>c11</b>");
  assert.match(page, "service café  &lt;b&gt;, ports 80 (published as 8080), 53/udp");
  assert.match(page, '<b>old</b> <span class="blocked">× not on the network</span>');
  const large = containersOf(createFindings({ hosts: 41, containers: 5 }));
  assert.equal([large.boxes[0]?.listed.length, large.boxes[0]?.more], [3, 2]);
});

const HOSTILE = `<script>alert("'")</script>&amp;{{ 7 * 6 }}`;

test("nothing that a host, a container or a program prints becomes markup", () => {
  const page = renderPage(
    createFindings({
      hosts: 5,
      name: (number) => `${number}${HOSTILE}`,
      blocked: (from, to) => between(1, 2)(from, to) || (from === 3 && to === 1) || (to === 2 && from === 3),
      off: [5],
      more: (number) => ({
        underlay: HOSTILE,
        containers: [
          { name: HOSTILE, address: `10.2.${number}.1`, pid: 1, service: encodeURIComponent(HOSTILE), ports: HOSTILE },
        ],
        others: [{ name: HOSTILE, address: HOSTILE, pid: 1, service: HOSTILE, port: encodeURIComponent(HOSTILE) }],
        docker: HOSTILE,
        subnet: HOSTILE,
        off_network: [HOSTILE],
        datapath: { kind: HOSTILE, port: HOSTILE, state: HOSTILE, local: HOSTILE, peers: [HOSTILE] },
        ...(number === 4 ? { bridge: { state: HOSTILE, address: HOSTILE } } : {}),
      }),
    }),
  );
  assert.not.match(page, "<script");
  assert.not.match(page, `"'"`);
  assert.match(page, "&lt;script&gt;alert(&#34;&#39;&#34;)&lt;/script&gt;&amp;amp;{{ 7 * 6 }}");
  assert.not.match(renderPage(createFindings({ hosts: 30, name: (number) => `${number}${HOSTILE}` })), "<script");
});

const SIZES: [string, GivenFindings][] = [
  ["one host", { hosts: 1 }],
  ["three", { hosts: 3, blocked: between(1, 2) }],
  ["thirty", { hosts: 30, blocked: between(1, 2) }],
  ["a hundred", { hosts: 100, off: [5], blocked: between(1, 2) }],
];

for (const [name, madeUp] of SIZES) {
  test(`a report of ${name} needs no other files, and gives each table head its scope`, () => {
    const page = renderPage(createFindings(madeUp));
    assert.not.match(page, /<(script|link|img|iframe|object)\b|\bsrc=|url\(|@import|https?:/);
    assert.match(page, /<title id="drawing">.*<\/title>\s*<desc id="drawn">/);
    assert.equal(
      (page.match(/<th\b[^>]*>/g) ?? []).filter((head) => !head.includes("scope=")),
      [],
    );
    assert.ok(page.length < 500_000, `${page.length} characters`);
  });
}

test("the report begins with the verdict", () => {
  const verdict = (madeUp: GivenFindings): string | undefined =>
    /<title>([^<]*)/.exec(renderPage(createFindings(madeUp)))?.[1]?.replace("weave_servers: ", "");
  assert.is(verdict({ hosts: 3 }), "✓ All 36 paths work");
  assert.is(verdict({ hosts: 3, blocked: between(1, 2) }), "× 12 of 36 paths are blocked");
  assert.is(verdict({ hosts: 3, off: [2] }), "× 1 host gave no answer; all 12 paths work");
  assert.is(
    verdict({ hosts: 2, more: () => ({ off_network: ["web"] }) }),
    "× All 12 paths work, but there are problems",
  );
  assert.is(verdict({ hosts: 1 }), "✓ One host, and no other to reach");
  // As if they were excused.
  assert.is(verdict({ hosts: 3, playing: [] }), "– No path was tested");
});

test("paths without a result do not count as paths that work", () => {
  const found = createFindings({ hosts: 2 });
  const sources = found.sources.map((source) => {
    const [[address] = [""], ...others] = Object.entries(source.ms);
    return { ...source, ms: Object.fromEntries(others), untested: [address] };
  });
  const title = /<title>([^<]*)/.exec(renderPage({ ...found, sources }))?.[1];
  assert.is(title, "× weave_servers: 8 of 12 paths work, the others were not tested");
});

test("a host whose containers can't be tested for want of Docker does not look as if it works", () => {
  const stopped = createFindings({ hosts: 2, more: (number) => (number === 2 ? { docker: "stopped" } : {}) });
  const failing = createFindings({ hosts: 2, more: (number) => (number === 2 ? { docker: "failing" } : {}) });
  assert.match(reportOf(failing).summary[0] ?? "", "docker2: Docker answered with an error, so");
  assert.equal(reportOf(stopped).summary, ["docker2: Docker gave no answer, so its containers were not tested."]);
  const page = renderPage(stopped);
  assert.match(page, "docker1: works");
  assert.match(page, "docker2: has problems");
});

test("an answer of an older verify_probe.sh makes a report, too", () => {
  const older = createFindings({ hosts: 3 });
  const hosts = older.hosts.map(({ name, underlay, error, bridge, containers }) => {
    return {
      name,
      underlay,
      error,
      bridge,
      containers,
      off_network: [],
      datapath: { kind: "vxlan", port: 4789, state: "up" },
    };
  });
  assert.match(renderPage({ ...older, hosts }), "All 36 paths work");
});

test.run();

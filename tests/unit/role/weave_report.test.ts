import { suite } from "uvu";
import * as assert from "uvu/assert";
import { between, type Findings, type MadeUp, makeUp } from "../support/findings";
import { renderPage } from "../support/report_page";
import { callPlugin } from "../support/role_plugin";

/** The page of playbooks/verify.yml: weave_report.py, weave_picture.py and the template, as the role uses them. */
const test = suite("the page of what verify.yml finds");

interface Pair {
  readonly from: string;
  readonly to: string;
  readonly kind: string;
  readonly words: string;
}

interface Node {
  readonly host: { readonly name: string };
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

interface Report {
  readonly total: number;
  readonly open: number;
  readonly hosts: readonly { name: string; state: string; peers: string; containers: readonly { missed: boolean }[] }[];
  readonly pairs: readonly Pair[];
  readonly summary: readonly string[];
  readonly matrix: {
    readonly single: boolean;
    readonly blocks: readonly {
      readonly groups: readonly { readonly host: string; readonly targets: readonly unknown[] }[];
      readonly rows: readonly {
        readonly host: string;
        readonly container: string | null;
        readonly cells: readonly { readonly kind: string; readonly text: string }[];
      }[];
    }[];
  };
}

interface Picture {
  readonly box: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
  readonly cards: boolean;
  readonly card: { readonly width: number; readonly height: number };
  readonly nodes: readonly Node[];
  readonly lines: Readonly<Record<string, string>>;
  readonly meshed: boolean;
  readonly misses: readonly (Pair & { readonly mark: object | null })[];
  readonly kinds: readonly string[];
}

const reportOf = (found: Findings): Report => callPlugin("weave_report", "report", [found]);
const pictureOf = (found: Findings): Picture => {
  const { hosts, pairs } = reportOf(found);
  return callPlugin("weave_picture", "picture", [hosts, pairs]);
};
const states = ({ hosts }: Report): string => hosts.map(({ state }) => state).join(" ");
const kinds = ({ pairs }: Report): string => pairs.map(({ kind }) => kind).join(" ");

test("of a sound cluster every way is open, every pair and every host", () => {
  const report = reportOf(makeUp({ hosts: 3 }));
  assert.equal([report.total, report.open], [36, 36]);
  assert.is(states(report), "open open open");
  assert.is(kinds(report), "open open open");
  assert.equal(report.summary, []);
  assert.is(report.hosts[0]?.peers, "2 of 2");
});

test("a closed way is told by pair and direction", () => {
  const all = reportOf(makeUp({ hosts: 3, closed: between(1, 2) }));
  assert.is(kinds(all), "closed open open");
  assert.is(states(all), "some some open");
  assert.equal(all.summary, ["docker1 and docker2: no way is open of 12."]);

  const oneway = reportOf(makeUp({ hosts: 3, closed: (from, to) => from === 2 && to === 1 }));
  assert.is(kinds(oneway), "oneway open open");
  assert.equal([oneway.pairs[0]?.from, oneway.pairs[0]?.to], ["docker2", "docker1"]);
  assert.equal(oneway.summary, ["docker2 does not reach docker1, but is reached from there."]);

  const some = reportOf(makeUp({ hosts: 2, closed: (_, __, container) => container === "cache-2" }));
  assert.equal(some.summary, ["docker1 and docker2: 10 of 12 ways are open."]);
  assert.equal(
    some.hosts[1]?.containers.map(({ missed }) => missed),
    [false, true],
  );
});

test("what everybody misses is said once, and held against one host", () => {
  const cut = reportOf(makeUp({ hosts: 30, closed: (from, to) => from === 7 || to === 7 || between(3, 4)(from, to) }));
  assert.equal(cut.summary, [
    "Nothing gets through between docker7 and docker1, docker2, docker3 and 26 more.",
    "docker3 and docker4: no way is open of 12.",
  ]);
  assert.equal(
    cut.hosts.filter(({ state }) => state !== "open").map(({ name, state }) => `${name} ${state}`),
    ["docker3 some", "docker4 some", "docker7 cut"],
  );
  const container = reportOf(makeUp({ hosts: 9, closed: (_, __, name) => name === "cache-2" }));
  assert.equal(container.summary, ["Some ways are closed between docker2 and docker1, docker3, docker4 and 5 more."]);
  assert.is(container.hosts[1]?.state, "some");
});

test("who could not be asked, and what was not tried, is told apart from what is missed", () => {
  const report = reportOf(makeUp({ hosts: 3, off: [3], playing: [1] }));
  assert.is(states(report), "open open unasked");
  assert.is(kinds(report), "open untried untried");
  assert.equal(report.summary, [
    "docker3 could not be asked: ssh: connect to host 192.168.50.3 port 22: No route to host.",
  ]);
  assert.is(report.hosts[2]?.peers, "not seen");
});

test("a host without a bridge is cut off, also where nobody tried it", () => {
  const more = (number: number): object => (number === 2 ? { bridge: { state: "missing", address: null } } : {});
  const report = reportOf(makeUp({ hosts: 2, containers: 0, playing: [1], more }));
  assert.is(states(report), "open cut");
  assert.equal(report.summary, ["docker2: the bridge weave is missing."]);
});

test("tunnels are those that hosts know, by their own addresses or the inventory's", () => {
  const tunnels = (...ends: { kind?: string; local?: string; peers?: string[] }[]): Report =>
    reportOf(makeUp({ hosts: ends.length, more: (number) => ({ datapath: { kind: "vxlan", ...ends[number - 1] } }) }));
  const told = tunnels(
    { local: "192.0.2.1", peers: ["192.168.50.2", "192.0.2.99"] },
    { local: "192.0.2.2", peers: ["192.0.2.1"] },
    { local: "192.0.2.3", peers: [] },
  );
  assert.equal(
    told.hosts.map(({ peers }) => peers),
    [
      "1 of 2; none to docker3; also to 192.0.2.99, of no host of the group",
      "1 of 2; none to docker3",
      "0 of 2; none to docker1, docker2",
    ],
  );
  assert.is(kinds(told), "open relayed relayed");
  // A router of Weave 1.x has its connections in a network of its own.
  assert.is(kinds(tunnels({ kind: "router", peers: [] }, { kind: "router", peers: [] })), "open");
});

const cellsOf = ({ matrix }: Report): string[] =>
  matrix.blocks.flatMap(({ rows }) => rows.map(({ cells }) => cells.map(({ text }) => text || "own").join(" ")));

test("the table has single ways, in steps by their milliseconds, as long as they are not too many", () => {
  const found = makeUp({ hosts: 2, containers: 1, closed: (from, _, container) => from === 2 && container !== null });
  const slow = { ...found.sources[0], ms: { "10.2.0.2": 0.05, "10.2.2.1": 12.3 } } as Findings["sources"][number];
  const slower = { ...found.sources[1], ms: { "10.2.0.2": 3.21 } } as Findings["sources"][number];
  const report = reportOf({ ...found, sources: [slow, slower, ...found.sources.slice(2)] });
  assert.equal(cellsOf(report).slice(0, 2), ["own own 0.05 12", "own own 3.2 –"]);
  assert.match(cellsOf(report)[2] ?? "", /^\d+\.\d\d × own own$/);
  const row = report.matrix.blocks[0]?.rows[0]?.cells.map(({ kind }) => kind);
  assert.equal(row, ["own", "own", "open0", "open2"]);
});

test("beyond that it has a cell for each two hosts", () => {
  const closed = (from: number, to: number, container: string | null): boolean =>
    between(1, 2)(from, to) || (to === 4 && container === "api-4");
  const report = reportOf(makeUp({ hosts: 30, closed }));
  assert.not.ok(report.matrix.single);
  assert.match(cellsOf(report)[0] ?? "", /^own × [\d.]+ 4\/6 /);
  assert.is(report.matrix.blocks[0]?.rows.length, 30);
});

test("blocks of columns are narrow enough for paper, equally wide, and have hosts whole", () => {
  for (const [hosts, containers] of [
    [3, 5],
    [10, 5],
    [30, 2],
    [100, 2],
  ] as const) {
    const { blocks } = reportOf(makeUp({ hosts, containers })).matrix;
    const widths = blocks.map(({ groups }) => groups.reduce((sum, { targets }) => sum + targets.length, 0));
    assert.ok(Math.max(...widths) <= 25, `${hosts} hosts: ${widths}`);
    const names = blocks.flatMap(({ groups }) => groups.map(({ host }) => host));
    assert.is(new Set(names).size, names.length, "no host is in two blocks");
    assert.is(names.length, hosts);
  }
});

test("no card covers another, and all are in the drawing", () => {
  for (let hosts = 1; hosts <= 12; hosts++) {
    const { nodes, card, box, cards } = pictureOf(makeUp({ hosts, containers: 0 }));
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
    const { nodes, cards } = pictureOf(makeUp({ hosts, containers: 0, playing: [1] }));
    assert.not.ok(cards);
    const [first, second] = nodes;
    assert.ok(first && second && Math.hypot(first.x - second.x, first.y - second.y) > 14, String(hosts));
  }
});

test("what is open is drawn faintly up to forty hosts, and what is missed always", () => {
  const many = pictureOf(makeUp({ hosts: 41, containers: 0, closed: between(1, 2) }));
  assert.equal([many.meshed, many.lines, many.misses.length], [false, {}, 1]);
  const mesh = pictureOf(makeUp({ hosts: 30, containers: 0 }));
  assert.is(mesh.lines["open"]?.split("M").length, 436);
  assert.equal(mesh.kinds, ["open"]);
});

test("a mark shows what is missed as long as there are few, and the direction always", () => {
  const marked = ({ misses }: Picture): string =>
    [...new Set(misses.map(({ kind, mark }) => `${kind} ${mark !== null}`))].join();
  const cut = (from: number, to: number): boolean => from === 1 || to === 1;
  assert.is(marked(pictureOf(makeUp({ hosts: 17, containers: 0, closed: cut }))), "closed true");
  assert.is(
    marked(pictureOf(makeUp({ hosts: 18, containers: 0, closed: (from, to) => cut(from, to) || from === 2 }))),
    "closed false,oneway true",
  );
});

const HOSTILE = `<script>alert("'")</script>&amp;{{ 7 * 6 }}`;

test("nothing that a host, a container or a program says becomes markup", () => {
  const page = renderPage(
    makeUp({
      hosts: 5,
      name: (number) => `${number}${HOSTILE}`,
      closed: (from, to) => between(1, 2)(from, to) || (from === 3 && to === 1) || (to === 2 && from === 3),
      off: [5],
      more: (number) => ({
        underlay: HOSTILE,
        containers: [{ name: HOSTILE, address: `10.2.${number}.1`, pid: 1 }],
        docker: HOSTILE,
        subnet: HOSTILE,
        stray: [HOSTILE],
        datapath: { kind: HOSTILE, port: HOSTILE, state: HOSTILE, local: HOSTILE, peers: [HOSTILE] },
        ...(number === 4 ? { bridge: { state: HOSTILE, address: HOSTILE } } : {}),
      }),
    }),
  );
  assert.not.match(page, "<script");
  assert.not.match(page, `"'"`);
  assert.match(page, "&lt;script&gt;alert(&#34;&#39;&#34;)&lt;/script&gt;&amp;amp;{{ 7 * 6 }}");
  assert.not.match(renderPage(makeUp({ hosts: 30, name: (number) => `${number}${HOSTILE}` })), "<script");
});

const SIZES: [string, MadeUp][] = [
  ["one host", { hosts: 1 }],
  ["three", { hosts: 3, closed: between(1, 2) }],
  ["thirty", { hosts: 30, closed: between(1, 2) }],
  ["a hundred", { hosts: 100, off: [5], closed: between(1, 2) }],
];

for (const [name, madeUp] of SIZES) {
  test(`a page of ${name} needs nothing else, and says what each table's heads are`, () => {
    const page = renderPage(makeUp(madeUp));
    assert.not.match(page, /<(script|link|img|iframe|object)\b|\bsrc=|url\(|@import|https?:/);
    assert.match(page, /<title id="drawing">.*<\/title>\s*<desc id="drawn">/);
    assert.equal(
      (page.match(/<th\b[^>]*>/g) ?? []).filter((head) => !head.includes("scope=")),
      [],
    );
    assert.ok(page.length < 500_000, `${page.length} characters`);
  });
}

test("the page says first what the matter is", () => {
  const verdict = (madeUp: MadeUp): string | undefined =>
    /<title>([^<]*)/.exec(renderPage(makeUp(madeUp)))?.[1]?.replace("weave_servers: ", "");
  assert.is(verdict({ hosts: 3 }), "✓ All 36 ways are open");
  assert.is(verdict({ hosts: 3, closed: between(1, 2) }), "× 12 of 36 ways are closed");
  assert.is(verdict({ hosts: 3, off: [2] }), "× 1 host could not be asked; all 12 ways are open");
  assert.is(verdict({ hosts: 2, more: () => ({ stray: ["web"] }) }), "× All 12 ways are open, but not all is well");
  assert.is(verdict({ hosts: 1 }), "✓ One host, and no other to reach");
});

test("an answer of an older host makes a page, too", () => {
  const older = makeUp({ hosts: 3 });
  const hosts = older.hosts.map(({ name, underlay, error, bridge, containers }) => {
    return {
      name,
      underlay,
      error,
      bridge,
      containers,
      stray: [],
      datapath: { kind: "vxlan", port: 4789, state: "up" },
    };
  });
  assert.match(renderPage({ ...older, hosts }), "All 36 ways are open");
});

test.run();

import { join } from "node:path";
import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  numberedDirectives,
  readsFile,
  renderManualInterface,
  withoutSource,
  withSource,
} from "../../../modules/formats/interfaces";
import { matchesGolden } from "../support/golden";
import { forAll } from "../support/property";
import { userErrorOf } from "../support/user_error";

const WEAVE = "/etc/network/interfaces.d/weave.cfg";

const DEBIAN = `# This file describes the network interfaces available on your system
# and how to activate them. For more information, see interfaces(5).

source /etc/network/interfaces.d/*

# The loopback network interface
auto lo
iface lo inet loopback
`;

const UBUNTU_1404 = `# This file describes the network interfaces available on your system
auto lo
iface lo inet loopback

auto eth0
iface eth0 inet dhcp
source /etc/network/interfaces.d/*.cfg
`;

const reads = (...lines: string[]): boolean => readsFile(`${lines.join("\n")}\n`, WEAVE);

test("Debian's default file includes the files in interfaces.d", () => {
  assert.ok(readsFile(DEBIAN, WEAVE));
});

test("a file with Apollo's line includes weave.cfg", () => {
  assert.ok(readsFile(UBUNTU_1404, WEAVE));
});

test("a file without a source line includes no other", () => {
  assert.not.ok(reads("auto lo", "iface lo inet loopback"));
  assert.not.ok(readsFile("", WEAVE));
});

test("a source line for other files does not include this one", () => {
  assert.not.ok(reads("source /etc/network/interfaces.d/*.conf"));
  assert.not.ok(reads("source /etc/network/interfaces.d/eth*"));
  assert.not.ok(reads("source /etc/network/other.d/*"));
  assert.not.ok(reads("source /etc/network/interfaces.d"));
  assert.not.ok(reads("source"));
});

test("a pattern does not match a slash, and must match the whole path", () => {
  assert.not.ok(reads("source /etc/network/*"));
  assert.not.ok(reads("source /etc/*/weave.cfg"));
  assert.not.ok(reads("source /etc/network/interfaces.d/weave"));
  assert.not.ok(reads("source /network/interfaces.d/*"));
});

test("a pattern's dot is a dot", () => {
  assert.not.ok(readsFile("source /etc/network/interfaces.d/*.cfg\n", "/etc/network/interfaces.d/weavexcfg"));
});

test("patterns may have question marks and sets", () => {
  assert.ok(reads("source /etc/network/interfaces.d/w?ave.cfg"));
  assert.ok(reads("source /etc/network/interfaces.d/weave.[a-c]fg"));
  assert.ok(reads("source /etc/network/interfaces.d/weave.[!x]fg"));
  assert.not.ok(reads("source /etc/network/interfaces.d/weave.[!c]fg"));
  assert.not.ok(reads("source /etc/network/interfaces.d/weave.[xy]fg"));
  assert.not.ok(reads("source /etc/network/interfaces.d/weave.[cfg"));
});

test("a path without a leading slash starts at /etc/network", () => {
  assert.ok(reads("source interfaces.d/*"));
  assert.ok(reads("source interfaces.d/weave.cfg"));
  assert.not.ok(reads("source weave.cfg"));
});

test("source-directory skips weave.cfg for its dot, and includes names of letters, digits, - and _", () => {
  for (const line of [
    "source-directory /etc/network/interfaces.d",
    "source-directory /etc/network/interfaces.d/",
    "source-directory interfaces.d",
  ]) {
    assert.not.ok(reads(line), line);
    assert.ok(readsFile(line, "/etc/network/interfaces.d/weave"), line);
    assert.ok(readsFile(line, "/etc/network/interfaces.d/Weave-0_1"), line);
  }
  assert.not.ok(readsFile("source-directory /etc/network/other.d", "/etc/network/interfaces.d/weave"));
});

test("indentation, tabs and trailing spaces are ignored", () => {
  assert.ok(reads("  source\t/etc/network/interfaces.d/*.cfg  "));
  assert.ok(reads("source   /etc/network/interfaces.d/*.cfg\r"));
});

test("a comment is not a directive", () => {
  assert.not.ok(reads("#source /etc/network/interfaces.d/*.cfg"));
  assert.not.ok(reads("  # source /etc/network/interfaces.d/*.cfg"));
});

test("a backslash continues a line", () => {
  assert.ok(reads("source \\", "  /etc/network/interfaces.d/*.cfg"));
  assert.not.ok(reads("iface eth0 inet static \\", "source /etc/network/interfaces.d/*.cfg"));
});

// ifupdown 0.8: get_line() drops comments before it looks for a backslash, and source takes all that wordexp(3) makes of
// the rest of its line. Both tried with its ifquery.
test("a backslash does not continue a comment: the source line below it counts", () => {
  assert.ok(reads("# a comment \\", "source /etc/network/interfaces.d/*.cfg"));
});

// So does ifquery of ifupdown 0.8.41: `auto a \` and `# b` bring up the interfaces a, # and b.
test("what looks like a comment continues a line", () => {
  const lines = numberedDirectives("# a \\\n\nauto \\\n# b\n weave \\\n lo\nauto eth0\nauto eth1 \\");
  assert.equal(
    lines.map(({ line, words }) => `${line} ${words.join(" ")}`.trim()),
    ["2", "3 auto # b", "5 weave lo", "7 auto eth0", "8 auto eth1"],
  );
});

test("a continued line that begins with nothing has no keyword, as ifquery reads it", () => {
  assert.not.ok(reads("\\", " source interfaces.d/*"));
  assert.ok(reads(" \\", "source interfaces.d/*"));
});

test("a source line may have several patterns, of which only the first one is put after the directory", () => {
  assert.ok(reads("source /etc/network/none.d/* /etc/network/interfaces.d/*.cfg"));
  assert.ok(reads("source none.d/* /etc/network/interfaces.d/*.cfg"));
  assert.not.ok(reads("source none.d/* interfaces.d/*.cfg"));
});

test("a source line is added at the beginning, all else stays, and it is removed to the byte", () => {
  forAll([fc.string({ unit: "binary" })], (content) => {
    const added = withSource(content, "/x/*.cfg");
    assert.match(added, /^# Added by Ansible's weave_bridge.*\nsource \/x\/\*\.cfg\n/);
    assert.ok(added.endsWith(`\n${content}`));
    assert.is(withoutSource(added, "/x/*.cfg"), content);
  });
});

test("an added source line is removed also if it has lost its newline", () => {
  assert.is(withoutSource(withSource("", "/x/*.cfg").trimEnd(), "/x/*.cfg"), "");
});

test("of source lines for several bridges, each is removed by itself", () => {
  const both = withSource(withSource(DEBIAN, "/x/one.cfg"), "/x/two.cfg");
  assert.is(withoutSource(both, "/x/one.cfg"), withSource(DEBIAN, "/x/two.cfg"));
  assert.is(withoutSource(both, "/x/two.cfg"), withSource(DEBIAN, "/x/one.cfg"));
  assert.is(withoutSource(both, "/x/*.cfg"), both);
});

test("a source line of others stays", () => {
  for (const content of ["", "source /x/*.cfg\n", UBUNTU_1404, "# Added by Ansible's\nsource /x/*.cfg\n"]) {
    assert.is(withoutSource(content, "/x/*.cfg"), content);
  }
});

test("an added source line includes its file", () => {
  for (const content of ["", "auto lo", "source-directory /etc/network/interfaces.d\n"]) {
    assert.ok(readsFile(withSource(content, "/etc/network/interfaces.d/*.cfg"), WEAVE), JSON.stringify(content));
  }
});

test("a stanza is rendered as in the golden file", () => {
  const text = renderManualInterface({
    comment: "Written by a test.",
    name: "weave",
    steps: [
      { phase: "pre-up", command: "ip link show dev weave >/dev/null 2>&1 || ip link add name weave type bridge" },
      { phase: "post-up", command: "ip addr replace 10.2.0.1/16 dev weave" },
      { phase: "pre-down", command: 'echo "it\'s <down> & out" = `true`' },
      { phase: "post-down", command: "ip link del dev weave" },
    ],
  });
  matchesGolden(text, join(__dirname, "golden/weave.cfg"));
});

test("a text that would end or continue a line of a stanza is rejected", () => {
  const stanza = { comment: "", name: "weave", steps: [] };
  for (const command of ["a\nb", "a\rb", "a\0b", "a\\"]) {
    const message = userErrorOf(() => renderManualInterface({ ...stanza, steps: [{ phase: "pre-up", command }] }));
    assert.match(message, "a line must not have control characters or a backslash at its end (found ");
  }
  assert.match(
    userErrorOf(() => renderManualInterface({ ...stanza, name: "weave\niface eth0 inet manual" })),
    "a line must not have",
  );
});

test.run();

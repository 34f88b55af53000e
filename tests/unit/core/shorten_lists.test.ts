import { test } from "uvu";
import * as assert from "uvu/assert";
import { shortenLists } from "../../../modules/core/shorten_lists";

const PEERS = Array.from({ length: 100 }, (_, index) => `peer 192.168.50.${index + 11}`);
const list = (...parts: readonly (string | readonly string[])[]): string => [...parts.flat(), ""].join("\n");

test("a long list is shortened to its first and last entries, and a line says by how much", () => {
  assert.is(
    shortenLists(list("address 10.2.0.1/16", PEERS, "end"), "absent\n"),
    list("address 10.2.0.1/16", PEERS.slice(0, 2), "[96 more like these are not shown]", PEERS.slice(-2), "end"),
  );
});

test("entries of several lines are shortened as a whole", () => {
  const entry = (index: number): string[] => {
    const key = (letter: string): string => `${letter.repeat(43)}=`;
    return ["", "[Peer]", `PublicKey = ${key("aB+/"[index % 4] ?? "x")}`, `Endpoint = 192.168.50.${index}:51820`];
  };
  const sections = Array.from({ length: 20 }, (_, index) => entry(index));
  const shown = shortenLists(list("[Interface]", "ListenPort = 1", sections.flat()), "");
  assert.is(
    shown,
    list(
      ...["[Interface]", "ListenPort = 1"],
      ...[...sections.slice(0, 2).flat(), "[16 more like these are not shown]", ...sections.slice(-2).flat()],
    ),
  );
});

test("a short list stays, and a list of which the other side has most shows each line that it lacks", () => {
  for (const text of [
    list(PEERS.slice(0, 11)),
    "",
    "one line",
    list(PEERS.map((_, index) => `kind${"x".repeat(index)}`)),
  ]) {
    assert.is(shortenLists(text, "absent\n"), text);
  }
  const before = list(PEERS);
  const after = list(PEERS.slice(0, 40), "peer 192.168.50.200", PEERS.slice(40));
  assert.equal([shortenLists(before, after), shortenLists(after, before)], [before, after]);
});

test("of a list that all changes, each side is shortened in the same way", () => {
  const ends = (port: number): string[] => PEERS.map((peer) => `${peer}:${port}`);
  const shown = (port: number): string =>
    list(ends(port).slice(0, 2), "[96 more like these are not shown]", ends(port).slice(-2));
  assert.is(shortenLists(list(ends(1)), list(ends(2))), shown(1));
  assert.is(shortenLists(list(ends(2)), list(ends(1))), shown(2));
});

test.run();

import { execFileSync } from "node:child_process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { resolveDesired } from "../../../../modules/weave_service/desired";
import { scriptOfVersion } from "../../../../modules/weave_service/script";
import { matchesGolden } from "../../support/golden";
import { FRESH, golden, serviceOptions } from "../fixtures";

/** Compares units and jobs byte by byte. */
const test = suite("units of systemd and jobs of upstart");

interface Unit {
  readonly init: "systemd" | "upstart";
  readonly version: string;
  readonly options: Record<string, unknown>;
  /** By default the component's own unit. */
  readonly text?: "text" | "exposeText";
}

const EXPOSE = { options: { mode: "proxy", expose: true }, text: "exposeText" } as const;

const UNITS: Readonly<Record<string, Unit>> = {
  "weave.service": { init: "systemd", version: "2.8.1", options: {} },
  "weave-on-docker0.service": { init: "systemd", version: "1.4.6", options: { mode: "proxy", expose: true } },
  "weave-expose.service": { init: "systemd", version: "2.8.1", ...EXPOSE },
  "weaveproxy.service": { init: "systemd", version: "1.4.6", options: { component: "proxy" } },
  "weaveplugin.service": { init: "systemd", version: "1.9.8", options: { component: "plugin" } },
  "scope.service": { init: "systemd", version: "1.13.2", options: { component: "scope" } },
  "weave.conf": { init: "upstart", version: "1.0.3", options: { peers: ["192.168.50.12"] } },
  "weave-on-docker0.conf": { init: "upstart", version: "1.9.8", options: { mode: "proxy", expose: true } },
  "weave-expose.conf": { init: "upstart", version: "1.9.8", ...EXPOSE },
  "weaveproxy.conf": { init: "upstart", version: "1.0.3", options: { component: "proxy" } },
  "weavescope.conf": { init: "upstart", version: "0.1.0", options: { component: "scope" } },
};

const textOf = ({ init, version, options, text = "text" }: Unit): string =>
  resolveDesired(serviceOptions(options), { ...FRESH, init, script: scriptOfVersion(version) })[text] ?? "";

for (const [name, unit] of Object.entries(UNITS)) {
  test(name, () => {
    matchesGolden(textOf(unit), golden(name));
  });
}

for (const init of ["systemd", "upstart"] as const) {
  test(`${init} runs the docker program that the host has`, () => {
    const own = "/usr/local/bin/docker";
    for (const [version, options] of [
      ["2.8.1", {}],
      ["1.4.6", { mode: "proxy" }],
      ["1.4.6", { component: "proxy" }],
    ] as const) {
      const host = { ...FRESH, init, script: scriptOfVersion(version) };
      const text = resolveDesired(serviceOptions(options), { ...host, dockerClient: own }).text;
      const usual = resolveDesired(serviceOptions(options), host).text;
      assert.is(text, usual.replaceAll("/usr/bin/docker", own));
      assert.is.not(text, usual);
    }
  });
}

/** The stanzas of init(5) that our jobs use, with their arguments. */
const STANZAS =
  /^(description "[^"]*"|(start|stop) on (started|stopping) \w+|respawn|respawn limit \d+ \d+|normal exit \d+|kill timeout \d+|console log)$/;

for (const [name, unit] of Object.entries(UNITS).filter(([, { init }]) => init === "upstart")) {
  test(`${name} follows upstart's grammar, and its scripts sh's`, () => {
    let scripts = 0;
    const rest = textOf(unit).replace(/^(?:post-stop )?script\n([\s\S]*?)^end script$/gm, (_, body: string) => {
      scripts++;
      execFileSync("sh", ["-n"], { input: body });
      return "";
    });
    assert.is(scripts, unit.text === undefined ? 2 : 1);
    for (const line of rest.split("\n").filter((text) => text !== "" && !text.startsWith("#"))) {
      assert.match(line, STANZAS);
    }
  });
}

test.run();

import { type SpawnSyncOptionsWithStringEncoding, spawnSync } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { redactSecrets, rememberSecretsIn } from "../../../modules/core/redact";
import { hideRememberedSecrets, rememberSecret } from "../../../modules/core/secrets";

const SECRETS = ["it's a 'secret'", 'pass"word\\1', "pä$$w%rd&<x>/?", "plain-hush", "€ + ~`!#;|*"];
for (const secret of SECRETS) rememberSecret(secret);

/** No variable of this shell's, such as BASH_ENV. */
const PLAIN: SpawnSyncOptionsWithStringEncoding = {
  encoding: "utf8",
  env: { PATH: process.env["PATH"] },
  // With a socket there, as Node.js makes it, bash would read .bashrc.
  stdio: ["ignore", "pipe", "pipe"],
};

/** What real programs make of a text. */
const output = (program: string, ...args: string[]): string => {
  const { stdout, status, stderr } = spawnSync(program, args, PLAIN);
  assert.is(status, 0, stderr);
  return stdout;
};

const QUOTINGS: Readonly<Record<string, (secret: string) => string>> = {
  "as it is": (secret) => secret,
  "bash's set -x": (secret) => spawnSync("bash", ["-xc", ': "$1"', "bash", secret], PLAIN).stderr,
  "dash's set -x": (secret) => spawnSync("dash", ["-xc", ': "$1"', "dash", secret], PLAIN).stderr,
  "printf %q": (secret) => output("bash", "-c", 'printf %q "$1"', "bash", secret),
  "bash's export": (secret) => output("bash", "-c", 'export X="$1"; export -p | grep X=', "bash", secret),
  "dash's export": (secret) => output("dash", "-c", 'export X="$1"; export -p | grep X=', "dash", secret),
  "quotes closed, in double quotes and opened": (secret) => `'${secret.replaceAll("'", `'"'"'`)}'`,
  "quotes closed, escaped and opened": (secret) => `'${secret.replaceAll("'", "'\\''")}'`,
  "Python's repr": (secret) => output("python3", "-c", "import sys; print(repr(sys.argv[1]))", secret),
  "Python's ascii": (secret) => output("python3", "-c", "import sys; print(ascii(sys.argv[1]))", secret),
  "Python's bytes": (secret) => output("python3", "-c", "import sys; print(sys.argv[1].encode())", secret),
  JSON: (secret) => JSON.stringify({ k: secret }),
  "JSON in ASCII": (secret) => output("python3", "-c", "import json, sys; print(json.dumps(sys.argv[1]))", secret),
  "Go's JSON": (secret) =>
    JSON.stringify(secret).replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16).padStart(2, "0")}`),
  "JSON in JSON": (secret) => JSON.stringify(JSON.stringify(secret)),
  "JSON of what a shell would read": (secret) => JSON.stringify(`'${secret.replaceAll("'", "'\\''")}'`),
  "a part of a URL": (secret) => encodeURIComponent(secret),
  "a part of a URL, in small letters": (secret) => encodeURIComponent(secret).toLowerCase(),
  "all of it as in a URL": (secret) => Buffer.from(secret).toString("hex").replace(/../g, "%$&"),
  "a form": (secret) => new URLSearchParams({ k: secret }).toString(),
  "\\x of each byte": (secret) => Buffer.from(secret).toString("hex").replace(/../g, "\\x$&"),
  "octal numbers": (secret) =>
    [...Buffer.from(secret)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join(""),
  "systemd's environment file": (secret) => `WEAVE="${secret.replace(/["\\$`]/g, "\\$&")}"`,
  "systemd's command line": (secret) => secret.replace(/[%$]/g, "$&$&"),
  "bytes as characters": (secret) => Buffer.from(secret).toString("latin1"),
  HTML: (secret) => secret.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`),
  "HTML by names": (secret) => secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"),
};

for (const [how, quote] of Object.entries(QUOTINGS)) {
  test(`a secret is hidden: ${how}`, () => {
    for (const secret of SECRETS) {
      // Python's lower case of %XX is not the secret's own.
      if (how.endsWith("small letters") && secret !== secret.toLowerCase()) continue;
      const quoted = quote(secret);
      const shown = hideRememberedSecrets(`before (${quoted}) after`);
      assert.match(shown, "********", quoted);
      assert.match(shown, /^before \(.*\) after$/s, "nothing else is hidden");
      const rest = shown.replace("before (", "").replace(") after", "");
      for (const part of ["secret", "word", "w%rd", "hush", "~"])
        assert.not.ok(rest.includes(part), `${part} in ${shown}`);
    }
  });
}

test("what is no secret is kept, even in words that are in one", () => {
  for (const text of ["its a secret", "pass and word1", "100% of $HOME\\n", "%41 \\x41 &amp; 'a' + \"b\"", ""]) {
    assert.is(hideRememberedSecrets(text), text);
  }
});

test("several secrets are hidden, each once", () => {
  assert.is(hideRememberedSecrets("plain-hush, plain-hush plain%2Dhush!"), "********, ******** ********!");
});

test("what a file has for a secret's name is hidden wherever it stands", () => {
  rememberSecretsIn(
    "ExecStart=/mnt/weave launch --password='from an old unit' host2\nTOKEN=tok-1234\nHTTP=http://me:proxypw@p/\n",
  );
  const text = "weave: wrong from%20an%20old%20unit, tok-1234, proxypw";
  assert.is(hideRememberedSecrets(text), "weave: wrong ********, ********, ********");
  assert.is(redactSecrets(text), text, "a diff shows what its own text says");
});

// If the time grew with the square of the length, this would not end.
test("a megabyte, even of quotes and escapes, is searched", () => {
  for (const word of ["x", "plain-hus", "\\", "'", "%41", "\\x41", "&amp;"]) {
    const text = word.repeat(2 ** 20 / word.length);
    assert.ok(hideRememberedSecrets(text) === text, word);
  }
});

test.run();

import { REDACTED, rememberSecret } from "./secrets";

/** Anchored at the start of a word, so that a megabyte without a space is not slower than other text. */
const NAME = String.raw`(?<![\w.-])(?=[\w.-]*?(?:token|password|secret|apikey|api-key))`;

/** A quoted value, also within other quotes, or the text up to the next white space. */
const VALUE = String.raw`\\"[^"\\]*(?:\\"|$)|"(?:\\[\s\S]|[^"\\])*(?:"|$)|'[^']*(?:'|$)|[^\s"',}\\]+`;

const NAMED = new RegExp(String.raw`${NAME}([\w.-]+\\?["']?\s*[=:]\s*|--[\w-]+\s+)(${VALUE})`, "gi");

/**
 * A text for a diff or message, such as dockerd's options or a program's arguments, with passwords in URLs and the values of
 * names like token, password or secret replaced by asterisks.
 */
export function redactSecrets(text: string): string {
  return text
    .replace(/(:\/\/[^\s/@:"']*:)[^\s/@"']+@/g, `$1${REDACTED}@`)
    .replace(NAMED, (_, name: string, value: string) => {
      const [, open = "", close = ""] = /^(\\?["'])[\s\S]*?(\\?["'])?$/.exec(value) ?? [];
      return `${name}${open}${REDACTED}${close}`;
    });
}

/** Remembers the values that redactSecrets() would replace, so that no message shows them. */
export function rememberSecretsIn(text: string): void {
  for (const [, password = ""] of text.matchAll(/:\/\/[^\s/@:"']*:([^\s/@"']+)@/g)) rememberSecret(password);
  for (const [, , value = ""] of text.matchAll(NAMED)) rememberSecret(value.replace(/^\\?["']|\\?["']$/g, ""));
}

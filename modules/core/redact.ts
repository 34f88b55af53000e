/** From a word's beginning alone, so that a megabyte without a space takes no longer than any other. */
const NAME = String.raw`(?<![\w.-])(?=[\w.-]*?(?:token|password|secret|apikey|api-key))`;

/** Quoted, where the quotes are within others too, or up to the next white space. */
const VALUE = String.raw`\\"[^"\\]*(?:\\"|$)|"(?:\\[\s\S]|[^"\\])*(?:"|$)|'[^']*(?:'|$)|[^\s"',}\\]+`;

const NAMED = new RegExp(String.raw`${NAME}([\w.-]+\\?["']?\s*[=:]\s*|--[\w-]+\s+)(${VALUE})`, "gi");

/**
 * Takes a text, such as dockerd's options on a line or in JSON, or a program's words; returns it as a diff or message may
 * show it: without the passwords in URLs, such as a proxy's, and without values that are named for what they hold.
 */
export function redactSecrets(text: string): string {
  return text
    .replace(/(:\/\/[^\s/@:"']*:)[^\s/@"']+@/g, `$1${MASK}@`)
    .replace(NAMED, (_, name: string, value: string) => {
      const [, open = "", close = ""] = /^(\\?["'])[\s\S]*?(\\?["'])?$/.exec(value) ?? [];
      return `${name}${open}${MASK}${close}`;
    });
}

const MASK = "********";

/**
 * The JSON text of a value, in ASCII only. Ansible splits a module's output at every Unicode line separator (U+0085, U+2028,
 * U+2029), and a lone surrogate can't be encoded; escaped, both are safe.
 */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

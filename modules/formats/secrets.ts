/**
 * Takes a text with dockerd's options, on a line or in JSON; returns it as a diff or message may show it: without the
 * passwords in URLs, such as a proxy's, and without the values of options that are named for what they hold.
 */
export function masked(text: string): string {
  return text
    .replace(/(:\/\/[^\s/@:"']*:)[^\s/@"']+@/g, "$1********@")
    .replace(/([\w.-]*(?:token|password|secret|apikey|api-key)[\w.-]*"?\s*[=:]\s*"?)[^\s"',}]+/gi, "$1********");
}

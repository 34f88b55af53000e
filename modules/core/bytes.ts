/** The text whose UTF-8 bytes these are, one character per byte, as contents of files and of /proc are kept. */
export function toText(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** The UTF-8 bytes of a text, one character per byte. */
export function toBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** The content of a file without the byte order mark (in UTF-8) that Windows' editors write at its start. */
export function withoutByteOrderMark(bytes: string): string {
  return bytes.replace(/^\xef\xbb\xbf/, "");
}

/** Whether bytes are UTF-8 as systemd accepts it, so without code points that Unicode reserves (unichar_is_valid(), src/basic/utf8.c). */
export function isUtf8(bytes: string): boolean {
  const text = toText(bytes);
  return toBytes(text) === bytes && !/\p{Noncharacter_Code_Point}/u.test(text);
}

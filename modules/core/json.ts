/** Checks that data from outside, such as the JSON of a service, has the type that the code expects. */
export type Guard<T> = (value: unknown) => value is T;

/** The type that a guard checks. */
export type Guarded<G> = G extends Guard<infer T> ? T : never;

/** Guards of the simple types. */
export const isString: Guard<string> = (value) => typeof value === "string";
export const isNumber: Guard<number> = (value) => typeof value === "number";
export const isBoolean: Guard<boolean> = (value) => typeof value === "boolean";

/** A JSON object, not null or a list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Allows null and undefined, as Go writes an empty list or an unset pointer. */
export function isOptional<T>(guard: Guard<T>): Guard<T | null | undefined> {
  return (value): value is T | null | undefined => value === null || value === undefined || guard(value);
}

/** A list whose elements all pass the guard. */
export function isListOf<T>(guard: Guard<T>): Guard<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.every(guard);
}

/** An object with any names, such as a map of labels. */
export function isMapOf<T>(guard: Guard<T>): Guard<Readonly<Record<string, T>>> {
  return (value): value is Readonly<Record<string, T>> => isObject(value) && Object.values(value).every(guard);
}

/** An object with at least these members. */
export function isShape<Members extends Readonly<Record<string, Guard<unknown>>>>(
  members: Members,
): Guard<{ readonly [Name in keyof Members]: Guarded<Members[Name]> }> {
  return (value): value is { readonly [Name in keyof Members]: Guarded<Members[Name]> } =>
    isObject(value) && Object.entries(members).every(([name, guard]) => guard(value[name]));
}

/** The value of a JSON text, or null if it has another type or the text is not JSON. */
export function parseJson<T>(text: string, guard: Guard<T>): T | null {
  try {
    const value: unknown = JSON.parse(text);
    return guard(value) ? value : null;
  } catch {
    return null;
  }
}

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

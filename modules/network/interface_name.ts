import { Refusal } from "../core/refusal";

/** The longest name that the kernel takes: IFNAMSIZ less the NUL. */
export const LONGEST_INTERFACE_NAME = 15;

/**
 * Takes a network interface's name and returns it. Throws a Refusal for one that the kernel, ifupdown's grammar or a
 * shell would read as something else.
 */
export function interfaceName(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(text) || text.length > LONGEST_INTERFACE_NAME) {
    throw new Refusal(
      `"${text}" is not an interface's name; use up to ${LONGEST_INTERFACE_NAME} letters, digits, "-", "_" and "."`,
    );
  }
  return text;
}

import { type Change, runAction } from "../../../modules/core/change";
import type { Module } from "../../../modules/core/module";
import { int, str } from "../../../modules/core/options";
import type { RunMode } from "../../../modules/core/run_module";
import { fakeHost } from "./fake_host/fake_host";

/** A lamp whose level and color the module sets. Changing its bulb is pending. */
export interface Lamp {
  level: number;
  color: string;
  bulb: string;
}

/** The options of the module for a lamp. */
export const options = {
  level: int({ description: "" }, 0, 10),
  color: str({ description: "", default: "white" }),
};

/** The module observes and changes `lamp`; tests replace parts of it. */
export function lampModule(
  lamp: Lamp,
  changes: Partial<Module<typeof options, Lamp>> = {},
): Module<typeof options, Lamp> {
  return {
    name: "lamp",
    options,
    observe: () => ({ ...lamp }),
    plan: ({ level, color }, found) => ({
      changes: [
        ...difference("level", String(found.level), String(level)),
        ...difference("color", found.color, color, { disruption: "the light" }),
        ...difference("bulb", found.bulb, "new", { actions: [], pending: "a person" }),
      ],
      returns: { level, was_lit: found.level > 0 },
    }),
    ...changes,
  };
}

/** One change, if the two texts differ. */
export function difference(subject: string, before: string, after: string, more: Partial<Change> = {}): Change[] {
  return before === after ? [] : [{ subject, before, after, actions: [runAction(["set", subject, after])], ...more }];
}

/** Makes a change on the lamp and records it. */
export function applyTo(lamp: Lamp, made: string[] = []) {
  return async ({ subject, after }: Change): Promise<void> => {
    made.push(subject);
    if (subject === "level") lamp.level = Number(after);
    if (subject === "color") lamp.color = after;
    if (subject === "bulb") lamp.bulb = after;
  };
}

/** How the module is run, on a host that it does not look at. */
export const CHECK: RunMode = { check: true, diff: true };
export const RUN: RunMode = { check: false, diff: true };
export const host = fakeHost({});
export const given = new Map<string, unknown>([
  ["level", 5],
  ["color", "red"],
]);
export const dark = (): Lamp => ({ level: 0, color: "white", bulb: "new" });

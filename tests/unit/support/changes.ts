import type { Change } from "../../../modules/core/change";

/** An action as a text: the command line, or "write PATH 0644". */
function stepOf(action: Change["actions"][number]): string {
  switch (action.do) {
    case "run":
      return action.argv.join(" ");
    case "request":
      return `${action.request.method} ${action.request.path} ${action.request.body ?? ""}`.trim();
    case "await":
      return `await ${action.request.path} for ${action.timeout} s`;
    case "set":
      return `set ${action.path} ${action.value}`;
    case "fail":
      return `fail: ${action.message}`;
    case "validate":
      return action.argv.join(" ");
    case "try":
      return [
        action.steps.map(stepOf).join(", "),
        ...action.rollback.map(({ steps }) => `otherwise ${steps.map(stepOf).join(", ")}`),
        ...(action.afterwards ?? []).map((step) => `then ${stepOf(step)}`),
      ].join("; ");
    case "stop":
    case "start":
      return `${action.do} ${action.containers.map(({ name }) => name).join(" ")} within ${action.timeout} s`;
    case "remove":
      return `remove ${action.path}`;
    case "write":
    case "chmod":
      return `${action.do} ${action.path} ${action.mode.toString(8).padStart(4, "0")}`;
  }
}

/** Changes as tests compare them: the subject, before and after, and the actions as texts. */
export function inWords(
  changes: readonly Change[],
): { subject: string; before: string; after: string; steps: string[] }[] {
  return changes.map(({ subject, before, after, actions }) => ({ subject, before, after, steps: actions.map(stepOf) }));
}

export const subjects = (changes: readonly Change[]): string[] => changes.map(({ subject }) => subject);

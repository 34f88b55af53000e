import { type Change, fileChanges } from "../core/change";
import { redactSecrets } from "../core/redact";
import type { DesiredService } from "./desired";
import type { ObservedService } from "./observe";

/** What of the unit and its environment file is to change. */
export function files(
  { init, component, unit, text, environmentText, redact }: DesiredService,
  observed: ObservedService,
): Change[] {
  const changes = fileChanges(observed.unit.file, {
    path: init.pathOf(component),
    content: text,
    mode: 0o644,
    // Another's may launch with a password in it.
    redact: redactSecrets,
    afterwards: init.reload,
  });
  const reload: Change = {
    subject: `${unit}, as ${observed.init} has it`,
    before: "an older one\n",
    after: "the file's\n",
    actions: init.reload,
  };
  return [
    ...fileChanges(observed.environment, {
      path: component.environmentPath,
      content: environmentText,
      mode: 0o600,
      redact,
    }),
    ...changes,
    ...(changes.length === 0 && observed.unit.needsReload ? [reload] : []),
  ];
}

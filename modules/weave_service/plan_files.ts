import { type Change, fileChanges } from "../core/change";
import { redactSecrets } from "../core/redact";
import type { DesiredService } from "./desired";
import type { ObservedService } from "./observed";

/** The changes to the unit and its environment file. */
export function planFiles(
  { init, component, unit, text, environmentText, redact }: DesiredService,
  observed: ObservedService,
): Change[] {
  const unitChanges = fileChanges(observed.unit.file, {
    path: init.pathOf(component),
    content: text,
    mode: 0o644,
    // A unit that something else wrote may contain a password.
    redact: redactSecrets,
    afterwards: init.reload,
  });
  const reload: Change = {
    subject: `${unit}, as loaded by ${observed.init}`,
    before: "an older version\n",
    after: "the file's version\n",
    actions: init.reload,
  };
  return [
    ...fileChanges(observed.environment, {
      path: component.environmentPath,
      content: environmentText,
      mode: 0o600,
      redact,
    }),
    ...unitChanges,
    ...(unitChanges.length === 0 && observed.unit.needsReload ? [reload] : []),
  ];
}

/** The changes that remove the unit and its environment file. */
export function planFileRemoval({ init, component, redact }: DesiredService, observed: ObservedService): Change[] {
  return [
    ...fileChanges(observed.unit.file, {
      path: init.pathOf(component),
      content: null,
      redact: redactSecrets,
      afterwards: init.reload,
    }),
    ...fileChanges(observed.environment, { path: component.environmentPath, content: null, redact }),
  ];
}

import { type Change, fileChanges, reloadOf, runAction } from "../core/change";
import { redactSecrets } from "../core/redact";
import { EXPOSE } from "./components";
import type { DesiredService } from "./desired";
import type { InitSystem } from "./init/init_system";
import type { ObservedService } from "./observed";

/** The changes to the unit and its environment file. */
export function planFiles(
  { init, component, unit, text, exposeText, environmentText, redact }: DesiredService,
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
  const exposeChanges = exposeFile(init, exposeText, observed);
  const outdated = observed.unit.needsReload || observed.exposeUnit?.needsReload === true;
  const reload = reloadOf(unit, init.reload);
  return [
    ...fileChanges(observed.environment, {
      path: component.environmentPath,
      content: environmentText,
      mode: 0o600,
      redact,
    }),
    ...exposeChanges,
    ...unitChanges,
    ...(unitChanges.length + exposeChanges.length === 0 && outdated ? [reload] : []),
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
    ...exposeFile(init, null, observed),
    ...fileChanges(observed.environment, { path: component.environmentPath, content: null, redact }),
  ];
}

/** The change to the unit EXPOSE, which is stopped before its file is removed. */
function exposeFile(init: InitSystem, content: string | null, { exposeUnit }: ObservedService): Change[] {
  if (exposeUnit === null) return [];
  const isActive = exposeUnit.state !== "stopped" && exposeUnit.state !== "failed";
  const changes = fileChanges(exposeUnit.file, {
    path: init.pathOf(EXPOSE),
    content,
    mode: 0o644,
    afterwards: init.reload,
  });
  const stop = content === null && isActive ? [runAction(init.stop(EXPOSE))] : [];
  return changes.map((change) => ({ ...change, actions: [...stop, ...change.actions] }));
}

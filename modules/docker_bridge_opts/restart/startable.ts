import type { Action } from "../../core/change";
import { orNull, UserError } from "../../core/errors";
import { redactSecrets } from "../../core/redact";
import { invalidWords } from "../../formats/docker_flags";
import { type Configuration, configurationToStartWith } from "../configuration";
import type { ObservedDocker } from "../observed";
import { VARIABLE } from "../service/command_line";
import { NOTHING_WRITTEN, nameOrigin } from "../service/docker_service";
import { requireEnvironmentFiles } from "../service/environment";
import { requireStartable, validateByDocker } from "../validate";
import { isOfDaemon } from "./rollback";

/**
 * A step that fails if Docker would not start, so that the running one is not stopped. It is a step and not an error of the plan: in
 * check mode the task before, which would correct the file, has not done so.
 */
export function failUnlessStartable(observed: ObservedDocker): Action[] {
  const { daemon, saved, version } = observed;
  // A stopped Docker may as well be tried, where its configuration from before can be restored.
  if (daemon === null && isOfDaemon(saved, null)) return [];
  const configuration = orNull(() => configurationToStartWith(observed));
  // A restart does not depend on what can be computed.
  if (configuration === null) return [];
  const reason = whyNotStartable(configuration, observed);
  if (reason === null) return validateByDocker(configuration, version);
  return [{ do: "fail", message: `Docker was not restarted, as it would not start. ${reason}` }];
}

/** What is wrong, and what to do; null if nothing is known to be wrong. */
function whyNotStartable(configuration: Configuration, observed: ObservedDocker): string | null {
  const { service, dropIn } = observed;
  const { unit, otherArguments } = configuration;
  const ours = otherArguments.filter(({ origin }) => origin.variable === VARIABLE);
  const unexpanded = ours.find(({ value }) => /\$\{?[A-Za-z_]/.test(value));
  if (unexpanded !== undefined) {
    return (
      `${nameOrigin(unexpanded.origin)}: must not refer to a variable, as systemd expands none there (found ${redactSecrets(unexpanded.value)}). ` +
      "Run docker_bridge_opts with its options first, or write all options in the line."
    );
  }
  const [stray] = invalidWords(ours);
  if (stray !== undefined) {
    return `${nameOrigin(stray.origin)}: must have options with their values (found ${JSON.stringify(redactSecrets(stray.value))}). Correct the line.`;
  }
  try {
    if (unit !== null && service.unit !== null) {
      requireEnvironmentFiles(unit.settings, service.unit, { ...NOTHING_WRITTEN, dropIn: dropIn?.content ?? null });
    }
    requireStartable(configuration, observed);
    return null;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

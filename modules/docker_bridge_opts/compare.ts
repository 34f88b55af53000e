import { UserError } from "../core/errors";
import { redactSecrets } from "../core/redact";
import { daemonOptions } from "../formats/daemon_json";
import { parseDockerFlags } from "../formats/docker_flags";
import { type DockerFlags, meansTheSame } from "../formats/docker_options";
import { type Configuration, optionsOf } from "./configuration";
import type { DesiredFiles } from "./files";
import type { ObservedDocker } from "./observed";
import { type CommandLine, commandLine, originsOf } from "./service/command_line";
import { DROP_IN_PATH, nameOrigin, type Written } from "./service/docker_service";
import { requireEnvironmentFiles } from "./service/environment";

/**
 * Throws a UserError unless dockerd gets exactly what is asked for once the files are written: the desired options, and every other
 * one as it is. What systemd will pass is computed from the files, and compared with what they are meant to say.
 */
export function requireExpectedOptions(
  current: Configuration,
  desired: DockerFlags,
  files: DesiredFiles,
  overridden: ReadonlySet<string>,
  { service }: ObservedDocker,
): void {
  const meant = optionsOf(files.configuration);
  const before = optionsOf(current);
  for (const name of new Set([...before.keys(), ...meant.keys()])) {
    const values = desired.get(name);
    const expected = values === undefined ? before.get(name) : values;
    const mayDiffer = values === undefined ? overridden.has(name) : values.length === 0;
    if (mayDiffer || meansTheSame(name, meant.get(name), expected)) continue;
    throw new UserError(
      `--${name}: must be ${render(name, expected)} for dockerd (found that it would get ${render(name, meant.get(name))}${placesOf(name, current)}). ` +
        "Set it in one place only.",
    );
  }
  if (service.unit === null) return;
  const written: Written = { dropIn: files.dropIn, files: new Map([[service.filePath, files.options]]) };
  const after = commandLine(service.unit, written);
  requireOwnDropIn(after, files);
  const real = new Map([...daemonOptions(files.config ?? ""), ...parseDockerFlags(after.args)]);
  for (const name of new Set([...meant.keys(), ...real.keys()])) {
    if (meansTheSame(name, real.get(name), meant.get(name))) continue;
    const origins = originsOf(after.args, new Set([name]));
    throw new UserError(
      `--${name}: must be ${render(name, meant.get(name))} for dockerd (found that systemd would pass ${render(name, real.get(name))}` +
        `${origins.length > 0 ? `; ${origins[0]} sets it` : ""}). Set it in one place only.`,
    );
  }
  requireEnvironmentFiles(after.settings, service.unit, written);
}

/** Of several drop-ins the last one applies. */
function requireOwnDropIn({ origin }: CommandLine, { dropIn }: DesiredFiles): void {
  if (dropIn === null || origin.path === DROP_IN_PATH) return;
  throw new UserError(
    `${nameOrigin(origin)}: must not set ExecStart= after ${DROP_IN_PATH}, which would have no effect (found that it does). ` +
      "Rename that drop-in, so that it sorts before zz-weave.conf.",
  );
}

function placesOf(name: string, { otherArguments }: Configuration): string {
  const places = originsOf(otherArguments, new Set([name]));
  return places.length > 0 ? `; ${places.join("; ")} sets it` : "";
}

function render(name: string, values: readonly string[] | undefined): string {
  if (values === undefined || values.length === 0) return "no value";
  return values.map((value) => redactSecrets(`--${name}=${value}`)).join(" ");
}

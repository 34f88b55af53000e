import { type Action, type Change, fileChanges, run } from "../core/change";
import type { FileState } from "../core/host/host";
import type { Plan } from "../core/module";
import { redactSecrets } from "../core/redact";
import type { DockerFlags } from "../formats/docker_options";
import { splitWords } from "../formats/shell_words";
import { canValidate, refuseBadOptions, refuseContradictions, refuseLostSocket } from "./checks";
import { type Configuration, configure, flagsOf, leftOut, optionsOf, type Place } from "./configuration";
import { flagsToTakeOut, refuseForeignSubnet, wantedFlags } from "./desired";
import { DROP_IN_PATH, renderDropIn } from "./drop_in";
import type { ObservedDocker } from "./observe";
import type { DockerOptions } from "./options";
import { readOptions, VARIABLE, writeOptions } from "./options_file";
import { restartOwed, runningOptions } from "./owed";
import { isCurrent, keep } from "./previous";
import { restart } from "./restart";

/** Decides what the files that dockerd reads are to say, and whether the running daemon owes a restart. */
export function plan(options: DockerOptions, observed: ObservedDocker): Plan {
  const { service, configPath, daemon, version } = observed;
  const present = presentConfiguration(observed);
  if (options.state === "restarted") {
    return { changes: [...reload(observed), ...restart(observed, optionsOf(present))], facts: {} };
  }
  const absent = options.state === "absent";
  const wanted = absent ? flagsToTakeOut(options, optionsOf({ ...present, command: "" })) : wantedFlags(options);
  const warnings = absent ? [] : check(options, wanted, observed);
  const place = placeOf(options, observed);
  const configuration = configure(present, wanted, {
    usual: place,
    always: options.place !== "auto",
    overUnit: !absent,
    alreadyOut: leftOut(present.command, observed.dropIn?.content ?? ""),
  });
  if (!absent) {
    refuseBadOptions(wanted, version);
    refuseLostSocket(present, configuration);
  }
  refuseContradictions(configuration, configPath);

  const files = filesWanted(present, configuration, observed);
  const changes = firstOf(files, [...validation(configuration, observed), ...keepFiles(observed)]);
  const reloads = files.some(({ subject }) => subject === DROP_IN_PATH);
  // Once DOCKER_OPTS is empty, nothing gives dockerd a file that its unit does not read.
  const isRead = service.readsFile || options.place === "docker_opts" || configuration.line !== "";
  const owed = absent
    ? daemon && restartOwed(stillRunning(options, observed, configuration), daemon)
    : restartOwed(wanted, daemon);
  return {
    changes: [...changes, ...(reloads ? [] : reload(observed)), ...(owed ?? [])],
    facts: {
      path: place === "line" && isRead ? service.filePath : configPath,
      docker_opts: redactSecrets(configuration.line),
      restart_required: (owed ?? []).length > 0,
    },
    warnings,
  };
}

/** What dockerd is given by the files, with the unit's command line as it is without this module's drop-in. */
export function presentConfiguration({ service, optionsFile, lineIsRead, config }: ObservedDocker): Configuration {
  return {
    command: service.command,
    line: lineIsRead ? readOptions(service, optionsFile?.content ?? "").line : "",
    config: config?.content ?? "",
  };
}

function placeOf({ place }: DockerOptions, { lineIsRead }: ObservedDocker): Place {
  if (place === "auto") return lineIsRead ? "line" : "config";
  return place === "docker_opts" ? "line" : "config";
}

/** Returns warnings; throws a UserError where containers would get addresses that other hosts use. */
function check({ bridge_address }: DockerOptions, wanted: DockerFlags, observed: ObservedDocker): string[] {
  const [address = null] = bridge_address === null ? observed.bridgeAddresses : [bridge_address];
  refuseForeignSubnet(wanted, address);
  const [bridge] = wanted.get("bridge") ?? [];
  return address === null && bridge !== undefined
    ? [`The bridge ${bridge} has no IPv4 address yet; dockerd does not start without.`]
    : [];
}

const RELOAD = run(["systemctl", "daemon-reload"]);

function filesWanted(present: Configuration, wanted: Configuration, observed: ObservedDocker): Change[] {
  const { service, optionsFile, lineIsRead, dropIn, configPath, config } = observed;
  const content = optionsFile?.content ?? "";
  const lineStands = wanted.line === present.line && !(lineIsRead && readOptions(service, content).broken);
  const needsFile = lineIsRead && !service.readsFile && wanted.line !== "";
  return [
    ...fileChanges(config, {
      path: configPath,
      content: wanted.config === present.config ? (config?.content ?? null) : emptied(wanted.config),
      redact: redactSecrets,
    }),
    ...fileChanges(optionsFile, {
      path: service.filePath,
      content: lineStands ? (optionsFile?.content ?? null) : writeOptions(service, content, wanted.line),
      redact: redactSecrets,
    }),
    ...(service.init === "systemd"
      ? fileChanges(dropIn, {
          path: DROP_IN_PATH,
          content:
            wanted.command !== present.command || needsFile
              ? renderDropIn(wanted.command, needsFile ? service.filePath : null)
              : null,
          redact: redactSecrets,
          afterwards: [RELOAD],
        })
      : []),
  ];
}

/** A file without a key in it goes. */
function emptied(config: string): string | null {
  return config.trim() === "{}" ? null : config;
}

/** Puts these steps before all others. */
function firstOf(changes: readonly Change[], steps: readonly Action[]): Change[] {
  return changes.map((change, index) => (index === 0 ? { ...change, actions: [...steps, ...change.actions] } : change));
}

/** The configuration that the daemon runs with is kept until a restart has worked. */
function keepFiles({ service, daemon, previous, optionsFile, dropIn, configPath, config }: ObservedDocker): Action[] {
  const id = daemon?.id ?? null;
  if (isCurrent(previous, id)) return [];
  const files: [string, FileState | null][] = [
    [configPath, config],
    [service.filePath, optionsFile],
    ...(service.init === "systemd" ? ([[DROP_IN_PATH, dropIn]] satisfies [string, FileState | null][]) : []),
  ];
  return [keep(id, new Map(files))];
}

/** dockerd's own judgement of the configuration, where its version gives one and nothing else is put into its command line. */
function validation(configuration: Configuration, { version }: ObservedDocker): Action[] {
  const words = splitWords(configuration.command).filter(({ raw }) => raw !== `$${VARIABLE}`);
  // Systemd's prefixes, and what systemd alone expands, are no command line to be tried here.
  const isPlain = words[0]?.raw.startsWith("/") && !words.some(({ raw }) => /[$%]/.test(raw));
  if (!isPlain || !canValidate(version) || flagsOf(configuration).has("config-file")) return [];
  const argv = [...words, ...splitWords(configuration.line)].map(({ value }) => value);
  const content = configuration.config.trim() === "" ? "{}" : configuration.config;
  return [{ do: "validate", content, argv: [...argv, "--validate", "--config-file", "%s"] }];
}

/** What is taken out of the configuration and the daemon still runs with; what its unit sets stays. */
function stillRunning(options: DockerOptions, { daemon }: ObservedDocker, configuration: Configuration): DockerFlags {
  const configured = optionsOf(configuration);
  const present = daemon === null ? new Map() : runningOptions(daemon);
  return new Map([...flagsToTakeOut(options, present)].filter(([name]) => !configured.has(name)));
}

function reload({ service }: ObservedDocker): Change[] {
  if (!service.needsReload) return [];
  return [
    {
      subject: "docker.service, as systemd has it",
      before: "an older one\n",
      after: "the files'\n",
      actions: [RELOAD],
    },
  ];
}

import { BlockList, isIP } from "node:net";
import { UserError } from "../core/errors";
import { redactSecrets } from "../core/redact";
import { splitAtEquals } from "../core/text";
import { comparedKeys, daemonKeys } from "../formats/daemon_json";
import { type DockerFlags, flagOf, hasNoEffect, isAtLeast, isFalse, isTrue } from "../formats/docker_options";
import { type Configuration, flagsOf, optionsOf } from "./configuration";
import type { ObservedDocker } from "./observed";
import { originsOf } from "./service/command_line";

/** The error of a configuration that dockerd does not start with. */
export function wouldNotStart(must: string, found: string, remedy: string): UserError {
  return new UserError(`${must}, or dockerd does not start (found ${found}). ${remedy}`);
}

/** Throws a UserError for options that conflict, so that dockerd would not start. */
export function rejectConflicts(
  configuration: Configuration,
  { configPath, version, cgroupDriver }: Pick<ObservedDocker, "configPath" | "version" | "cgroupDriver">,
): void {
  rejectTwice(configuration, configPath);
  const options = optionsOf(configuration);
  for (const [isWrong, names, must, remedy = "Correct or remove one of them."] of rules(
    options,
    configuration,
    version,
    cgroupDriver,
  )) {
    if (!isWrong) continue;
    const found = names
      .split(" ")
      .map((name) => (options.has(name) ? redactSecrets(`--${name}=${options.get(name)?.join(",")}`) : `no --${name}`));
    throw wouldNotStart(must, found.join(" and "), remedy);
  }
}

function rejectTwice(configuration: Configuration, configPath: string): void {
  const [flags, keys] = [flagsOf(configuration), comparedKeys(configuration.config)];
  // dockerd merges the runtimes of both (moby, daemon/config/config.go, skipDuplicates).
  const twice = [...keys].filter(([key]) => key !== "runtimes" && !hasNoEffect(key) && flags.has(flagOf(key)));
  if (twice.length === 0) return;
  const names = new Set(twice.map(([key]) => flagOf(key)));
  const each = twice.map(
    ([key, value]) => `${key}: (from flag: ${render(flags.get(flagOf(key)))}, from file: ${render(value)})`,
  );
  throw wouldNotStart(
    `${configPath}: must not have options of dockerd's command line`,
    each.join(", "),
    `Remove them there, or from the command line${placesOf(configuration, names)}.`,
  );
}

/** Where the unit sets these flags. */
function placesOf({ otherArguments }: Configuration, names: ReadonlySet<string>): string {
  const places = originsOf(otherArguments, names);
  return places.length > 0 ? ` (${places.join("; ")})` : "";
}

function render(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return redactSecrets(Array.isArray(value) ? `[${value.join(" ")}]` : text);
}

type Rule = readonly [isWrong: boolean, names: string, must: string, remedy?: string];

/**
 * What dockerd checks when it has begun to start, so that --validate does not find it (moby v20.10 to v29, daemon/daemon_unix.go,
 * verifyDaemonSettings and initBridgeDriver; daemon/logger/factory.go). Tried with 20.10.24, 26.1.5 and 28.5.2.
 */
function rules(
  options: DockerFlags,
  { config }: Configuration,
  version: string | null,
  cgroupDriver: ObservedDocker["cgroupDriver"],
): Rule[] {
  const last = (name: string): string => options.get(name)?.at(-1) ?? "";
  const [isOn, isOff] = [(name: string) => isTrue(last(name)), (name: string) => isFalse(last(name))];
  const isBefore = (major: number): boolean => version !== null && !isAtLeast(version, major);
  const namesIn = (name: string): string[] => (options.get(name) ?? []).map((each) => splitAtEquals(each)[0]);
  const driver = last("log-driver") || "json-file";
  // The first one counts (getCD).
  const [, givenDriver = ""] = /^native\.cgroupdriver=(.*)$/im.exec(options.get("exec-opt")?.join("\n") ?? "") ?? [];
  const byDefault = isBefore(20) ? "cgroupfs" : cgroupDriver;
  const runtime = last("default-runtime");
  return [
    ...["bip", "bip6"].map(
      (name): Rule => [
        last(name) !== "" && last("bridge") !== "",
        `${name} bridge`,
        `opts: ${name} and bridge must not both be set`,
        `Remove ${name}: it sets the address of docker0.`,
      ],
    ),
    [
      isOff("icc") && (isOff("iptables") || (isOff("ip6tables") && isOn("ipv6") && !isBefore(27))),
      "icc iptables ip6tables",
      "icc: must not be off without iptables",
    ],
    [
      isOn("ip6tables") && !isOn("experimental") && isBefore(27),
      "ip6tables experimental",
      "ip6tables: needs experimental with Docker before 27.0",
    ],
    [
      isOn("ipv6") && last("fixed-cidr-v6") === "" && last("bridge") !== "none" && isBefore(28),
      "ipv6 fixed-cidr-v6",
      "ipv6: needs fixed-cidr-v6 with Docker before 28.0",
    ],
    [
      isOn("ipv6") && !isInSubnet(last("default-gateway-v6"), last("fixed-cidr-v6")),
      "default-gateway-v6 fixed-cidr-v6",
      "default-gateway-v6: must be in fixed-cidr-v6",
    ],
    [
      !/^(.+\.slice)?$/.test(last("cgroup-parent")) && (givenDriver.trim() || byDefault) === "systemd",
      "cgroup-parent exec-opt",
      "cgroup-parent: must be a slice of systemd's, such as docker.slice, with the cgroup driver systemd",
      "Correct it, or set the exec-opt native.cgroupdriver=cgroupfs.",
    ],
    [
      // From 23.0 on, it may also be the name of a program of containerd's, such as io.containerd.kata.v2.
      !/^(|runc|io\.containerd\.(runc\.v2|runtime\.v1\.linux))$/.test(runtime) &&
        !namesIn("add-runtime").some((name) => name.toLowerCase() === runtime) &&
        !Object.hasOwn(daemonKeys(config).get("runtimes") ?? {}, runtime) &&
        (!isAtLeast(version, 23) || !/[./]/.test(runtime)),
      "default-runtime",
      "default-runtime: must be one of Docker's runtimes",
      "Add it to runtimes in daemon.json, or correct its name.",
    ],
    [
      namesIn("log-opt").some((name) => !isLogOpt(driver, name)),
      "log-opt",
      `log-opt: must have options of the log driver ${driver}`,
      "Remove the others, or set another log-driver.",
    ],
  ];
}

/** Whether a log driver may have an option (daemon/logger/jsonfilelog and journald, ValidateLogOpt); others than these two are not known. */
function isLogOpt(driver: string, name: string): boolean {
  if (/^(mode|max-buffer-size|cache-.*|(labels|env)(-regex)?|tag)$/.test(name)) return true;
  return driver === "json-file" ? /^(max-(file|size)|compress)$/.test(name) : driver !== "journald";
}

/** True also if one of them is not set. */
function isInSubnet(address: string, subnet: string): boolean {
  const [base = "", length] = subnet.split("/");
  if (isIP(address) !== 6 || isIP(base) !== 6) return true;
  const list = new BlockList();
  list.addSubnet(base, Number(length), "ipv6");
  return list.check(address, "ipv6");
}

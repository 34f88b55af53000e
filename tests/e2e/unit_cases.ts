import * as fc from "fast-check";

/**
 * Docker's unit as people and packages write it, with drop-ins in all of systemd's directories and environment files, for a program
 * that stands in for dockerd: it writes its arguments to a file.
 */
export interface UnitCase {
  /** Contents by the files' paths; null for a link to /dev/null. */
  readonly files: ReadonlyMap<string, string | null>;
  readonly unit: string;
  /** Where the program is, which writes its arguments to `out` beside it. */
  readonly program: string;
}

/** What all cases share: drop-ins of service units, and of those whose name begins with "docker-". */
export const SHARED: ReadonlyMap<string, string> = new Map([
  ["/etc/systemd/system/docker-.service.d/15-shared.conf", "[Service]\nEnvironment=SHARED=prefix\n"],
  ["/run/systemd/system/docker-.service.d/20-b.conf", "[Service]\nEnvironment=HIDDEN=prefix\n"],
  ["/etc/systemd/system/service.d/20-b.conf", "[Service]\nEnvironment=HIDDEN=type\n"],
  ["/etc/systemd/system/service.d/30-type.conf", '[Service]\nEnvironment="TYPE=%p of all"\n'],
]);

const DIRECTORIES = [
  "/etc/systemd/system",
  "/run/systemd/system",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
];

const WORDS = [
  "-H fd://",
  '--label="a b"',
  "'--label=c d'",
  "--x=\\x41\\tb",
  "--octal=\\101",
  "--q\\q",
  "--u=\\u00e9",
  "--two=a\\ b",
  "$DOCKER_OPTS",
  "$DOCKER_OPTS",
  `\${DOCKER_OPTS}`,
  '"$DOCKER_OPTS"',
  "$OTHER",
  "$SHARED $HIDDEN",
  `--type=\${TYPE}`,
  `--dns=\${OTHER}`,
  `--both=\${OTHER}\${DOCKER_OPTS}`,
  `--open=\${OTHER`,
  "$$OTHER --cost=$$5",
  "--y=$NOPE",
  "$NOPE",
  `--empty=\${NOPE}`,
  "$OTHER.x",
  "--p=%p --n=%n --N=%N",
  "--h=%H-%%-%l",
  "--i=%i%I --j=%j --J=%J",
  "--P=%P --f=%f",
  "--t=%t --E=%E --S=%S --C=%C --L=%L",
  "--ids=%m%b%v%u%U%h",
  "--unknown=%z%",
  "\\; a\\;b x;y",
  '""',
  "\\\n  # within\n ; too\n  --continued",
  "--joined\\\n--apart",
  "\\\n\n",
  "--quoted='a\"b' --other=\"it's\"",
  '--nested="a \\" b"',
  "--slashes=\\\\",
];

const PREFIXES = ["", "", "", "", "-", ":", "@", "+", "!", "-:"];

const SCRIPTS = [
  "exec PROGRAM --dns A $DOCKER_OPTS",
  "PROGRAM --dns 'a b' $OTHER",
  `exec PROGRAM \\"$DOCKER_OPTS\\" --z=\${OTHER}`,
  "exec PROGRAM $DOCKER_OPTS --tail=$$OTHER",
  "exec PROGRAM --a\\\\ b",
];

const ENVIRONMENT = [
  "Environment=DOCKER_OPTS=--a --b",
  'Environment="DOCKER_OPTS=--log-level=warn --insecure-registry=r:5000"',
  "Environment='DOCKER_OPTS=--label=\"x y\"' OTHER=b",
  "Environment=OTHER=x\\x20y",
  'Environment="OTHER=%p $DOCKER_OPTS"',
  "Environment=OTHER=a%20b",
  "Environment=UNUSED=%C3%A9 OTHER=used",
  "Environment=",
  "Environment=BAD-NAME=1 OTHER=after",
  'Environment=OTHER=before "open',
  "Environment=OTHER=before B=a\\qb OTHER=after",
  "Environment=OTHER=",
  "UnsetEnvironment=OTHER",
  "UnsetEnvironment=DOCKER_OPTS=--c",
  "EnvironmentFile=-/etc/cases/%p/a",
  "EnvironmentFile=/etc/cases/%p/b",
  "EnvironmentFile=-/etc/cases/%p/*.env",
  "EnvironmentFile=-/etc//cases/%N/[ab]",
  "EnvironmentFile=-relative",
  "EnvironmentFile=",
  "[Unit]\nEnvironment=OTHER=no\n[Service]",
  "# Environment=OTHER=no \\",
  " Environment = OTHER=spaced ",
  "Environment=OTHER=a\\\n  b",
];

const VARIABLES = [
  'DOCKER_OPTS="--c \\"x y\\" --d"',
  "DOCKER_OPTS='--e $HOME' ",
  "DOCKER_OPTS=--c",
  'DOCKER_OPTS=\\"--kept\\"',
  'DOCKER_OPTS="$DOCKER_OPTS --graph=/var/lib/docker"',
  "DOCKER_OPTS=",
  "export DOCKER_OPTS=--no",
  "OTHER = spaced  out  ",
  "OTHER=a\\\nb\\ c",
  'OTHER="a"\'b\'c"d"',
  "OTHER=it's",
  'OTHER="unclosed',
  "# comment",
  "; comment",
  "# continued \\",
  "# \xe9",
  "OTHER=\xe9",
  "OTHER=\xc3\xa9",
  "nothing",
  "",
];

const lines = (all: readonly string[], most: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.array(fc.constantFrom(...all), { maxLength: most }), fc.constantFrom("\n", "\n", "\n", "\r\n"))
    .map(([chosen, newline]) => chosen.map((line) => line + newline).join(""));

const command: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...PREFIXES), fc.array(fc.constantFrom(...WORDS), { maxLength: 6 }))
      .map(([prefix, words]) => [`${prefix}PROGRAM`, ...(prefix === "@" ? ["argv0"] : []), ...words].join(" ")),
  },
  { weight: 1, arbitrary: fc.constantFrom(...SCRIPTS).map((script) => `/bin/sh -c "${script}"`) },
);

const dropIn = fc.record({
  directory: fc.constantFrom(...DIRECTORIES),
  name: fc.constantFrom("10-a.conf", "20-b.conf", "zz.conf", "ignored.txt"),
  content: fc.oneof(
    { weight: 3, arbitrary: lines(ENVIRONMENT, 3) },
    { weight: 1, arbitrary: command.map((line) => `ExecStart=\nExecStart=${line}\n`) },
    { weight: 1, arbitrary: fc.constantFrom("", null) },
  ),
});

const world = fc.record({
  directory: fc.constantFrom(...DIRECTORIES),
  command,
  settings: lines(ENVIRONMENT, 4),
  dropIns: fc.array(dropIn, { maxLength: 3 }),
  environment: fc.tuple(lines(VARIABLES, 4), lines(VARIABLES, 4), lines(VARIABLES, 2)),
});

/** So many cases, always the same for one seed. */
export function unitCases(seed: number, count: number): UnitCase[] {
  return fc.sample(world, { seed, numRuns: count }).map((each, index) => {
    const name = `docker-case${index}`;
    const program = `/opt/cases/${name}/dockerd`;
    const text = (content: string): string => content.replace(/PROGRAM/g, program);
    const [a, b, c] = each.environment;
    return {
      unit: `${name}.service`,
      program,
      files: new Map([
        [
          `${each.directory}/${name}.service`,
          `[Service]\nType=oneshot\nExecStart=${text(each.command)}\n${each.settings}`,
        ],
        ...each.dropIns.map(
          ({ directory, name: file, content }) =>
            [`${directory}/${name}.service.d/${file}`, content ? `[Service]\n${text(content)}` : content] as const,
        ),
        [`/etc/cases/${name}/a`, a],
        [`/etc/cases/${name}/b`, b],
        [`/etc/cases/${name}/c.env`, c],
      ]),
    };
  });
}

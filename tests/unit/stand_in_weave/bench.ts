import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { bundleRouter } from "../../stand-ins/weave/install";
import { freePort } from "./routers";

// Stand-in for docker: containers are directories of files, `run` starts the router as a separate process, and each call
// is a line in `calls`. The bridge's name is kept from the router, which would make that bridge on this machine.
const fakeDocker = `#!/bin/sh
echo "$*" >>"$FAKE/calls"
state() {
  # One that ended and was not reaped yet is no running one.
  if [ -f "$1/pid" ] && grep -q '^State:.[^Z]' "/proc/$(cat "$1/pid")/status" 2>/dev/null; then
    echo running
  else
    cat "$1/stopped"
  fi
}
VERB=$1
shift
PROGRAM=
case $VERB in
  version) [ ! -f "$FAKE/no-daemon" ] || { echo "Cannot connect to the Docker daemon" >&2; exit 1; } ;;
  image)
    [ -f "$FAKE/image" ] || exit 1
    case "$*" in *Labels*) cat "$FAKE/inner" 2>/dev/null || true ;; esac ;;
  import) cat >"$FAKE/tree.tar"; touch "$FAKE/image" ;;
  inspect)
    for NAME; do :; done
    C=$FAKE/containers/$NAME
    [ -d "$C" ] || { echo "Error: No such object: $NAME" >&2; exit 1; }
    case "$*" in
      *State.Status*) state "$C" ;;
      *Config.Image*) cat "$C/image" ;;
      *IPAddress*) echo 127.0.0.1 ;;
    esac ;;
  create | run)
    while [ $# -gt 0 ]; do
      case $1 in
        --name) NAME=$2; shift ;;
        --entrypoint=*) PROGRAM=$1 ;;
        -v | -e | -p | --label | --volumes-from) shift ;;
        -*) ;;
        *) break ;;
      esac
      shift
    done
    C=$FAKE/containers/$NAME
    mkdir -p "$C" && echo "$1" >"$C/image" && shift
    case $VERB in
      create) echo created >"$C/stopped" ;;
      run)
        echo exited >"$C/stopped"
        echo "$*" >"$C/args"
        # The proxy would listen at a path of this machine's.
        [ "$PROGRAM" = "" ] || { set -- stand-in-idle; touch "$FAKE/var/run/weave/weave.sock"; }
        ARGS=
        while [ $# -gt 0 ]; do
          case $1 in --weave-bridge | --resolv-conf) shift ;; *) ARGS="$ARGS $1" ;; esac
          shift
        done
        cd "$C" && "$WEAVE_STAND_IN_NODE" "$WEAVE_STAND_IN_DIR/router.js" $ARGS >log 2>&1 </dev/null &
        echo $! >"$C/pid"
        echo 4f5e6d ;;
    esac ;;
  stop | kill)
    C=$FAKE/containers/$1
    [ "$(state "$C" 2>/dev/null)" = running ] || exit 1
    kill "$(cat "$C/pid")"
    rm "$C/pid" ;;
  rm) for NAME; do :; done; rm -r "$FAKE/containers/$NAME" 2>/dev/null ;;
esac
`;

const fakeIp = `#!/bin/sh
echo "ip $*" >>"$FAKE/calls"
case "$*" in "link add name weave "*) mkdir "$FAKE/devices/weave"; echo "$6" >"$FAKE/devices/weave/address" ;; esac
case "$*" in "link del weave") rm -r "$FAKE/devices/weave" ;; esac
case "$*" in *"addr show dev none"*) exit 1 ;; *"addr show"*) echo "    inet 10.2.0.1/16 scope global weave" ;; esac
`;

// Has no rule and no chain, and takes all.
const fakeIptables = `#!/bin/sh
echo "iptables $*" >>"$FAKE/calls"
case "$*" in *" -C "*) exit 1 ;; esac
`;

interface Outcome {
  code: number;
  out: string;
  err: string;
}

/** A directory for the script: PATH with the stand-ins, ports, and what they recorded. */
export class Bench {
  readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), "weave-stand-in-"));
  private readonly environment: NodeJS.ProcessEnv;

  constructor(version: string, ports: [number, number, number], routerJs: string) {
    const bin = path.join(this.directory, "bin");
    fs.mkdirSync(bin);
    fs.mkdirSync(path.join(this.directory, "containers"));
    fs.mkdirSync(path.join(this.directory, "devices"));
    fs.mkdirSync(path.join(this.directory, "var/run/weave"), { recursive: true });
    fs.writeFileSync(path.join(bin, "docker"), fakeDocker, { mode: 0o755 });
    fs.writeFileSync(path.join(bin, "ip"), fakeIp, { mode: 0o755 });
    fs.writeFileSync(path.join(bin, "iptables-legacy"), fakeIptables, { mode: 0o755 });
    fs.writeFileSync(path.join(this.directory, "router.js"), routerJs);
    this.environment = {
      PATH: `${bin}:/usr/bin:/bin`,
      FAKE: this.directory,
      WEAVE_STAND_IN_DIR: this.directory,
      WEAVE_STAND_IN_VERSION: version,
      WEAVE_STAND_IN_DEVICES: path.join(this.directory, "devices"),
      WEAVE_STAND_IN_ROOT: this.directory,
      WEAVE_STAND_IN_NODE: process.execPath,
      WEAVE_PORT: String(ports[0]),
      WEAVE_HTTP_ADDR: `127.0.0.1:${ports[1]}`,
      WEAVE_STATUS_ADDR: `127.0.0.1:${ports[2]}`,
      WEAVE_NO_FASTDP: "1",
      DOCKER_BRIDGE: "weave",
    };
  }

  run(args: string[], environment: NodeJS.ProcessEnv = {}): Promise<Outcome> {
    const script = path.join(__dirname, "../../stand-ins/weave/weave");
    return new Promise((done) => {
      const env = { ...this.environment, ...environment };
      execFile(script, args, { env, timeout: 8000 }, (error, out, err) => {
        done({ code: typeof error?.code === "number" ? error.code : error ? -1 : 0, out, err });
      });
    });
  }

  calls(): string {
    return fs.readFileSync(path.join(this.directory, "calls"), "utf8");
  }

  /** Makes a container that the fake shows as stopped in `state`. */
  leftover(name: string, image: string, state: string): void {
    const container = path.join(this.directory, "containers", name);
    fs.mkdirSync(container, { recursive: true });
    fs.writeFileSync(path.join(container, "image"), `${image}\n`);
    fs.writeFileSync(path.join(container, "stopped"), `${state}\n`);
  }

  /** Ends what the fake docker started and still runs, and removes the directory. */
  remove(): void {
    const containers = path.join(this.directory, "containers");
    for (const name of fs.readdirSync(containers)) {
      try {
        const pid = Number(fs.readFileSync(path.join(containers, name, "pid"), "utf8"));
        if (pid > 1) process.kill(pid);
      } catch {
        // Never started, or ended by itself.
      }
    }
    fs.rmSync(this.directory, { recursive: true });
  }
}

const benches: Bench[] = [];
let routerJs = "";

/** A directory for the script of this version. */
export async function bench(version: string): Promise<Bench> {
  routerJs ||= await bundleRouter();
  const made = new Bench(version, [await freePort(), await freePort(), await freePort()], routerJs);
  benches.push(made);
  return made;
}

/** Removes all that bench() has made. */
export function removeBenches(): void {
  for (const used of benches.splice(0)) used.remove();
}

import * as assert from "uvu/assert";
import type { Result } from "../../modules/core/run_module";
import type { Host } from "../hosts/host";
import { runModule } from "./module";
import { sh } from "./shell";

/** A host whose Docker the module docker_bridge_opts sets up. */
export class DockerHost {
  constructor(readonly host: Host) {}

  async module(options: object, check = false): Promise<Result> {
    const { seconds: _, ...result } = await runModule(this.host, "docker_bridge_opts", options, { check });
    return result as Result;
  }

  /** What the role's task and its handler do. Each is predicted first, and nothing is left of it afterwards. */
  async configured(options: object): Promise<Result> {
    const predicted = await this.module(options, true);
    const result = await this.module(options);
    assert.equal(predicted, result);
    assert.is(result["restart_required"], true, result.msg);
    const restarted = await this.module({ state: "restarted" });
    assert.is(restarted.changed, true, restarted.msg);
    assert.equal((await this.module(options)).changed, false, "nothing is left to do");
    return result;
  }

  /** Docker's default network, by its own word: bridge, subnet of containers, MTU. */
  async network(): Promise<string> {
    const { stdout } = await this.host.exec(["docker", "network", "inspect", "bridge"]);
    const [{ IPAM, Options }] = JSON.parse(stdout);
    const option = (name: string): string => Options[`com.docker.network.${name}`];
    return `${option("bridge.name")} ${IPAM.Config[0].IPRange ?? ""} ${option("driver.mtu")}`.replace(/ +/g, " ");
  }

  /** The first number of the version of its dockerd. */
  async major(): Promise<number> {
    return Number(/\d+/.exec(await this.sh("dockerd --version"))?.[0]);
  }

  /** The words of the running dockerd, after its program's. */
  async words(): Promise<readonly string[]> {
    const { stdout } = await this.host.exec(["sh", "-c", "cat /proc/$(cat /run/docker.pid)/cmdline"]);
    return stdout.split("\0").slice(1, -1);
  }

  /** Runs a script as root, and returns what it prints. */
  sh(script: string): Promise<string> {
    return sh(this.host, script);
  }
}

#!/usr/bin/env node
import type { CommandModule } from "yargs";
import { dockerBridgeOpts } from "../docker_bridge_opts/module";
import { weaveBridge } from "../weave_bridge/module";
import { weaveService } from "../weave_service/module";
import { runCommandLine } from "./command_line";
import { completionCommand } from "./completion";
import { moduleCommand } from "./module_command";
import { statusCommand } from "./status/command";

void runCommandLine(process.argv.slice(2), [
  moduleCommand(
    {
      name: "bridge",
      describe: "Make the bridge of this host's containers (weave_bridge)",
      example: ["--host-index 1 --datapath vxlan --check --diff", "what would make the first host's"],
    },
    weaveBridge,
  ),
  moduleCommand(
    {
      name: "service",
      describe: "Run the Weave router as a service (weave_service)",
      example: ["--script-version 2.8.1 --check --diff", "what would run it, before its script is there"],
    },
    weaveService,
  ),
  moduleCommand(
    {
      name: "docker-opts",
      describe: "Put Docker's containers on the bridge (docker_bridge_opts)",
      example: ["--bridge weave --fixed-cidr 10.2.1.0/24 --check --diff", "what would put them there"],
    },
    dockerBridgeOpts,
  ),
  statusCommand as CommandModule,
  completionCommand as CommandModule,
]);

#!/usr/bin/env node
import { dockerBridgeOpts } from "../docker_bridge_opts/plan";
import { weaveBridge } from "../weave_bridge/plan";
import { weaveService } from "../weave_service/plan";
import { runCommandLine } from "./command_line";
import { completionCommand } from "./completion";
import { currentBridgeAndSubnet } from "./current/bridge";
import { currentDocker } from "./current/docker";
import { currentService } from "./current/service";
import { dockerMismatch } from "./docker_mismatch";
import { moduleCommand } from "./module_command";
import { statusCommand } from "./status/command";

void runCommandLine(process.argv.slice(2), [
  moduleCommand(
    {
      name: "bridge",
      describe: "Configure the bridge of this host's containers (weave_bridge)",
      example: ["--host-index 1 --datapath vxlan --check --diff", "what the first host's bridge would need"],
    },
    weaveBridge,
    currentBridgeAndSubnet,
    dockerMismatch,
  ),
  moduleCommand(
    {
      name: "service",
      describe: "Run the Weave router as a service (weave_service)",
      example: ["--script-version 2.8.1 --check --diff", "what the router's service would need"],
    },
    weaveService,
    currentService,
  ),
  moduleCommand(
    {
      name: "docker-opts",
      describe: "Configure Docker to use the bridge (docker_bridge_opts)",
      example: ["--bridge weave --fixed-cidr 10.2.1.0/24 --check --diff", "what Docker's options would need"],
    },
    dockerBridgeOpts,
    currentDocker,
  ),
  statusCommand,
  completionCommand,
]);

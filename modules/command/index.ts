#!/usr/bin/env node
import { dockerBridgeOpts } from "../docker_bridge_opts/module";
import { weaveBridge } from "../weave_bridge/module";
import { weaveService } from "../weave_service/module";
import { runCommand, subcommand } from "./command";

void runCommand([
  subcommand("bridge", "Make the bridge of this host's containers", weaveBridge),
  subcommand("service", "Run the Weave router as a service", weaveService),
  subcommand("docker-opts", "Put Docker's containers on the bridge", dockerBridgeOpts),
]);

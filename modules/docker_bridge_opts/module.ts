import type { Module } from "../core/module";
import { type ObservedDocker, observe } from "./observe";
import { options } from "./options";
import { plan } from "./plan";

/** The options that put Docker's containers on the bridge, where this host's dockerd reads them. */
export const dockerBridgeOpts: Module<typeof options, ObservedDocker> = {
  name: "docker_bridge_opts",
  options,
  observe,
  plan,
};

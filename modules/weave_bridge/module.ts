import type { Module } from "../core/module";
import { type ObservedBridge, observe } from "./observe";
import { options } from "./options";
import { plan } from "./plan";

/** The bridge that a host's containers are on: its file, its live state, its address, its datapath. */
export const weaveBridge: Module<typeof options, ObservedBridge> = { name: "weave_bridge", options, observe, plan };

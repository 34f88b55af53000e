import type { Module } from "../core/module";
import { type ObservedService, observe } from "./observe";
import { options } from "./options";
import { plan } from "./plan";

/** The Weave router as a service that lives and dies with Docker, and the peers that it is told of. */
export const weaveService: Module<typeof options, ObservedService> = { name: "weave_service", options, observe, plan };

import { disruption } from "./disruption";
import { growth } from "./growth";
import { joining } from "./joining";
import { mesh } from "./mesh";
import { modules } from "./modules";
import { network } from "./network";
import type { Part } from "./part";
import { roles } from "./roles";

/** All that is measured, in the order of the page. */
export const PARTS: readonly Part[] = [roles, modules, growth, network, mesh, joining, disruption];

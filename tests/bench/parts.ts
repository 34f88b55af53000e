import { growth } from "./growth";
import { modules } from "./modules";
import type { Part } from "./part";
import { roles } from "./roles";

/** All that is measured, in the order of the page. */
export const PARTS: readonly Part[] = [roles, modules, growth];

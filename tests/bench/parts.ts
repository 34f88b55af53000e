import { disruption } from "./disruption";
import { network } from "./network";
import type { Part } from "./part";

/** All that is measured, in the order of the page. */
export const PARTS: readonly Part[] = [network, disruption];

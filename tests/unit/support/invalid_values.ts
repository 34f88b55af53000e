import { callPlugin } from "./python";

/** What a run reads of the variables. */
export interface Reader {
  readonly datapath?: "router" | "vxlan";
  readonly mode?: string;
  readonly scope?: boolean;
}

/** What is wrong with a variable of the host `a`. */
export function wrong(
  variable: string,
  value: unknown,
  { datapath = "vxlan", mode = "bridge", scope = true }: Reader = {},
) {
  return callPlugin<string>("weave_invalid_values", "find_invalid_values", [
    { [variable]: value },
    "a",
    datapath,
    mode,
    scope,
  ]);
}

export const ROUTER: Reader = { datapath: "router" };

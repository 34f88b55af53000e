import type { CommandModule } from "yargs";
import { options as bridgeOptions } from "../../weave_bridge/options";
import { EXIT_STATUSES } from "../exit_status";
import { print } from "../output";
import { paintFor } from "../paint";
import { observe } from "./observe";
import { renderStatus } from "./render";
import { summarise } from "./summarise";

/** The subcommand that shows what there is of the network on this host. */
export const statusCommand: CommandModule<object, { name: string; json: boolean }> = {
  command: "status",
  describe: "Show this host's bridge, peers, Docker and router, and what is owed; change nothing",
  builder: (parser) =>
    parser
      .option("name", {
        type: "string",
        nargs: 1,
        default: bridgeOptions.name.default ?? "",
        describe: "The bridge's name",
      })
      .option("json", { type: "boolean", default: false, describe: "Print it as JSON" })
      .epilog(`Example, on any host, as any user:\n  apollo-weave status\n\n${EXIT_STATUSES}`),
  handler: async ({ name, json }) => {
    const status = summarise(name, await observe(name));
    print(json ? `${JSON.stringify(status, null, 2)}\n` : renderStatus(status, paintFor(process.stdout)));
  },
};

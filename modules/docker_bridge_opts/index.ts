import { runForAnsible } from "../core/ansible_entry";
import { DAEMON_PERFORMERS } from "../core/daemon_performers";
import { dockerBridgeOpts } from "./plan";

void runForAnsible(dockerBridgeOpts, DAEMON_PERFORMERS);

import { runForAnsible } from "../core/ansible_entry";
import { dockerBridgeOpts } from "./plan";

void runForAnsible(dockerBridgeOpts);

import { runForAnsible } from "../core/ansible_entry";
import { dockerBridgeOpts } from "./module";

void runForAnsible(dockerBridgeOpts);

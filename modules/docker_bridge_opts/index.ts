import { runForAnsible } from "../core/ansible";
import { dockerBridgeOpts } from "./module";

void runForAnsible(dockerBridgeOpts);

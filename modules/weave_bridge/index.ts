import { runForAnsible } from "../core/ansible";
import { weaveBridge } from "./module";

void runForAnsible(weaveBridge);

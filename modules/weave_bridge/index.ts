import { runForAnsible } from "../core/ansible_entry";
import { weaveBridge } from "./module";

void runForAnsible(weaveBridge);

import { runForAnsible } from "../core/ansible_entry";
import { weaveBridge } from "./plan";

void runForAnsible(weaveBridge);

import { runForAnsible } from "../core/ansible_entry";
import { weaveService } from "./plan";

void runForAnsible(weaveService);

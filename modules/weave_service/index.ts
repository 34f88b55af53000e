import { runForAnsible } from "../core/ansible_entry";
import { weaveService } from "./module";

void runForAnsible(weaveService);

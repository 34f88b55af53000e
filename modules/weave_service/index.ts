import { runForAnsible } from "../core/ansible";
import { weaveService } from "./module";

void runForAnsible(weaveService);

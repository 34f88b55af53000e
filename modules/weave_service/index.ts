import { runForAnsible } from "../core/ansible_entry";
import { DAEMON_PERFORMERS } from "../core/daemon_performers";
import { weaveService } from "./plan";

void runForAnsible(weaveService, DAEMON_PERFORMERS);

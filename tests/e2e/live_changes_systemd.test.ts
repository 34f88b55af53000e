import { testLiveChanges } from "./live_changes";

testLiveChanges("systemd");

import { testMainPath } from "./main_path";

testMainPath("trixie");

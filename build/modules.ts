import { docs as dockerBridgeOptsDocs } from "../modules/docker_bridge_opts/docs";
import { dockerBridgeOpts } from "../modules/docker_bridge_opts/module";
import { docs as weaveBridgeDocs } from "../modules/weave_bridge/docs";
import { weaveBridge } from "../modules/weave_bridge/plan";
import { docs as weaveServiceDocs } from "../modules/weave_service/docs";
import { weaveService } from "../modules/weave_service/plan";

/** The modules that are built, with their documentation. */
export const MODULES = [
  { module: weaveBridge, docs: weaveBridgeDocs },
  { module: weaveService, docs: weaveServiceDocs },
  { module: dockerBridgeOpts, docs: dockerBridgeOptsDocs },
] as const;

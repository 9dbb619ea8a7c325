import { allowedUrl, guardedFetch } from "shared/http/guarded_fetch.ts";
import { type GraphApi, graphApi } from "shared/whatsapp/graph_api.ts";

/**
 * The Graph API of the settings, if it can be called at all: asked before anything is claimed, so that a setting that is
 * missing or wrong leaves the queue as it is.
 *
 * @throws not_configured (503) without a token, outbound_not_allowed (500) if its host is not on the list
 */
export function sendingGraph(): GraphApi {
  const graph = graphApi(guardedFetch);
  allowedUrl(graph.url);
  return graph;
}

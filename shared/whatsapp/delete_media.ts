import type { GraphApi } from "./graph_api.ts";
import { callGraph, type GraphOptions } from "./graph_call.ts";
import { type Done, doneOf } from "./graph_done.ts";
import type { GraphFailure } from "./graph_failure.ts";

/** Has Meta forget a file. */
export async function deleteMedia(
  api: GraphApi,
  mediaId: string,
  options: GraphOptions = {},
): Promise<Done | GraphFailure> {
  return doneOf(await callGraph(api, { ...options, method: "DELETE", path: [mediaId] }));
}

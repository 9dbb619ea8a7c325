import { guardedFetch } from "../../../shared/http/guarded_fetch.ts";
import type { GraphApi } from "../../../shared/whatsapp/graph_api.ts";
import type { FakeGraph } from "../../../scripts/fakes/graph/fake_graph.ts";
import { useSettings } from "../../support/settings.ts";

const settings = { OUTBOUND_ALLOWED_HOSTS: "" };
useSettings(settings);

/** Our number in these tests. */
export const NUMBER = "100000000000001";

/** The fake as functions reach Meta: through the guarded `fetch`, which may call it and these other hosts. */
export function reach(graph: FakeGraph, ...others: string[]): GraphApi {
  return reachAt(graph.url, graph.host, ...others);
}

/** An API at any address. */
export function reachAt(url: string, ...allowed: string[]): GraphApi {
  settings.OUTBOUND_ALLOWED_HOSTS = allowed.join(",");
  return { url, token: "local-graph-token", fetch: guardedFetch };
}

/** The body of a send; `intent` is what we call the message. */
export function textMessage(intent = "intent-1", fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    messaging_product: "whatsapp",
    recipient_type: "individual",
    to: "+250788000001",
    type: "text",
    text: { body: "Muraho" },
    biz_opaque_callback_data: intent,
    ...fields,
  };
}

/** Waits for something that another task of this process brings about. */
export async function until(isSo: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 60_000; !isSo();) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve));
  }
}

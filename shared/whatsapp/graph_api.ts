import { setting } from "../env.ts";
import type { OutboundFetch } from "../outbound_fetch.ts";
import type { GraphUsage } from "./graph_usage.ts";

/** Meta's Graph API as we reach it. */
export interface GraphApi {
  /** With the version: `https://graph.facebook.com/v26.0` */
  url: string;
  token: string;
  fetch: OutboundFetch;
  /** Hears how much of Meta's call limits is used, whenever an answer tells it. */
  onUsage?: (usage: GraphUsage[]) => void;
}

const LATEST = "https://graph.facebook.com/v26.0";

/**
 * The Graph API of the settings.
 *
 * @throws not_configured (503) when there is no token
 */
export function graphApi(fetch: OutboundFetch): GraphApi {
  return { url: setting("WHATSAPP_API_URL", LATEST), token: setting("WHATSAPP_ACCESS_TOKEN"), fetch };
}

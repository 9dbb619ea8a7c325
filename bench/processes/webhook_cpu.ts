import process from "node:process";
import { developmentSettings } from "../../scripts/stack/development.ts";
import webhook from "../../supabase/functions/whatsapp-webhook/index.ts";
import { APP_SECRET } from "../../scripts/fakes/graph/deliver.ts";
import { bareWebhook } from "../peers/bare_hono.ts";
import { delivery, deliveryHeaders } from "../support/deliveries.ts";
import { input, report } from "../support/processes.ts";
import { interleave } from "../support/rounds.ts";

/** Microseconds of CPU per delivery, round by round. */
export interface CpuRounds {
  name: string;
  bytes: number;
  ours: number[];
  peer: number[];
}

const RECEIPT = JSON.stringify({
  delivery_id: "019a0000-0000-7000-8000-000000000000",
  is_copy: false,
  item_count: 1,
  stored_count: 1,
  duplicate_count: 0,
  stale_count: 0,
  unroutable_count: 0,
  dead_letter_count: 0,
});

const ASCII = "Muraho, nshaka moto iva Nyabugogo ijya Kimironko. ";
const EMOJI = "Muraho 👋🏿, nshaka moto 🏍️ iva Nyabugogo ijya Kimironko 🙏. ";
/** Texts cut so that the body has about the size that its name says. */
const TEXTS = {
  "1 kB": ASCII.repeat(20).slice(0, 470),
  "4 kB": ASCII.repeat(90).slice(0, 3_540),
  "1 kB, emoji as \\uXXXX": EMOJI.repeat(20).slice(0, 230),
  "4 kB, emoji as \\uXXXX": EMOJI.repeat(90).slice(0, 1_660),
};

const AT_A_TIME = 10;

type Handler = (request: Request) => Response | Promise<Response>;

async function cpuPerDelivery(handle: Handler, text: string, count: number): Promise<number> {
  const requests = Array.from({ length: count }, () => requestOf(text));
  const before = process.cpuUsage();
  // Some at a time, as in an isolate under load: one by one, waking threads up for each HMAC would be most of the cost.
  for (let sent = 0; sent < count; sent += AT_A_TIME) {
    await Promise.all(requests.slice(sent, sent + AT_A_TIME).map(handle));
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

function requestOf(text: string): Request {
  const body = delivery({ text });
  const headers = { ...deliveryHeaders(body), "content-length": String(body.length) };
  return new Request("http://127.0.0.1/whatsapp-webhook", { method: "POST", headers, body });
}

const { rounds, deliveries } = input<{ rounds: number; deliveries: number }>();
for (const [name, value] of Object.entries(developmentSettings("http://127.0.0.1:54321", ""))) {
  Deno.env.set(name, value);
}
globalThis.fetch = () =>
  Promise.resolve(new Response(RECEIPT, { headers: { "content-type": "application/json; charset=utf-8" } }));
const bare = bareWebhook(APP_SECRET);

const found: CpuRounds[] = [];
for (const [name, text] of Object.entries(TEXTS)) {
  const ours = () => cpuPerDelivery(webhook.fetch, text, deliveries);
  const peer = () => cpuPerDelivery(bare.fetch, text, deliveries);
  await interleave(5, { ours, peer });
  found.push({ name, bytes: delivery({ text }).length, ...await interleave(rounds, { ours, peer }) } as CpuRounds);
}
report(found);

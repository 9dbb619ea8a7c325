import { assertEquals } from "@std/assert";
import { chromiumPath, openPage } from "../../support/chromium.ts";
import { serve } from "../../support/loopback.ts";
import { type Fate, startMisbehavingProxy } from "../../support/misbehaving_proxy.ts";
import { apiUrl, createWriteKey, storedOf, trackTest, trackUrl } from "./server.ts";

const chromium = chromiumPath();
if (!chromium) console.info("skipped: there is no chromium here (apt-get install chromium)");

const LIBRARY = new URL("../../../node_modules/@segment/analytics-next/dist/umd/", import.meta.url);
const PREFIX = "/functions/v1/analytics-track/v1";
/** Headless Chromium says that it is a bot. */
const USER_AGENT =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";
/** What befalls the library's first requests. */
const TROUBLE: Fate[] = [429, "close", "lose", 500, 503];

/** The page that a script runs in, and the library's files; `/done` is told what the script returns. */
function servePage(script: string, onDone: (result: unknown) => void) {
  return serve(async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/done") {
      onDone(await request.json());
      return new Response("thanks");
    }
    if (pathname.startsWith("/library/")) {
      const file = await Deno.readTextFile(new URL(pathname.slice("/library/".length), LIBRARY)).catch(() => null);
      return new Response(file, { status: file === null ? 404 : 200, headers: { "content-type": "text/javascript" } });
    }
    return new Response(pageWith(script), { headers: { "content-type": "text/html" } });
  });
}

function pageWith(script: string): string {
  return `<!doctype html><title>Ride</title><script src="/library/index.js"></script><script type="module">
    const work = async () => { ${script} };
    const result = await work().catch((error) => String(error));
    await fetch("/done", { method: "POST", body: JSON.stringify(result ?? null) });
  </script>`;
}

/** Runs a script in a page, which stays open until so many events of the key are stored; gives what the script returned. */
async function inPage(script: string, own: { id: string }, count: number): Promise<unknown> {
  let result: unknown;
  await using page = servePage(script, (reported) => result = reported);
  await using _browser = await openPage(chromium!, page.url, { userAgent: USER_AGENT });
  const end = performance.now() + 60_000;
  while ((result === undefined || (await storedOf(own)).length < count) && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return result;
}

/** A test that needs a browser. */
function browserTest(name: string, fn: () => Promise<void>): void {
  if (chromium) trackTest(name, fn);
  else Deno.test({ name, ignore: true, fn });
}

browserTest(
  "@segment/analytics-next in a page loses and doubles nothing through 429, 500, 503 and closed sockets",
  async () => {
    const own = await createWriteKey();
    await using proxy = startMisbehavingProxy(apiUrl);
    proxy.next.push(...TROUBLE);
    const settings = { apiKey: own.key, apiHost: `${proxy.host}${PREFIX}`, protocol: "http" };

    const result = await inPage(
      `
    const analytics = AnalyticsNext.AnalyticsBrowser.load(
      { writeKey: ${JSON.stringify(own.key)}, cdnSettings: { integrations: { "Segment.io": ${
        JSON.stringify(settings)
      } } } },
      { integrations: { "Segment.io": ${JSON.stringify(settings)} } },
    );
    await analytics.page("Home");
    await analytics.identify("u1", { plan: "rider" });
    for (let number = 0; number < 10; number++) await analytics.track("Ride", { number });
    await analytics.group("g1", { name: "Moto" });
    return "sent";
  `,
      own,
      13,
    );

    assertEquals(result, "sent");
    const stored = await storedOf(own);
    assertEquals(
      stored.map(({ event_name, properties }) => event_name === "Ride" ? properties.number : event_name).sort(),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, "group", "identify", "page"],
    );
    assertEquals(TROUBLE.filter((fate) => !proxy.fates.includes(fate)), []);
    assertEquals(
      new Set(stored.filter(({ event_name }) => event_name !== "page").map(({ user_id }) => user_id)),
      new Set(["u1"]),
    );
  },
);

browserTest("navigator.sendBeacon() of a page of another origin is stored, as text, JSON and a form", async () => {
  const own = await createWriteKey();
  const call = (event: string) => ({ type: "track", anonymousId: "a1", event, messageId: crypto.randomUUID() });
  const text = JSON.stringify({ writeKey: own.key, batch: [call("text")] });
  const json = JSON.stringify({ writeKey: own.key, ...call("json") });
  const form = JSON.stringify({ api_key: own.key, event: "form", distinct_id: "d1", properties: {} });

  const result = await inPage(
    `
    const send = (path, body) => navigator.sendBeacon(${JSON.stringify(trackUrl)} + path, body);
    return [
      send("/v1/batch", ${JSON.stringify(text)}),
      send("/v1/track", new Blob([${JSON.stringify(json)}], { type: "application/json" })),
      send("/e/?beacon=1", new URLSearchParams({ data: ${JSON.stringify(form)} })),
    ];
  `,
    own,
    3,
  );

  assertEquals(result, [true, true, true]);
  assertEquals((await storedOf(own)).map(({ event_name }) => event_name).sort(), ["form", "json", "text"]);
});

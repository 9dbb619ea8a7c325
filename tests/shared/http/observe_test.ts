import { assertEquals } from "@std/assert";
import { createApp } from "shared/http/app.ts";
import { Problem } from "shared/problem.ts";
import { captureLog } from "../../support/log_lines.ts";

const log = captureLog();

/** The clock of this test file: it goes on when a handler says so. */
let now = 0;
performance.now = () => now;

/** A function whose requests take as long as their path says, in milliseconds. */
function startFunction() {
  log.clear();
  const app = createApp("example");
  app.get("/takes/:ms", (c) => {
    now += Number(c.req.param("ms"));
    return c.text("done");
  });
  app.get("/broken", () => {
    throw new Problem("outbound_failed");
  });
  return (path: string) => Promise.resolve(app.request(`/example${path}`));
}

function lines(): Record<string, unknown>[] {
  return log.raw.map((line) => JSON.parse(line));
}

Deno.test("observe() warns of a request that took more than a second", async () => {
  const get = startFunction();

  await get("/takes/1000");
  await get("/takes/1001");

  assertEquals(lines().map(({ level, dur_ms }) => [level, dur_ms]), [["info", 1_000], ["warn", 1_001]]);
});

Deno.test("observe() logs a failure as an error with its code", async () => {
  const get = startFunction();

  await get("/broken");

  assertEquals([log.only().level, log.only().code, log.only().status], ["error", "outbound_failed", 502]);
});

Deno.test("observe() leaves out successes of a busy function, never a failure or a slow request", async () => {
  const get = startFunction();

  for (let request = 0; request < 200; request++) await get("/takes/1");
  for (const path of ["/broken", "/takes/1001", "/broken"]) await get(path);

  const levels = Object.groupBy(lines(), ({ level }) => String(level));
  assertEquals([levels.error?.length, levels.warn?.length], [2, 1]);
  assertEquals(levels.info!.length < 100, true);
});

Deno.test("observe() accounts for every request: with a line, or in the next line's left_out", async () => {
  const get = startFunction();

  for (let request = 0; request < 200; request++) await get("/takes/1");
  await get("/broken");

  assertEquals(lines().reduce((count, { left_out }) => count + 1 + Number(left_out ?? 0), 0), 201);
});

import { assertEquals } from "@std/assert";
import { graphUsage } from "../../../shared/whatsapp/graph_usage.ts";

function usageOf(headers: Record<string, unknown>) {
  const texts = Object.entries(headers).map(([name, value]): [string, string] => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return graphUsage(new Headers(texts));
}

Deno.test("graphUsage() reads what is used of each limit, and when calls are accepted again", () => {
  const found = usageOf({
    "x-app-usage": { call_count: 28, total_time: 25, total_cputime: 24 },
    "x-business-use-case-usage": {
      "200000000000001": [
        { type: "whatsapp", call_count: 100, total_cputime: 12, total_time: 9, estimated_time_to_regain_access: 19 },
        { type: "messenger", call_count: 1, total_cputime: 1, total_time: 1, estimated_time_to_regain_access: 0 },
      ],
    },
  });

  assertEquals(found, [
    { account_id: null, type: "app", call_percent: 28, cpu_percent: 24, time_percent: 25, regain_seconds: 0 },
    {
      account_id: "200000000000001",
      type: "whatsapp",
      call_percent: 100,
      cpu_percent: 12,
      time_percent: 9,
      regain_seconds: 1_140,
    },
    {
      account_id: "200000000000001",
      type: "messenger",
      call_percent: 1,
      cpu_percent: 1,
      time_percent: 1,
      regain_seconds: 0,
    },
  ]);
});

Deno.test("graphUsage() finds nothing where Meta tells nothing", () => assertEquals(usageOf({}), []));

for (const header of ["{", "[]", "7", "null", `{"1":{"call_count":5}}`, `{"1":[7]}`]) {
  Deno.test(`graphUsage() finds nothing in ${header}`, () => {
    assertEquals(usageOf({ "x-business-use-case-usage": header }), []);
  });
}

Deno.test("graphUsage() takes nonsense for nothing used", () => {
  const [found] = usageOf({ "x-business-use-case-usage": { "1": [{ type: 7, call_count: -5, total_time: "much" }] } });

  assertEquals(found, {
    account_id: "1",
    type: "unknown",
    call_percent: 0,
    cpu_percent: 0,
    time_percent: 0,
    regain_seconds: 0,
  });
});

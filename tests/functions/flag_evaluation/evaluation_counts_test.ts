import { assertEquals } from "@std/assert";
import {
  type EvaluationCount,
  EvaluationCounts,
} from "../../../supabase/functions/flag-evaluation/evaluation_counts.ts";

const HOUR_MS = 3_600_000;

Deno.test("EvaluationCounts adds up rules and revisions that say the same, hour by hour", async () => {
  const told: EvaluationCount[] = [];
  const counts = new EvaluationCounts((_environment, batch) => Promise.resolve(told.push(...batch)));
  const [one, other] = ["first", "second"].map((ruleId) => ({
    key: "fare",
    reason: "SPLIT" as const,
    variant: "on",
    ruleId,
  }));
  const missing = { key: "fare", errorCode: "TARGETING_KEY_MISSING" as const };
  const unknown = { key: "invented", errorCode: "FLAG_NOT_FOUND" as const };

  counts.add("production", [one!, missing, unknown], 0);
  counts.add("production", [one!], 1);
  counts.add("production", [other!], 2);
  counts.add("production", [other!], HOUR_MS);
  await counts.flush();

  const [first, second] = ["1970-01-01T00:00:00.000Z", "1970-01-01T01:00:00.000Z"];
  const sum = (hour: string | undefined, reason: string) =>
    told.filter((row) => row.hour === hour && row.reason === reason).map(({ variant, count }) => [variant, count]);
  assertEquals(sum(first, "SPLIT"), [["on", 3]]);
  assertEquals(sum(first, "ERROR"), [[undefined, 1]]);
  assertEquals(sum(second, "SPLIT"), [["on", 1]]);
  assertEquals(new Set(told.map((row) => row.flag_key)), new Set(["fare"]));
});

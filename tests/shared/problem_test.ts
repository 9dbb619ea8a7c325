import { assertEquals } from "@std/assert";
import { EDGE_PROBLEMS, Problem } from "shared/problem.ts";

Deno.test("Problem() takes status and title from the table", () => {
  const problem = new Problem("idempotency_key_missing");

  assertEquals([problem.code, problem.status, problem.title], [
    "idempotency_key_missing",
    400,
    "The Idempotency-Key header is missing",
  ]);
});

Deno.test("Problem() carries a code of somebody else's with its status and title", () => {
  const problem = new Problem("insufficient_funds", { status: 409, title: "Not enough money" });

  assertEquals([problem.code, problem.status, problem.title], ["insufficient_funds", 409, "Not enough money"]);
});

Deno.test("Problem() does not compile with a code that is neither in the table nor described", () => {
  // @ts-expect-error -- no status, no title
  const problem = new Problem("misspelt");

  assertEquals(problem.status, 500);
});

Deno.test("EDGE_PROBLEMS lists stable words, error statuses and titles without a full stop", () => {
  const offenders = Object.entries(EDGE_PROBLEMS).filter(([code, [status, title]]) =>
    !/^[a-z][a-z_]*[a-z]$/.test(code) || status < 400 || status > 599 || title.endsWith(".")
  );

  assertEquals(offenders, []);
});

import { assertEquals } from "@std/assert";
import { GRAPH_ERRORS, graphError } from "../../../../scripts/fakes/graph/graph_errors.ts";

/** Every code that a sender has to know what to do about. */
const KNOWN = [
  [4, 80007, 130429, 131056, 131048],
  [1, 2, 131000, 131016, 131057, 133004],
  [131047, 131049, 131050, 131026, 131021, 130472, 130403, 131030, 131062],
  [131051, 131052, 131053, 131008, 131009, 100, 33, 135000],
  [132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132018, 132068, 132069, 134101],
  [0, 190, 3, 10, 200, 299, 131005],
  [368, 131031, 130497, 131037, 131042, 131045, 131064],
  [133000, 133005, 133006, 133008, 133009, 133010, 133015, 133016],
].flat();

Deno.test("GRAPH_ERRORS has every code that a sender must know", () => {
  assertEquals(Object.keys(GRAPH_ERRORS).map(Number), KNOWN.toSorted((a, b) => a - b));
});

Deno.test("graphError() answers as Meta does: the status of the code, details from WhatsApp alone", async () => {
  const pair = graphError(131056, { details: "Wait.", retryAfter: 4 });
  const token = graphError(190);

  assertEquals([pair.status, pair.headers.get("retry-after"), token.status], [429, "4", 401]);
  const { error } = await pair.json();
  assertEquals(error.error_data, { messaging_product: "whatsapp", details: "Wait." });
  const refusal = await token.json();
  assertEquals([refusal.error.error_subcode, refusal.error.error_data], [463, undefined]);
});

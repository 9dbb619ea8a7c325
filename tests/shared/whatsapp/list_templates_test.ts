import { assertEquals } from "@std/assert";
import { listTemplates } from "../../../shared/whatsapp/list_templates.ts";
import { startFakeGraph } from "../../../scripts/fakes/graph/fake_graph.ts";
import { serve } from "../../support/loopback.ts";
import { reach, reachAt } from "./reach.ts";

const WABA = "200000000000001";
const RIDE = { id: "7", name: "ride_offer", language: "rw_RW", category: "UTILITY", status: "APPROVED" };

Deno.test("listTemplates() gives what is known of each template", async () => {
  const components = [{ type: "BODY", text: "Muraho {{1}}" }];
  const quality_score = { score: "GREEN", date: 1763800000 };
  const bare = { name: "promo", language: "en", category: "MARKETING", status: "PAUSED" };
  await using graph = startFakeGraph({ templates: [{ ...RIDE, quality_score, components }, bare] });

  assertEquals(await listTemplates(reach(graph), WABA), {
    kind: "listed",
    templates: [
      {
        template_id: "7",
        name: "ride_offer",
        language: "rw_RW",
        category: "UTILITY",
        status: "APPROVED",
        quality: "GREEN",
        components,
      },
      {
        template_id: null,
        name: "promo",
        language: "en",
        category: "MARKETING",
        status: "PAUSED",
        quality: null,
        components: [],
      },
    ],
  });
});

Deno.test("listTemplates() reads every page, by the cursor: the next page's address has a token in it", async () => {
  const templates = Array.from({ length: 250 }, (_, index) => ({ ...RIDE, name: `template_${index}` }));
  await using graph = startFakeGraph({ templates });

  const listing = await listTemplates(reach(graph), WABA);

  assertEquals(
    listing.kind === "listed" && listing.templates.map(({ name }) => name),
    templates.map(({ name }) => name),
  );
  assertEquals(graph.requests, Array(3).fill(`GET /${WABA}/message_templates`));
});

Deno.test("listTemplates() gives nothing when a page is missing", async () => {
  const templates = Array.from({ length: 250 }, () => RIDE);
  await using graph = startFakeGraph({ templates });
  graph.next(undefined, { accepts: false, answer: { code: 80007 } });

  assertEquals((await listTemplates(reach(graph), WABA)).kind, "graph_error");
});

async function listingOf(page: unknown) {
  let requests = 0;
  await using server = serve(() => (requests++, Response.json(page)));
  const listing = await listTemplates(reachAt(server.url, server.host), WABA);
  return { listing, requests };
}

Deno.test("listTemplates() gives up on pages without end", async () => {
  const { listing, requests } = await listingOf({ data: [], paging: { next: "https://x", cursors: { after: "MQ" } } });

  assertEquals(listing, { kind: "unknown", reason: "unreadable_answer" });
  assertEquals(requests, 100);
});

Deno.test("listTemplates() does not take a listing for whole that it cannot read", async () => {
  const unreadable = [{}, { data: [{ name: "x" }] }, { data: 7 }, { data: [RIDE], paging: { next: "https://x" } }, []];

  for (const page of unreadable) {
    assertEquals((await listingOf(page)).listing, { kind: "unknown", reason: "unreadable_answer" });
  }
});

Deno.test("listTemplates() takes a page without paging for the last", async () => {
  assertEquals((await listingOf({ data: [] })).listing, { kind: "listed", templates: [] });
});

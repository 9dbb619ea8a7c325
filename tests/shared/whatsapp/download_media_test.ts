import { assertEquals } from "@std/assert";
import { downloadMedia, type MediaSource } from "../../../shared/whatsapp/download_media.ts";
import { findMedia } from "../../../shared/whatsapp/find_media.ts";
import { type FakeGraph, startFakeGraph } from "../../../scripts/fakes/graph/fake_graph.ts";
import type { StoredMedia } from "../../../scripts/fakes/graph/media_store.ts";
import { type Loopback, serve } from "../../support/loopback.ts";
import { NUMBER, reach } from "./reach.ts";

const PHOTO = crypto.getRandomValues(new Uint8Array(60_000));

/** A photo that somebody sent, as Meta describes it. */
async function received(graph: FakeGraph, claims: Partial<StoredMedia> = {}): Promise<MediaSource> {
  const id = await graph.media.add(PHOTO, "image/jpeg", claims);
  const found = await findMedia(reach(graph), id, { phoneNumberId: NUMBER });
  if (found.kind !== "found") throw new Error(JSON.stringify(found));
  return found;
}

async function download(graph: FakeGraph, claims: Partial<StoredMedia>, maxBytes?: number): Promise<string> {
  const result = await downloadMedia(reach(graph), await received(graph, claims), { maxBytes });
  return `${result.kind} ${"reason" in result ? result.reason : ""}`.trim();
}

Deno.test("findMedia() tells where a file is and what it is", async () => {
  await using graph = startFakeGraph();
  const id = await graph.media.add(PHOTO, "image/jpeg");

  const found = await findMedia(reach(graph), id);

  assertEquals(found, {
    kind: "found",
    media_id: id,
    url: `${graph.origin}/files/${id}`,
    mime_type: "image/jpeg",
    sha256: graph.media.files.get(id)!.sha256,
    file_size: PHOTO.length,
  });
});

Deno.test("downloadMedia() gives the file that Meta described", async () => {
  await using graph = startFakeGraph();
  const source = await received(graph);

  assertEquals(await downloadMedia(reach(graph), source), {
    kind: "downloaded",
    bytes: PHOTO,
    sha256: source.sha256,
  });
});

Deno.test("downloadMedia() needs no size, and reads a hash in base64 as webhooks give it", async () => {
  await using graph = startFakeGraph();
  const { url, mime_type } = await received(graph);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", PHOTO));
  const source = { url, mime_type, sha256: btoa(String.fromCharCode(...digest)) };

  assertEquals((await downloadMedia(reach(graph), source)).kind, "downloaded");
});

Deno.test("downloadMedia() refuses a file that is not the one described", async () => {
  await using graph = startFakeGraph();

  assertEquals(await download(graph, { sha256: "0".repeat(64) }), "refused hash_mismatch");
  assertEquals(await download(graph, { sha256: "" }), "refused hash_mismatch");
  assertEquals(await download(graph, { content_type: "text/html" }), "refused mime_type_mismatch");
  assertEquals(await download(graph, { file_size: PHOTO.length - 1 }), "refused too_large");
});

Deno.test("downloadMedia() compares types without their parameters, and takes a host that does not know", async () => {
  await using graph = startFakeGraph();

  for (const content_type of ["IMAGE/jpeg; q=1", "application/octet-stream", "binary/octet-stream"]) {
    assertEquals(await download(graph, { content_type }), "downloaded");
  }
});

Deno.test("downloadMedia() does not even ask for a file that is said to be too large", async () => {
  await using graph = startFakeGraph();

  assertEquals(await download(graph, {}, PHOTO.length - 1), "refused too_large");
  assertEquals(await download(graph, {}, PHOTO.length), "downloaded");
  assertEquals(graph.requests.filter((request) => request.startsWith("GET /files/")).length, 1);
});

Deno.test("downloadMedia() stops reading a file that grows beyond what was said", async () => {
  await using graph = startFakeGraph();
  const source = await received(graph);
  graph.next({ accepts: true, answer: "endless" });

  assertEquals(await downloadMedia(reach(graph), source), { kind: "refused", reason: "too_large" });
});

Deno.test("downloadMedia() says when its address is no longer good", async () => {
  await using graph = startFakeGraph();
  const source = await received(graph);
  graph.media.files.clear();

  assertEquals(await downloadMedia(reach(graph), source), { kind: "refused", reason: "url_expired" });
});

Deno.test("downloadMedia() reports Graph's refusals and what it cannot know", async () => {
  await using graph = startFakeGraph();
  const source = await received(graph);
  graph.next(
    { accepts: false, answer: { code: 190 } },
    { accepts: false, answer: { status: 502 } },
    { accepts: true, answer: "truncated" },
  );
  const again = () => downloadMedia(reach(graph), source);

  assertEquals([(await again()).kind, (await again()).kind, (await again()).kind], [
    "graph_error",
    "unknown",
    "unknown",
  ]);
});

/** A host that is on the list of hosts, but not Meta's; it collects what it can. */
function thief(): Loopback & { tokens: (string | null)[] } {
  const tokens: (string | null)[] = [];
  const server = serve((request) => {
    tokens.push(request.headers.get("authorization"));
    return new Response(PHOTO, { headers: { "content-type": "image/jpeg" } });
  });
  return { ...server, tokens };
}

Deno.test("downloadMedia() takes the token to Meta's hosts only", async () => {
  await using graph = startFakeGraph();
  await using other = thief();
  const source = await received(graph);
  const { host, port } = other;
  const addresses = [
    other.url,
    `http://lookaside.fbsbx.com@${host}/`,
    `http://${graph.host}@${host}/`,
    `http://lookaside.fbsbx.com.${host}/`,
    `http://lookaside.fbsbx.com/`,
    `https://lookaside.fbsbx.com:${port}/`,
    `https://lookaside.fbsbx.com.evil.example/`,
    `https://evil.example/?https://lookaside.fbsbx.com/`,
    `https://evil.example\\@lookaside.fbsbx.com/`,
    `https://${graph.host}/`,
    "//lookaside.fbsbx.com/",
    "file:///etc/passwd",
    "data:image/jpeg;base64,",
    "",
  ];

  for (const url of addresses) {
    const result = await downloadMedia(reach(graph, host, `localhost:${port}`), { ...source, url });

    assertEquals(result, { kind: "refused", reason: "foreign_address" }, url);
  }
  assertEquals(other.tokens, []);
});

Deno.test("downloadMedia() follows no redirect, so the token stays with Meta", async () => {
  await using other = thief();
  await using moved = serve(() => Response.redirect(other.url, 302));
  await using graph = startFakeGraph();
  const source = await received(graph);

  const api = { ...reach(graph, other.host, moved.host), url: `${moved.url}/v26.0` };

  assertEquals(await downloadMedia(api, { ...source, url: moved.url }), { kind: "refused", reason: "redirected" });
  assertEquals(other.tokens, []);
});

Deno.test("downloadMedia() calls Meta's host of files, if the list of hosts has it", async () => {
  await using graph = startFakeGraph();
  const source = { ...await received(graph), url: "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1" };

  assertEquals(await downloadMedia(reach(graph), source), { kind: "not_sent", reason: "address_refused" });
});

Deno.test("findMedia() refuses answers that leave out what a download needs", async () => {
  for (const missing of ["url", "mime_type", "sha256", "file_size"]) {
    const whole = { id: "1", url: "https://lookaside.fbsbx.com/1", mime_type: "a/b", sha256: "0", file_size: 1 };
    await using server = serve(() => Response.json({ ...whole, [missing]: undefined }));
    await using graph = startFakeGraph();

    const found = await findMedia({ ...reach(graph, server.host), url: server.url }, "1");

    assertEquals(found, { kind: "unknown", reason: "unreadable_answer" }, missing);
  }
});

import { assertEquals } from "@std/assert";
import { findMedia } from "../../../shared/whatsapp/find_media.ts";
import { deleteMedia } from "../../../shared/whatsapp/delete_media.ts";
import { type MediaFile, uploadMedia } from "../../../shared/whatsapp/upload_media.ts";
import { startFakeGraph } from "../../../scripts/fakes/graph/fake_graph.ts";
import { NUMBER, reach } from "./reach.ts";

const VOICE: MediaFile = {
  kind: "audio",
  mimeType: "audio/ogg; codecs=opus",
  bytes: crypto.getRandomValues(new Uint8Array(60_000)),
};

Deno.test("uploadMedia() gives Meta the file with its type, whole", async () => {
  await using graph = startFakeGraph();

  const uploaded = await uploadMedia(reach(graph), NUMBER, VOICE);

  const [id, file] = [...graph.media.files][0]!;
  assertEquals(uploaded, { kind: "uploaded", media_id: id, sha256: file.sha256 });
  assertEquals([file.bytes, file.mime_type], [VOICE.bytes, VOICE.mimeType]);
});

Deno.test("uploadMedia() sends nothing that Meta does not take, or that is not what was meant", async () => {
  await using graph = startFakeGraph();
  const api = reach(graph);

  const results = [
    await uploadMedia(api, NUMBER, { ...VOICE, kind: "image" }),
    await uploadMedia(api, NUMBER, { ...VOICE, bytes: new Uint8Array() }),
    await uploadMedia(api, NUMBER, { ...VOICE, sha256: "0".repeat(64) }),
    await uploadMedia(api, NUMBER, { ...VOICE, sha256: "no hash" }),
  ];

  assertEquals(results, [
    { kind: "refused", reason: "mime_type_not_supported" },
    { kind: "refused", reason: "empty" },
    { kind: "refused", reason: "hash_mismatch" },
    { kind: "refused", reason: "hash_mismatch" },
  ]);
  assertEquals(graph.requests, []);
});

Deno.test("uploadMedia() takes a hash in either of Meta's spellings", async () => {
  await using graph = startFakeGraph();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", VOICE.bytes));

  const result = await uploadMedia(reach(graph), NUMBER, { ...VOICE, sha256: btoa(String.fromCharCode(...digest)) });

  assertEquals(result.kind, "uploaded");
});

Deno.test("uploadMedia() reports refusals and doubts", async () => {
  await using graph = startFakeGraph();
  graph.next(
    { accepts: false, answer: { code: 131053 } },
    { accepts: true, answer: "truncated" },
    { accepts: true, answer: "no_id" },
  );
  const upload = () => uploadMedia(reach(graph), NUMBER, VOICE);

  assertEquals([(await upload()).kind, (await upload()).kind, (await upload()).kind], [
    "graph_error",
    "unknown",
    "unknown",
  ]);
});

Deno.test("deleteMedia() has Meta forget the file, once", async () => {
  await using graph = startFakeGraph();
  const id = await graph.media.add(new Uint8Array(3), "image/png");

  assertEquals(await deleteMedia(reach(graph), id), { kind: "done" });
  assertEquals((await deleteMedia(reach(graph), id)).kind, "graph_error");
  assertEquals((await findMedia(reach(graph), id)).kind, "graph_error");
});

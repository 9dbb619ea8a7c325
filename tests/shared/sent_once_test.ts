import { assertEquals, assertNotEquals } from "@std/assert";
import { sentOnce } from "shared/sent_once.ts";
import { guardedFetch } from "shared/http/guarded_fetch.ts";
import { startBreakingServer } from "../support/breaking_server.ts";
import { codeThrownBy } from "../support/problems.ts";
import { useSettings } from "../support/settings.ts";

const settings: { OUTBOUND_ALLOWED_HOSTS?: string } = {};
useSettings(settings);

Deno.test("sentOnce() keeps a body from going out a second time when its connection breaks", async () => {
  await using server = startBreakingServer();
  const send = async (body: string) => {
    const answer = await fetch(server.url, { method: "POST", body: sentOnce(body) });
    return await answer.text();
  };
  await send("first");

  const outcome = await send("second").catch(() => "broken");

  assertEquals([outcome, server.bodies], ["broken", ["first", "second"]]);
});

Deno.test("guardedFetch() sends a text once, with the media type that it would have had", async () => {
  await using server = startBreakingServer();
  settings.OUTBOUND_ALLOWED_HOSTS = server.host;
  await guardedFetch(server.url, { method: "POST", body: "first" });

  const code = await codeThrownBy(() => guardedFetch(server.url, { method: "POST", body: "second" }));

  assertEquals([code, server.bodies], ["outbound_failed", ["first", "second"]]);
});

Deno.test("sentOnce() keeps what is encoded as a form a form", async () => {
  const body = sentOnce(new URLSearchParams({ grant: "client credentials" }));

  const sent = new Request("http://127.0.0.1", { method: "POST", body });
  assertNotEquals(body.constructor, URLSearchParams);
  assertEquals([sent.headers.get("content-type"), await sent.text()], [
    "application/x-www-form-urlencoded;charset=utf-8",
    "grant=client+credentials",
  ]);
});

Deno.test("sentOnce() leaves multipart forms, streams and Blobs as they are", () => {
  const form = new FormData();

  assertEquals(sentOnce(form), form);
});

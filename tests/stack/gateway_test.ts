import { assertEquals, assertMatch } from "@std/assert";
import { LOCAL_KEYS } from "../../scripts/stack/development.ts";
import { apiTest, startLocalApi } from "./local_api.ts";

const aborted = Promise.withResolvers<void>();

const api = await startLocalApi({
  publicUrl: "http://api.example",
  functions: {
    "echo": {
      fetch: async (request) =>
        Response.json({
          url: request.url,
          method: request.method,
          apikey: request.headers.get("apikey"),
          body: await request.text(),
        }, { status: 201, headers: { "x-own": "kept" } }),
    },
    "throws": {
      fetch: () => {
        throw new Error("nobody catches this");
      },
    },
    "preflight": { fetch: (request) => new Response(null, { status: 204, headers: { "x-method": request.method } }) },
    "stream": {
      fetch: (request) => new Response(request.body?.pipeThrough(new TransformStream())),
    },
    "waits": {
      fetch: (request) => {
        request.signal.addEventListener("abort", () => aborted.resolve());
        return new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) }));
      },
    },
  },
});
Deno.test.afterAll(() => api.stop());

apiTest("functions.invoke() reaches the function below its own name", async () => {
  const { data } = await api.client().functions.invoke("echo/rides?town=Huye", { body: { seats: 2 } });

  assertEquals(data, {
    url: "http://api.example/echo/rides?town=Huye",
    method: "POST",
    apikey: LOCAL_KEYS.publishableKey,
    body: '{"seats":2}',
  });
});

apiTest("a function's answer passes untouched, HEAD too", async () => {
  const answer = await fetch(`${api.url}/functions/v1/echo`, { method: "HEAD" });

  assertEquals([answer.status, answer.headers.get("x-own"), await answer.text()], [201, "kept", ""]);
});

apiTest("an unknown function is not found", async () => {
  const answers = await Promise.all(["nobody/at/home", "", "constructor"].map((name) => get(`/functions/v1/${name}`)));

  assertEquals(answers.map(({ status, body }) => [status, body.code]), Array(3).fill([404, "NOT_FOUND"]));
  assertEquals(answers[0]!.headers.get("sb-error-code"), "NOT_FOUND");
});

apiTest("a function that throws answers 500 and shows nothing", async () => {
  const answer = await fetch(`${api.url}/functions/v1/throws`);

  assertEquals([answer.status, await answer.text()], [500, "Internal Server Error"]);
  assertEquals(answer.headers.get("sb-error-code"), "EDGE_FUNCTION_ERROR");
});

apiTest("a function answers its own preflight, as on the platform", async () => {
  const answer = await preflight("/functions/v1/preflight");

  assertEquals([answer.status, answer.headers.get("x-method")], [204, "OPTIONS"]);
  assertEquals(answer.headers.get("access-control-allow-origin"), null);
});

apiTest("bodies stream through a function while they are being sent", async () => {
  const upload = new TransformStream<Uint8Array, Uint8Array>();
  const writer = upload.writable.getWriter();
  const first = writer.write(new TextEncoder().encode("first"));
  const answer = await fetch(`${api.url}/functions/v1/stream`, { method: "POST", body: upload.readable });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();

  const { value } = await reader.read();
  await first;
  await writer.close();
  const { done } = await reader.read();

  assertEquals([value, done], ["first", true]);
});

apiTest("a function learns that its caller went away", async () => {
  const caller = new AbortController();
  const answer = await fetch(`${api.url}/functions/v1/waits`, { signal: caller.signal });
  await answer.body!.getReader().read();

  caller.abort();

  await aborted.promise;
});

apiTest("supabase-js in a browser may call auth and data from any origin", async () => {
  const answers = await Promise.all(["/auth/v1/token", "/rest/v1/notes", "/rest/v1/rpc/f"].map(preflight));

  assertEquals(
    answers.map(({ status, headers }) => [
      status,
      headers.get("access-control-allow-origin"),
      headers.get("access-control-allow-headers"),
      /\bPATCH\b/.test(headers.get("access-control-allow-methods") ?? ""),
    ]),
    Array(3).fill([200, "*", "apikey,authorization,x-client-info", true]),
  );
});

apiTest("an answer of auth, data or rpc can be read by a page of another origin", async () => {
  const headers = { origin: "http://localhost:3000", apikey: LOCAL_KEYS.publishableKey };

  const answers = await Promise.all(
    ["/auth/v1/settings", "/auth/v1/user", "/rest/v1/notes", "/rest/v1/rpc/f"].map((path) => get(path, headers)),
  );

  assertEquals(answers.map((answer) => answer.headers.get("access-control-allow-origin")), ["*", "*", "*", "*"]);
});

apiTest("rpc goes to the rpc handler", async () => {
  const { data } = await api.client().rpc("wallet_balance");

  assertEquals(data, { rpc: "/rest/v1/rpc/wallet_balance" });
});

apiTest("services that are not here have no route", async () => {
  const answers = await Promise.all(["/storage/v1/bucket", "/realtime/v1/api", "/graphql/v1"].map((path) => get(path)));

  assertEquals(answers.map((answer) => answer.status), [404, 404, 404]);
});

apiTest("the studio is at the root, with its scripts, tables and keys of its own", async () => {
  const page = await (await fetch(api.url)).text();
  const script = page.match(/src="(\/static\/[^"]+\.js)"/)![1]!;

  const asset = await fetch(api.url + script);
  await asset.body?.cancel();
  const info = await get("/_system/info");
  const tables = await get("/_system/introspect");

  assertMatch(asset.headers.get("content-type")!, /javascript/);
  assertEquals(info.body.admin, true);
  assertEquals((tables.body.tables as { name: string }[]).some((table) => table.name === "notes"), true);
});

async function get(path: string, headers: HeadersInit = {}) {
  const answer = await fetch(api.url + path, { headers });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

async function preflight(path: string): Promise<Response> {
  const answer = await fetch(api.url + path, {
    method: "OPTIONS",
    headers: {
      "origin": "http://localhost:3000",
      "access-control-request-method": "POST",
      "access-control-request-headers": "apikey,authorization,x-client-info",
    },
  });
  await answer.body?.cancel();
  return answer;
}

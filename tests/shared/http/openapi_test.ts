import { assert, assertEquals, assertFalse } from "@std/assert";
import * as z from "zod";
import { createApp } from "shared/http/app.ts";
import { auth } from "shared/http/auth.ts";
import { body } from "shared/http/body.ts";
import { idempotencyKey } from "shared/http/idempotency_key.ts";
import { openApiDocument } from "shared/http/openapi.ts";
import { param, query } from "shared/http/query.ts";
import { rawBody } from "shared/http/raw_body.ts";
import { returns } from "shared/http/returns.ts";
import { captureLog } from "../../support/log_lines.ts";

captureLog();

const Payment = z.object({ id: z.uuid() }).describe("A payment");
const app = createApp("payment-intake");
app.post(
  "/payments",
  auth("user", "secret"),
  idempotencyKey(),
  body(z.strictObject({ amount: z.int().describe("minor units") })),
  returns({ 201: Payment, 409: "Still running" }, { summary: "Start a payment" }),
  (c) => c.json({ id: "" }, 201),
);
app.get("/payments/:id", auth("operator"), param(z.object({ id: z.uuid() })), (c) => c.json({}));
app.get("/payments", query(z.object({ limit: z.coerce.number().default(10), after: z.string() })), (c) => c.json([]));
app.post("/webhooks/:provider{[a-z-]+}", rawBody(), (c) => c.text("ok"));
app.post("/run", auth("token:WORKER_TOKENS"), body(z.json()), (c) => c.text("ok"));

// deno-lint-ignore no-explicit-any -- a document is read here as its clients read it
const document = openApiDocument(app) as any;

Deno.test("openApiDocument() lists every route of the app, and only those", () => {
  const operations = Object.entries<Record<string, unknown>>(document.paths)
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));

  assertEquals(document.openapi, "3.1.0");
  assertEquals(operations.sort(), [
    "get /payment-intake/payments",
    "get /payment-intake/payments/{id}",
    "post /payment-intake/payments",
    "post /payment-intake/run",
    "post /payment-intake/webhooks/{provider}",
  ]);
});

Deno.test("openApiDocument() describes body, answers, header and callers from the route's middleware", () => {
  const operation = document.paths["/payment-intake/payments"].post;

  assertEquals(operation.summary, "Start a payment");
  assertEquals(operation.security, [{ user: [] }, { apikey: [] }]);
  assertEquals(operation.parameters.map(({ name, in: place }: { name: string; in: string }) => [name, place]), [
    ["Idempotency-Key", "header"],
  ]);
  const { properties, additionalProperties } = operation.requestBody.content["application/json"].schema;
  assertEquals([properties.amount.description, additionalProperties], ["minor units", false]);
  assertEquals(operation.responses[201].description, "A payment");
  assertEquals(operation.responses[201].content["application/json"].schema.required, ["id"]);
  assertEquals(operation.responses[409], { description: "Still running" });
});

Deno.test("openApiDocument() names the problems that a route's middleware can answer", () => {
  const { responses } = document.paths["/payment-intake/payments"].post;

  assertEquals(responses[415].description, "unsupported_content_encoding, unsupported_media_type");
  assertEquals(responses[403].content, {
    "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
  });
  assert("default" in responses);
  assertFalse("415" in document.paths["/payment-intake/payments"].get.responses);
});

Deno.test("openApiDocument() describes path and query parameters, those with a default as optional", () => {
  assertEquals(document.paths["/payment-intake/payments/{id}"].get.parameters[0].schema.format, "uuid");
  const parameters: { name: string; required: boolean }[] = document.paths["/payment-intake/payments"].get.parameters;
  assertEquals(parameters.map(({ name, required }) => [name, required]), [["limit", false], ["after", true]]);
});

Deno.test("openApiDocument() makes a recursive schema a resource of its own, so that its references resolve", () => {
  const { schema } = document.paths["/payment-intake/run"].post.requestBody.content["application/json"];

  assertEquals(schema.$id, "/schemas/post_payment_intake_run_body");
});

Deno.test("openApiDocument() asks for operation ids that differ", () => {
  const ids = Object.values<Record<string, { operationId: string }>>(document.paths)
    .flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));

  assertEquals(new Set(ids).size, ids.length);
});

Deno.test("createApp() serves the document without credentials", async () => {
  const response = await app.request("/payment-intake/openapi.json");

  assertEquals(response.headers.get("cache-control"), "public, max-age=300");
  assertEquals(await response.json(), document);
});

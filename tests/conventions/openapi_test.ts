import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { openApiDocuments } from "../../scripts/generate/openapi_documents.ts";
import { suiteDocument } from "../../scripts/generate/suite_document.ts";
import { functionNames } from "../../scripts/stack/functions.ts";
import operations from "../../supabase/functions/operations/index.ts";

// deno-lint-ignore no-explicit-any -- a document of unknown shape is what is being examined
type Any = any;

const METHODS = ["get", "put", "post", "delete", "patch"];
const documents = await openApiDocuments();

Deno.test("every function has an OpenAPI document", () => {
  assertEquals(Object.keys(documents).sort(), functionNames());
});

for (const [name, text] of Object.entries(documents)) {
  Deno.test(`the OpenAPI document of ${name} is well formed`, () => assertEquals(faultsOf(name, JSON.parse(text)), []));
}

Deno.test("the suite's document is well formed and holds every operation of every function, tagged with its name", () => {
  const suite = suiteDocument(documents) as Any;
  const each = functionNames().flatMap((name) =>
    operationsOf(JSON.parse(documents[name]!)).map((found) => ({ name, ...found }))
  );

  assertEquals(faultsOf("EasyMO Edge", suite, functionNames()), []);
  assertEquals(
    operationsOf(suite).map(({ path, method, operation }) => [path, method, operation.tags]),
    each.map(({ name, path, method }) => [path, method, [name]]),
  );
  assertEquals(suite.tags, functionNames().map((name) => ({ name })));
  assertEquals(Object.keys(suite.components.securitySchemes).sort(), ["apikey", "token", "user"]);
});

Deno.test("suiteDocument() keeps a component that two functions share once, and refuses two of one name", () => {
  const one = {
    openapi: "3.1.0",
    info: { version: "1" },
    servers: [],
    paths: {},
    components: { schemas: { A: { type: "string" } } },
  };
  const other = { ...one, components: { schemas: { A: { type: "integer" } } } };

  assertEquals(suiteDocument({ a: JSON.stringify(one), b: JSON.stringify(one) }).components, one.components);
  assertThrows(
    () => suiteDocument({ a: JSON.stringify(one), b: JSON.stringify(other) }),
    Error,
    "components/schemas/A",
  );
});

Deno.test("GET operations/openapi serves the suite's document to everybody", async () => {
  const answer = await operations.fetch(new Request("http://127.0.0.1/operations/openapi"));

  assertEquals([answer.status, answer.headers.get("content-type")], [200, "application/json"]);
  assertEquals(await answer.json(), suiteDocument(documents));
});

Deno.test("a breach is seen: an undescribed answer, a missing path parameter, a dead reference, a name used twice", () => {
  const operation = { operationId: "one", parameters: [], responses: { 200: {} } };
  const broken = {
    openapi: "3.1.0",
    info: { title: "example", version: "1" },
    paths: {
      "/example/{id}": { get: operation, post: { ...operation, requestBody: { $ref: "#/components/nothing" } } },
    },
  };

  assertNotEquals(faultsOf("another", broken), []);
  assertEquals(faultsOf("example", broken), [
    "get /example/{id}: path parameters  are not {id}",
    "get /example/{id}: answer 200 has no description",
    "post /example/{id}: path parameters  are not {id}",
    "post /example/{id}: answer 200 has no description",
    "operationId one stands twice",
    "#/components/nothing leads nowhere",
  ]);
});

/** What the OpenAPI 3.1 specification forbids, as far as our documents could do it. */
function faultsOf(title: string, document: Any, names = [title]): string[] {
  const operations = operationsOf(document);
  const ids = operations.map(({ operation }) => operation.operationId);
  return [
    ...(/^3\.1\.\d$/.test(document.openapi) ? [] : ["not OpenAPI 3.1"]),
    ...(document.info.title === title && document.info.version ? [] : ["info names another function"]),
    ...operations.flatMap(({ path, method, operation }) => operationFaults(names, path, method, operation)),
    ...ids.filter((id, index) => ids.indexOf(id) < index).map((id) => `operationId ${id} stands twice`),
    ...references(document).filter((ref) => !resolves(document, ref)).map((ref) => `${ref} leads nowhere`),
  ];
}

function operationsOf(document: Any): { path: string; method: string; operation: Any }[] {
  return Object.entries<Any>(document.paths).flatMap(([path, item]) =>
    Object.entries<Any>(item).map(([method, operation]) => ({ path, method, operation }))
  );
}

function operationFaults(names: string[], path: string, method: string, operation: Any): string[] {
  const faults: string[] = [];
  if (!names.includes(path.split("/")[1]!)) faults.push("is not below the function's name");
  if (!METHODS.includes(method)) faults.push("is no method that a route can have");
  const inTemplate = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
  const inPath = operation.parameters.filter((each: Any) => each.in === "path" && each.required && each.schema);
  const named = inPath.map((each: Any) => each.name);
  if (String(named) !== String(inTemplate)) faults.push(`path parameters ${named} are not {${inTemplate}}`);
  for (const [status, { $ref, description }] of Object.entries<Any>(operation.responses)) {
    if (!/^(default|[1-5]\d\d)$/.test(status)) faults.push(`${status} is no status`);
    if (!$ref && !description) faults.push(`answer ${status} has no description`);
  }
  return faults.map((fault) => `${method} ${path}: ${fault}`);
}

function references(value: Any): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries<Any>(value).flatMap(([key, inner]) => key === "$ref" ? [inner] : references(inner));
}

/** Looks up a reference to a place in this document; a schema with an $id of its own has references of its own. */
function resolves(document: Any, ref: string): boolean {
  if (!ref.startsWith("#/components/")) return ref.startsWith("#");
  const steps = ref.slice(2).split("/").map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return steps.reduce((value: Any, step) => value?.[step], document) !== undefined;
}

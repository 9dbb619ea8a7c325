type Json = Record<string, unknown>;

/** What one function serves at `GET /<function>/openapi.json`. */
interface FunctionDocument {
  openapi: string;
  info: { version: string };
  servers: Json[];
  paths: Record<string, Record<string, Json>>;
  components: Record<string, Json>;
}

const DESCRIPTION =
  "Every route of every function. Errors are RFC 9457 problems; what else a function does is in its own document.";

/**
 * One OpenAPI document of all functions: their paths begin with their names, each operation is tagged with its function's,
 * and a component that several have stands once.
 *
 * @param documents - function name -> its document as JSON
 * @throws if two functions mean different things by one component's name
 */
export function suiteDocument(documents: Record<string, string>): Json {
  const parts = Object.entries(documents).sort().map(([name, text]) => ({
    name,
    document: JSON.parse(text) as FunctionDocument,
  }));
  const { openapi, info, servers } = parts[0]!.document;
  return {
    openapi,
    info: { title: "EasyMO Edge", version: info.version, description: DESCRIPTION },
    servers,
    tags: parts.map(({ name }) => ({ name })),
    paths: Object.assign({}, ...parts.map(({ name, document }) => taggedPaths(document.paths, name))),
    components: mergedComponents(parts.map(({ document }) => document.components)),
  };
}

/** The module by which `operations` serves the document: as text, so that nobody has to parse or write it again. */
export function suiteModule(document: Json): string {
  const text = JSON.stringify(JSON.stringify(document));
  return `/** The OpenAPI document of the whole suite, written by \`deno task generate\`. */\nexport const SUITE_DOCUMENT: string =\n  ${text};\n`;
}

function taggedPaths(paths: FunctionDocument["paths"], tag: string): FunctionDocument["paths"] {
  return mapValues(paths, (methods) => mapValues(methods, (operation) => ({ tags: [tag], ...operation })));
}

function mapValues<In, Out>(record: Record<string, In>, change: (value: In) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

function mergedComponents(all: FunctionDocument["components"][]): FunctionDocument["components"] {
  const merged: FunctionDocument["components"] = {};
  for (const [kind, components] of all.flatMap((each) => Object.entries(each))) {
    const known = merged[kind] ??= {};
    for (const [name, component] of Object.entries(components)) {
      if (JSON.stringify(known[name] ??= component) !== JSON.stringify(component)) {
        throw new Error(`two functions mean different things by components/${kind}/${name}`);
      }
    }
  }
  return merged;
}

import { assertEquals, assertNotEquals } from "@std/assert";
import { type SourceFile, sourceFiles } from "../scripts/source/files.ts";
import { functionNames, loadFunctions } from "../scripts/stack/functions.ts";
import { exportsOf, importsOf, layerOf, withoutComments } from "../scripts/source/text.ts";

/** Which folders of shared a folder of shared may import from, besides itself and the files at shared's root. */
const LAYERS: Record<string, readonly string[]> = {
  "shared": [],
  "shared/analytics": [],
  "shared/conversation": [],
  "shared/db": [],
  "shared/flags": [],
  "shared/http": ["shared/db", "shared/metrics"],
  "shared/metrics": ["shared/db"],
  "shared/notifications": [],
  "shared/payments": [],
  "shared/routing": ["shared/db"],
  "shared/webhooks": [],
  "shared/whatsapp": [],
  "shared/worker": [],
};

/** What runs on the platform: each package is part of every cold start. */
const PACKAGES = [
  "@block65/webcrypto-web-push",
  "@supabase/server",
  "hono",
  "libphonenumber-js",
  "nodemailer",
  "zod",
];

interface Rule {
  /** Why a file breaks the rule; nothing when it does not. */
  faults: (file: SourceFile) => string[];
  /** A file that breaks it. */
  breach: SourceFile;
}

const RULES: Record<string, Rule> = {
  "imports of functions and shared are literals with an extension": {
    faults: ({ text }) => [
      ...importsOf(text).filter((name) => /^(\.|shared\/)/.test(name) && !name.endsWith(".ts")),
      ...(withoutComments(text).match(/\bimport\((?!")/g) ?? []),
    ],
    breach: { path: "shared/http/app.ts", text: `const { log } = await import(path);` },
  },
  "functions import from shared and from their own folder": {
    faults: ({ path, text }) =>
      layerOf(path).startsWith("supabase/functions/")
        ? importsOf(text, path).filter((target) =>
          ![layerOf(path), "shared"].some((home) => target.startsWith(`${home}/`))
        )
        : [],
    breach: {
      path: "supabase/functions/worker/index.ts",
      text: `import { signedByMeta } from "../whatsapp-webhook/signed_by_meta.ts";`,
    },
  },
  "folders of shared import from the folders below them": {
    faults: ({ path, text }) => {
      const layer = layerOf(path);
      if (!layer.startsWith("shared")) return [];
      const allowed = LAYERS[layer];
      if (!allowed) return [`${layer} has no place among the layers`];
      return importsOf(text, path).filter((target) => !["shared", layer, ...allowed].includes(layerOf(target)));
    },
    breach: { path: "shared/whatsapp/graph.ts", text: `import { rpc } from "../db/rpc.ts";` },
  },
  "functions and shared use the few packages that are meant for them": {
    faults: ({ text }) =>
      importsOf(text).filter((name) =>
        !/^(\.|shared\/)/.test(name) && !PACKAGES.some((each) => name === each || name.startsWith(`${each}/`))
      ),
    breach: { path: "shared/bytes.ts", text: `import { Buffer } from "node:buffer";` },
  },
  "zod is imported as a namespace, which can be tree-shaken": {
    faults: ({ text }) => text.match(/^import .*"zod";$/gm)?.filter((line) => !line.includes("* as z")) ?? [],
    breach: { path: "supabase/functions/worker/schema.ts", text: `import { z } from "zod";` },
  },
  "only shared/env.ts knows the runtime": {
    faults: ({ path, text }) =>
      path === "shared/env.ts" ? [] : withoutComments(text).replaceAll("Deno.ServeDefaultExport", "").match(
        /\b(Deno\b.*|process\.\w+|Buffer\.\w+)/g,
      ) ?? [],
    breach: { path: "shared/log.ts", text: `export const region = Deno.env.get("SB_REGION");` },
  },
  "every export has a JSDoc comment": {
    faults: ({ text }) => exportsOf(text).filter(({ isDocumented }) => !isDocumented).map(({ name }) => name),
    breach: { path: "shared/bytes.ts", text: `export const CHUNK = 1;` },
  },
  "index.ts exports { fetch } and nothing else": {
    faults: ({ path, text }) => {
      if (!/^supabase\/functions\/[^/]+\/index\.ts$/.test(path)) return [];
      const exported = text.match(/^export .*$/gm) ?? [];
      const wanted = "export default { fetch: app.fetch } satisfies Deno.ServeDefaultExport;";
      return exported.length === 1 && exported[0] === wanted ? [] : exported;
    },
    breach: { path: "supabase/functions/worker/index.ts", text: `Deno.serve(app.fetch);\nexport default app;` },
  },
};

const edgeFiles = await sourceFiles("shared", "supabase/functions");

for (const [name, { faults, breach }] of Object.entries(RULES)) {
  Deno.test(name, () => {
    assertEquals(edgeFiles.flatMap((file) => faults(file).map((fault) => `${file.path}: ${fault}`)), []);
  });

  Deno.test(`a breach is seen: ${name}`, () => assertNotEquals(faults(breach), []));
}

Deno.test("every function's module gives a fetch of its own, which is all that the platform looks for", async () => {
  const loaded = await loadFunctions();

  assertEquals(Object.values(loaded).map((module) => Object.keys(module)), functionNames().map(() => ["fetch"]));
});

Deno.test("files are named after what they hold", async () => {
  const all = await sourceFiles("shared", "supabase/functions", "scripts", "tests", "bench");
  const misnamed = all.map(({ path }) => path).filter(isMisnamed);

  assertEquals(misnamed, []);
  assertEquals(["shared/http/utils.ts", "shared/rateLimit.ts", "shared/http/rate_limit.ts"].map(isMisnamed), [
    true,
    true,
    false,
  ]);
});

Deno.test("functions are named in kebab-case, as their URLs are", () => {
  assertEquals(functionNames().filter((name) => !/^[a-z]+(-[a-z]+)*$/.test(name)), []);
});

Deno.test("importsOf() sees every form of import, and no text that looks like one", () => {
  const text = `import "./a.ts";
import type { B } from "./b.ts";
export {
  c,
} from "../c.ts";
export const NAME = "./not.ts";
/** import "./not.ts"; */
const d = await import("shared/d.ts");`;

  assertEquals(importsOf(text, "shared/http/x.ts"), [
    "shared/http/a.ts",
    "shared/http/b.ts",
    "shared/c.ts",
    "shared/d.ts",
  ]);
});

function isMisnamed(path: string): boolean {
  const file = path.split("/").at(-1)!;
  return !/^[a-z0-9]+(_[a-z0-9]+)*\.ts$/.test(file) || /^(utils?|helpers?|common|types|misc)\.ts$/.test(file);
}

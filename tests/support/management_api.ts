import { serve } from "./loopback.ts";

/** What the CLI says of a function beside its files. */
export interface Deployment {
  metadata: { name: string; entrypoint_path: string; import_map_path: string; verify_jwt: boolean };
  /** Paths in the checkout, and what is in them. */
  files: Map<string, Uint8Array<ArrayBuffer>>;
}

/** Supabase's Management API, as far as `functions deploy` asks it: keeps what is deployed, by the function's name. */
export function startManagementApi() {
  const deployed = new Map<string, Deployment>();
  const server = serve(async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    const [, project, what] = /^\/v1\/projects\/([a-z]{20})(\/functions(?:\/deploy)?)?$/.exec(pathname) ?? [];
    if (request.headers.get("authorization") !== `Bearer ${ACCESS_TOKEN}`) return new Response(null, { status: 401 });
    if (request.method === "GET" && project && !what) return Response.json(projectOf(project));
    if (request.method === "POST" && what === "/functions/deploy") {
      const slug = searchParams.get("slug")!;
      deployed.set(slug, await readDeployment(await request.formData()));
      return Response.json(functionOf(slug), { status: 201 });
    }
    if (request.method === "PUT" && what === "/functions") return Response.json({ functions: await request.json() });
    return new Response(null, { status: 404 });
  });
  return { deployed, url: server.url, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** A personal access token that this API alone believes. */
export const ACCESS_TOKEN = `sbp_${"0".repeat(40)}`;

async function readDeployment(form: FormData): Promise<Deployment> {
  const files = form.getAll("file") as File[];
  return {
    metadata: JSON.parse(String(form.get("metadata"))),
    files: new Map(await Promise.all(files.map(async (file) => [file.name, await file.bytes()] as const))),
  };
}

function projectOf(ref: string) {
  return {
    id: ref,
    ref,
    name: "easymo",
    organization_id: "org",
    region: "eu-west-1",
    status: "ACTIVE_HEALTHY",
    created_at: "2026-11-01T00:00:00Z",
  };
}

function functionOf(slug: string) {
  return { id: crypto.randomUUID(), slug, name: slug, status: "ACTIVE", version: 1, created_at: 1, updated_at: 1 };
}

import postgres from "postgres";
import { localTarget } from "../../scripts/stack/database.ts";
import { LOCAL_KEYS } from "../../scripts/stack/development.ts";
import { createIdentify } from "../../scripts/stack/identity.ts";
import { createLite } from "../../scripts/stack/lite.ts";
import { createRpc } from "../../scripts/stack/rpc/handler.ts";

type Handler = (request: Request) => Response | Promise<Response>;

/** One way of calling a SQL function over HTTP, alone in its process: our module, lite's, or postgres.js without any of it. */
const SERVERS: Record<string, (target: ReturnType<typeof localTarget>) => Handler> = {
  ours: ({ authenticatorUrl }) => createRpc({ url: authenticatorUrl, identify: createIdentify(LOCAL_KEYS) }).fetch,
  lite: ({ superuserUrl }) => createLite(superuserUrl, LOCAL_KEYS).fetch,
  direct: ({ url }) => {
    const sql = postgres(url, { max: 10 });
    return async (request) => {
      const { one, other } = await request.json();
      const [row] = await sql`select public.bench_sum(${one}, ${other}) as sum`;
      return Response.json(row!.sum);
    };
  },
};

const [port, kind = "", databasePort, database] = Deno.args;
const handler = SERVERS[kind]!(localTarget(Number(databasePort), database));
Deno.serve({ hostname: "127.0.0.1", port: Number(port), onListen: () => {} }, handler);

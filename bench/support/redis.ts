import { freePort } from "../../scripts/stack/port.ts";
import type { SqlAnswers } from "../processes/sql_load.ts";
import { run } from "./processes.ts";

/** How Redis is loaded. */
export interface RedisLoad {
  port: number;
  seconds: number;
  connections: number;
  keys: number;
}

/** Runs `work` beside a Redis of its own on loopback, as a rival; without one where redis-server is not installed. */
export async function withRedis<T>(
  load: Omit<RedisLoad, "port">,
  work: (rivals: Record<string, () => Promise<SqlAnswers>>) => Promise<T>,
): Promise<T> {
  const port = freePort();
  const server = start(port);
  if (!server) return await work({});
  try {
    return await work({
      "Redis, GET on loopback": () => run<SqlAnswers>("bench/processes/redis_load.ts", { ...load, port }),
    });
  } finally {
    server.kill();
    await server.status;
  }
}

function start(port: number): Deno.ChildProcess | undefined {
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  try {
    return new Deno.Command("redis-server", { args, stdout: "null", stderr: "null" }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

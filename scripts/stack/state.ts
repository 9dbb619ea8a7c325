import { join } from "@std/path";
import { LOCAL_KEYS } from "./development.ts";
import { dataFolder } from "./data_folder.ts";
import { StackError } from "./stack_error.ts";

/** What a running stack leaves in its data folder, so that others can find it. */
export interface StackState {
  pid: number;
  apiUrl: string;
  dbUrl: string;
}

/**
 * Makes a data folder this process's own until it ends, however it ends.
 *
 * @returns how to give it back before
 * @throws StackError when another process has it
 */
export async function claimFolder(data: string): Promise<() => Promise<void>> {
  const path = pathOf(data, "stack.lock");
  const file = await Deno.open(path, { create: true, write: true });
  // Whoever only looks whether it is locked is gone at once.
  for (let tries = 0; tries < 5; tries++) {
    if (await file.tryLock(true)) {
      await removeState(data); // of one that was killed
      await Deno.writeTextFile(path, String(Deno.pid));
      return async () => await file.unlock();
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  file.close();
  const pid = await Deno.readTextFile(path);
  throw new StackError(`the data folder ${dataFolder(data)} is in use by a running stack (pid ${pid}): stop it first`);
}

/** The stack that runs on this data folder, if one does and is ready. */
export async function readState(data: string): Promise<StackState | null> {
  try {
    using lock = await Deno.open(pathOf(data, "stack.lock"));
    if (await lock.tryLock()) return null;
    return JSON.parse(await Deno.readTextFile(pathOf(data, "stack.json")));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

export async function writeState(data: string, state: StackState): Promise<void> {
  await Deno.writeTextFile(pathOf(data, "stack.json"), JSON.stringify(state));
}

export async function removeState(data: string): Promise<void> {
  await Deno.remove(pathOf(data, "stack.json")).catch(() => {});
}

/** URLs and keys under the names of `supabase status -o env`. */
export function describeState({ apiUrl, dbUrl }: StackState): string {
  return Object.entries({
    API_URL: apiUrl,
    REST_URL: `${apiUrl}/rest/v1`,
    FUNCTIONS_URL: `${apiUrl}/functions/v1`,
    STUDIO_URL: apiUrl,
    DB_URL: dbUrl,
    PUBLISHABLE_KEY: LOCAL_KEYS.publishableKey,
    SECRET_KEY: LOCAL_KEYS.secretKey,
    JWT_SECRET: LOCAL_KEYS.jwtSecret,
  }).map(([name, value]) => `${name}="${value}"`).join("\n");
}

function pathOf(data: string, file: string): string {
  return join(dataFolder(data), file);
}

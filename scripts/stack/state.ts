import { join } from "@std/path";
import { LOCAL_KEYS } from "./development.ts";
import { dataFolder, isAlive } from "./postgres.ts";

/** What a running stack leaves in its data folder, so that others can find it. */
export interface StackState {
  pid: number;
  apiUrl: string;
  dbUrl: string;
}

/** The stack that runs on this data folder, if one does. */
export async function readState(data: string): Promise<StackState | null> {
  try {
    const state: StackState = JSON.parse(await Deno.readTextFile(pathOf(data)));
    return isAlive(state.pid) ? state : null;
  } catch {
    return null;
  }
}

export async function writeState(data: string, state: StackState): Promise<void> {
  await Deno.writeTextFile(pathOf(data), JSON.stringify(state));
}

export async function removeState(data: string): Promise<void> {
  await Deno.remove(pathOf(data)).catch(() => {});
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

function pathOf(data: string): string {
  return join(dataFolder(data), "stack.json");
}

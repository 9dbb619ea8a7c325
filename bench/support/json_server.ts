/** A server in another process that does what it is asked, one thing at a time. */
export type Commands = Record<string, (input: never) => unknown>;

/** For a script started by `startServer()`: serves each command under its name. */
export function serveCommands(port: number, commands: Commands): void {
  Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, async (request) => {
    const command = commands[new URL(request.url).pathname.slice(1)]!;
    try {
      return Response.json(await command(await request.json() as never) ?? null);
    } catch (error) {
      return new Response(error instanceof Error ? error.stack : String(error), { status: 500 });
    }
  });
}

/** Has a server of {@link serveCommands} do one thing, and waits for its answer. */
export async function ask<T>(server: { url: string }, command: string, input: unknown): Promise<T> {
  const answer = await fetch(`${server.url}/${command}`, { method: "POST", body: JSON.stringify(input) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${command} failed\n${text}`);
  return JSON.parse(text);
}

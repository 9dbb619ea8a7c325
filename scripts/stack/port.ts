import { StackError } from "./stack_error.ts";

/** Fails in one line when somebody already listens on a port that we need. */
export function refuseTakenPort(port: number, what: string, flag: string): void {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new StackError(`port ${port} (${what}) is taken: stop what listens there, or choose another with ${flag}`);
  }
}

/** A port that nobody listens on now. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

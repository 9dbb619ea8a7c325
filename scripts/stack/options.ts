import { parseArgs } from "@std/cli/parse-args";
import { StackError } from "./stack_error.ts";

/** How a stack was asked to run. */
export interface StackOptions {
  port: number;
  dbPort: number;
  /** Where its data lives, relative to the checkout. */
  data: string;
  /** Another Postgres instead of one of our own, as its superuser. */
  dbUrl?: string;
}

export const USAGE = "deno task start [--port 54321] [--db-port 54322] [--data .local] [--db-url postgresql://...]";

/** Reads the flags that start, status and reset share; the defaults are those of `supabase start`. */
export function readOptions(args: string[]): StackOptions {
  const flags = parseArgs(args, {
    string: ["port", "db-port", "data", "db-url"],
    unknown: (name: string) => {
      throw new StackError(`${name} is not known here. Usage: ${USAGE}`);
    },
  });
  const options = {
    port: portOf(flags.port ?? "54321", "--port"),
    dbPort: portOf(flags["db-port"] ?? "54322", "--db-port"),
    data: flags.data ?? ".local",
    dbUrl: flags["db-url"],
  };
  if (options.port === options.dbPort) throw new StackError("--port and --db-port need two ports");
  if (options.data === "") throw new StackError("--data needs a folder");
  return options;
}

function portOf(text: string, flag: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new StackError(`${flag} needs a port, not ${text}`);
  return port;
}

import { StackError } from "./stack_error.ts";

/** Runs a command of the command line and ends the process: what the user can mend is one line and exit status 1. */
export async function runCommand(command: () => Promise<void>): Promise<never> {
  try {
    await command();
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
  Deno.exit(0);
}

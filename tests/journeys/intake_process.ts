import intake from "../../supabase/functions/payment-intake/index.ts";

/** Serves payments until it is killed, or whoever started it has gone; says when it begins. */
Deno.stdin.readable.pipeTo(new WritableStream()).then(() => Deno.exit());
const say = console.log;
console.log = console.warn = console.error = () => {};
Deno.serve(
  { hostname: "127.0.0.1", port: Number(Deno.env.get("INTAKE_PORT")), onListen: () => say("serving") },
  (request) => intake.fetch(request),
);

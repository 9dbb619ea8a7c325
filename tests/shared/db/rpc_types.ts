import type { Context } from "hono";
import { rpc } from "shared/db/rpc.ts";

/** Never run: `deno check` fails when one of these lines compiles that must not, or the other way round. */
export async function typesOfRpc(c: Context, body: { months_ahead: number; note: string }): Promise<void> {
  const made: number = await rpc(c, "ensure_partitions", { months_ahead: 3 });
  await rpc(c, "ensure_partitions", {});
  await rpc(c, "archive_partitions", {});

  // @ts-expect-error -- no such function
  await rpc(c, "ensure_partition", {});
  // @ts-expect-error -- no such argument
  await rpc(c, "ensure_partitions", { months: 3 });
  // @ts-expect-error -- an argument too many
  await rpc(c, "ensure_partitions", { months_ahead: 3, note: "" });
  // @ts-expect-error -- an argument too many, spread into the call
  await rpc(c, "ensure_partitions", { ...body });
  // @ts-expect-error -- an argument too many, in a variable
  await rpc(c, "ensure_partitions", body);
  // @ts-expect-error -- another type
  await rpc(c, "ensure_partitions", { months_ahead: "3" });
  // @ts-expect-error -- a required argument is missing
  await rpc(c, "replay_whatsapp_delivery", {});
  // @ts-expect-error -- takes no arguments
  await rpc(c, "archive_partitions", { months_ahead: made });
  // @ts-expect-error -- the result is a number
  const _text: string = await rpc(c, "ensure_partitions", {});
}

import type { Context } from "hono";
import { type CallOptions, rpc, rpcResponse } from "shared/db/rpc.ts";

type Untyped<Result> = (c: Context, name: string, args?: object, options?: CallOptions) => Promise<Result>;

/** `rpc()` for functions that only a test's database has. */
export const call = rpc as unknown as Untyped<unknown>;
/** `rpcResponse()` for functions that only a test's database has. */
export const callResponse = rpcResponse as unknown as Untyped<Response>;

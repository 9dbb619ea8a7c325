import type { Message } from "../payloads.ts";

/** Messages by what is wrong with them, each with every complaint about it. */
export type Shapes = Record<string, [message: Message, ...complaints: string[]]>;

import * as z from "zod";

/** A whole number in Graph's answers, which are free to write it as text. */
export const GraphInteger = z.union([z.int(), z.string().regex(/^\d{1,15}$/).transform(Number)]);

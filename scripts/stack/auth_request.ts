import * as z from "zod";
import { AuthRefusal } from "./auth_refusal.ts";

/** A phone number in any spelling of E.164; GoTrue keeps it without the plus sign. */
export const Phone = z.string()
  .transform((phone) => phone.replace(/^\+/, "").replaceAll(" ", ""))
  .pipe(z.string().regex(/^[1-9]\d{1,14}$/, "Invalid phone number format (E.164 required)"));

export const Metadata = z.record(z.string(), z.json());

/** The body in that shape. Refuses: validation_failed. */
export function parse<Shape extends z.ZodType>(shape: Shape, body: unknown): z.output<Shape> {
  const result = shape.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new AuthRefusal(400, "validation_failed", `${issue!.message}`);
}

/** The JSON in `text`, or undefined where there is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

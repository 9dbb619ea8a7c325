/** What is known of the one that a flag is evaluated for: any JSON object. */
export type EvaluationContext = Record<string, unknown>;

/** A field of the context as text; nothing when it is absent, null, a list, an object, or a number too large or small. */
export function attributeOf(context: EvaluationContext, name: string): string | undefined {
  const value = Object.hasOwn(context, name) ? context[name] : name.includes(".") ? valueAt(context, name) : undefined;
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  return typeof value === "number" ? numberText(value) : undefined;
}

function valueAt(context: EvaluationContext, path: string): unknown {
  return path.split(".").reduce<unknown>(
    (parent, name) => isObject(parent) && Object.hasOwn(parent, name) ? parent[name] : undefined,
    context,
  );
}

function isObject(value: unknown): value is EvaluationContext {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Between these ends JavaScript and Postgres write a number alike: in digits, without an exponent. */
function numberText(value: number): string | undefined {
  const size = Math.abs(value);
  return value === 0 || size >= 1e-6 && size < 1e21 ? String(value) : undefined;
}

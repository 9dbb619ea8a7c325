/**
 * Makes a value when it is first asked for, and keeps it: for what is fixed for the life of an isolate and dear to find
 * out, as a setting is that every request needs (microseconds).
 */
export function once<Value>(make: () => Value): () => Value {
  let made: { value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}

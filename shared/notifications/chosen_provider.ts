import { Problem } from "../problem.ts";
import type { Provider } from "./provider.ts";

/** Makes a provider of its settings; undefined when none of them is set. */
export type ProviderMaker<Address> = () => Provider<Address> | undefined;

/**
 * The first of a channel's providers that has settings. If none has, or they are incomplete, everything ends as
 * `not_configured`, so that the next channel is tried.
 *
 * @param hint - which settings would make the channel work
 */
export function chosenProvider<Address>(makers: readonly ProviderMaker<Address>[], hint: string): Provider<Address> {
  try {
    for (const make of makers) {
      const provider = make();
      if (provider) return provider;
    }
    return unset(hint);
  } catch (error) {
    return unset(faultOf(error));
  }
}

/** Which setting is at fault, without its value. */
export function faultOf(thrown: unknown): string {
  return thrown instanceof Problem ? String(thrown.cause) : "a setting cannot be read";
}

function unset(detail: string): Provider<unknown> {
  return { send: () => Promise.resolve({ kind: "not_configured", detail }) };
}

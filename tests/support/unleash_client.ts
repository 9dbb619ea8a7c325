import Client from "unleash-client/lib/client.js";
import { defaultStrategies } from "unleash-client/lib/strategy/index.js";
import type { UnleashContext, UnleashState } from "./unleash_model.ts";

/** Unleash's own client, without its network. */
export interface UnleashOracle {
  isEnabled(name: string, context: UnleashContext, fallback: () => boolean): boolean;
  getVariant(name: string, context: UnleashContext): { name: string; enabled: boolean; featureEnabled?: boolean };
}

/** What Unleash's Node client says of a state. */
export function unleashClient({ features, segments = [] }: UnleashState): UnleashOracle {
  const repository = {
    getToggle: (name: string) => features.find((feature) => feature.name === name),
    getSegment: (id: number) => segments.find((segment) => segment.id === id),
  };
  // A CommonJS module's default export is wrapped once more.
  const UnleashClient = "default" in Client ? Client.default : Client;
  return new (UnleashClient as unknown as new (...given: unknown[]) => UnleashOracle)(repository, defaultStrategies);
}

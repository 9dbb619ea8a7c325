import type { Json } from "shared/db/database.types.ts";
import { serviceRpc } from "shared/db/service_rpc.ts";
import { setting } from "shared/env.ts";
import type { FlagSnapshot } from "shared/flags/snapshot.ts";
import { once } from "shared/once.ts";
import { RequestTrace } from "shared/trace.ts";
import { EnvironmentFlags, type KnownFlags } from "./environment_flags.ts";
import { EvaluationCounts } from "./evaluation_counts.ts";
import { FlagExposures } from "./flag_exposures.ts";

/** Whoever asks waits this long, once a second, when the database is away. */
const DEADLINE_MS = 1_500;
const DEFAULT = "";
const EXPOSURE_SAMPLE_RATE = 0.01;

const known = new Map<string, EnvironmentFlags>();

/** What this isolate has evaluated. */
export const counts = new EvaluationCounts((environment, counts) =>
  call()("record_flag_evaluations", { environment, counts: counts as unknown as Json })
);

/** Whom this isolate has served what. */
export const exposures = new FlagExposures(
  once(() => {
    const rate = Number(setting("FLAG_EXPOSURE_SAMPLE_RATE", String(EXPOSURE_SAMPLE_RATE)));
    return rate >= 0 && rate <= 1 ? rate : EXPOSURE_SAMPLE_RATE;
  }),
  (environment, exposures, sample_rate) =>
    call()("record_flag_exposures", { environment, exposures: exposures as unknown as Json, sample_rate }),
);

/**
 * The flags of an environment; without one, of the database's default.
 *
 * @throws flag_environment_not_found (404), service_unavailable (503) while nothing is known yet
 */
export async function flagsOf(environment: string = DEFAULT): Promise<KnownFlags> {
  let flags = known.get(environment);
  if (!flags) {
    flags = new EnvironmentFlags((revision) => fetchSnapshot(environment, revision));
    known.set(environment, flags);
  }
  try {
    return await flags.current();
  } catch (error) {
    // Strangers could invent any number of names.
    known.delete(environment);
    throw error;
  }
}

async function fetchSnapshot(environment: string, revision: number | undefined): Promise<FlagSnapshot | null> {
  const snapshot = await call()("flag_snapshot", {
    ...(environment === DEFAULT ? {} : { environment }),
    ...(revision === undefined ? {} : { known_revision: revision }),
  }, { deadlineMs: DEADLINE_MS });
  return snapshot as unknown as FlagSnapshot | null;
}

/** With our own key: rules are for evaluators alone, and every answer shows a client no more than it may see. */
function call(): ReturnType<typeof serviceRpc> {
  return serviceRpc("flag-evaluation", new RequestTrace(new Headers()));
}

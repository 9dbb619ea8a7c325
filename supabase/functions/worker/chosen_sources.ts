import { Problem } from "shared/problem.ts";
import type { Source } from "shared/worker/drain.ts";

/**
 * The sources of a run: those named, or all.
 *
 * @param names - separated by commas
 * @throws validation_failed (422)
 */
export function chosenSources(sources: readonly Source[], names: string | undefined): readonly Source[] {
  if (names === undefined) return sources;
  const wanted = names.split(",");
  const unknown = wanted.filter((name) => !sources.some((source) => source.name === name));
  if (unknown.length === 0) return sources.filter((source) => wanted.includes(source.name));
  const errors = unknown.map((name) => ({ pointer: "/sources", detail: `There is no source named ${name}.` }));
  throw new Problem("validation_failed", { errors });
}

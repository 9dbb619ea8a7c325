import type { RequestTrace } from "shared/trace.ts";

/**
 * Asks once for all callers of so many milliseconds, however many there are. A failure reaches those who wait for it and
 * is not kept.
 */
export function kept<T>(
  forMs: number,
  ask: (trace: RequestTrace) => Promise<T>,
): (trace: RequestTrace, now?: number) => Promise<T> {
  let last: { until: number; answer: Promise<T> } | undefined;
  return function askOnce(trace, now = Date.now()) {
    if (last !== undefined && now < last.until) return last.answer;
    const asked = { until: now + forMs, answer: ask(trace) };
    last = asked;
    asked.answer.catch(() => {
      if (last === asked) last = undefined;
    });
    return asked.answer;
  };
}

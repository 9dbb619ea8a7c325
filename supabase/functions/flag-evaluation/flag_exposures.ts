import { beforeIsolateEnds, inBackground } from "shared/background.ts";
import type { FlagEvaluation } from "shared/flags/evaluate_flag.ts";
import { murmur3 } from "shared/flags/murmur3.ts";
import { log } from "shared/log.ts";

const INTERVAL_MS = 10_000;
const HOUR_MS = 3_600_000;
/** As many as `record_flag_exposures()` takes at once. */
const MAX_PENDING = 2_500;
const MAX_TOLD = 20_000;
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** An element of what `record_flag_exposures()` takes. */
export interface FlagExposure {
  flag_key: string;
  variant: string;
  targeting_key: string;
  at: string;
}

/**
 * Notes who was served which variant, of a share of people, and tells the database beside the requests: at most every
 * 10 s and when the isolate ends. SQL stores one a day; the same is told once an hour at most.
 */
export class FlagExposures {
  #pending = new Map<string, Map<string, FlagExposure>>();
  #pendingCount = 0;
  /** By environment and person, by flag: variants. Nested, so that asking makes no text per flag. */
  #told = new Map<string, Map<string, Set<string>>>();
  /** People and variants. */
  #toldCount = 0;
  #hour = 0;
  #nextAt = 0;

  /**
   * @param rate - the share of people, 0 to 1
   * @param send - stores exposures of an environment, which may be told again, or throws
   */
  constructor(
    readonly rate: () => number,
    readonly send: (environment: string, exposures: FlagExposure[], sample_rate: number) => Promise<unknown>,
  ) {
    beforeIsolateEnds(() => this.flush());
  }

  /** Notes what somebody was served. Only UUIDs are: other keys may be phone numbers and addresses. */
  add(environment: string, targetingKey: unknown, evaluations: FlagEvaluation[], now = Date.now()): void {
    if (typeof targetingKey !== "string" || !UUID.test(targetingKey)) return;
    // By person, not by chance: who is in the sample is in it every day, and for every flag.
    if (murmur3(`exposure:${targetingKey}`) >= this.rate() * 2 ** 32) return;
    this.#forgetFormerHour(now);
    const told = this.#toldOf(environment, targetingKey);
    for (const evaluation of evaluations) {
      if (!("variant" in evaluation) || evaluation.variant === undefined) continue;
      const { key: flag_key, variant } = evaluation;
      // What finds no room has its chance with the next evaluation.
      if (told.get(flag_key)?.has(variant) || this.#pendingCount === MAX_PENDING) continue;
      const at = new Date(now).toISOString();
      this.#note(environment, told, { flag_key, variant, targeting_key: targetingKey, at });
    }
    if (this.#pendingCount === 0 || now < this.#nextAt) return;
    this.#nextAt = now + INTERVAL_MS;
    inBackground(() => this.flush());
  }

  /** Tells what was noted since the last time. What fails is noted anew when it is served again. */
  async flush(): Promise<void> {
    const taken = this.#pending;
    this.#pending = new Map();
    this.#pendingCount = 0;
    for (const [environment, exposures] of taken) {
      try {
        await this.send(environment, [...exposures.values()], this.rate());
      } catch {
        for (const { flag_key, variant, targeting_key } of exposures.values()) {
          this.#toldOf(environment, targeting_key).get(flag_key)?.delete(variant);
        }
        log("flags.exposures_dropped", { environment, rows: exposures.size }, "warn");
      }
    }
  }

  #toldOf(environment: string, targetingKey: string): Map<string, Set<string>> {
    // No name has a line break in it.
    const person = `${environment}\n${targetingKey}`;
    let told = this.#told.get(person);
    if (told) return told;
    this.#told.set(person, told = new Map());
    this.#toldCount++;
    return told;
  }

  #note(environment: string, told: Map<string, Set<string>>, exposure: FlagExposure): void {
    const { flag_key, variant, targeting_key } = exposure;
    let variants = told.get(flag_key);
    if (!variants) told.set(flag_key, variants = new Set());
    variants.add(variant);
    this.#toldCount++;
    let pending = this.#pending.get(environment);
    if (!pending) this.#pending.set(environment, pending = new Map());
    pending.set(`${flag_key}\n${variant}\n${targeting_key}`, exposure);
    this.#pendingCount++;
  }

  #forgetFormerHour(now: number): void {
    const hour = Math.floor(now / HOUR_MS);
    if (hour === this.#hour && this.#toldCount < MAX_TOLD) return;
    this.#hour = hour;
    this.#told.clear();
    this.#toldCount = 0;
  }
}

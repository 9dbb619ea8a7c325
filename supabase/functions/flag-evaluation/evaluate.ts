import type { Context } from "hono";
import { setting } from "shared/env.ts";
import { evaluateFlag, type FlagEvaluation } from "shared/flags/evaluate_flag.ts";
import { conditionalJson, quickDigest, quickEtag } from "shared/http/etag.ts";
import { once } from "shared/once.ts";
import { Problem } from "shared/problem.ts";
import type { KnownFlags } from "./environment_flags.ts";
import { counts, exposures, flagsOf } from "./flags.ts";
import { answerFailure } from "./ofrep_failure.ts";
import type { Failure, Success } from "./schema.ts";

/** Answers with every flag that the caller may see, under a tag of the whole answer: contexts and times change it too. */
export async function evaluateAll(c: Context): Promise<Response> {
  const { set, isStale } = await flagsOf(environmentOf(c));
  const [context, options, trusted] = [c.get("evaluationContext"), { now: Date.now() }, isTrusted(c)];
  const evaluations: FlagEvaluation[] = [];
  for (const [key, flag] of set.flags) {
    if (trusted || flag.is_client_visible) evaluations.push(evaluateFlag(set, key, context, options));
  }
  counts.add(set.environment, evaluations);
  exposures.add(set.environment, context.targetingKey, evaluations);
  const metadata = JSON.stringify({ environment: set.environment, ...(isStale ? { stale: true } : {}) });
  const items = evaluations.map((evaluation) => writtenItem(evaluation, set.revision, trusted));
  const json = `{"flags":[${items.map(({ json }) => json).join(",")}],"metadata":${metadata}}`;
  return conditionalJson(c, json, quickEtag(items.map(({ digest }) => digest).join("") + metadata));
}

/** Answers with one flag; to a client, one that is not client-visible is not there. */
export async function evaluateOne(c: Context): Promise<Response> {
  const key = c.req.param("key")!;
  const known = await flagsOf(environmentOf(c)).catch(missingEnvironment);
  const flag = known?.set.flags.get(key);
  const trusted = isTrusted(c);
  if (!known || !flag || !(trusted || flag.is_client_visible)) return answerFailure(c, 404, "FLAG_NOT_FOUND");
  const context = c.get("evaluationContext");
  const evaluation = evaluateFlag(known.set, key, context);
  counts.add(known.set.environment, [evaluation]);
  exposures.add(known.set.environment, context.targetingKey, [evaluation]);
  const item = itemOf(evaluation, known.set.revision, trusted);
  if ("errorCode" in item) return c.json(item, 400);
  const metadata = { ...item.metadata, ...(known.isStale ? { stale: true } : {}) };
  return c.json({ ...item, metadata });
}

function environmentOf(c: Context): string | undefined {
  return c.req.param("environment") ?? defaultEnvironment();
}

const defaultEnvironment = once(() => setting("APP_ENVIRONMENT", null) ?? undefined);

function missingEnvironment(error: unknown): KnownFlags | undefined {
  if (error instanceof Problem && error.code === "flag_environment_not_found") return undefined;
  throw error;
}

/** Secret keys see every flag, and why it says what it says. */
function isTrusted(c: Context): boolean {
  return c.get("caller").mode === "secret";
}

interface WrittenItem {
  json: string;
  digest: string;
}

/** The same outcome of the same snapshot is the same object, so its item is written once for either kind of caller. */
const written = {
  trusted: new WeakMap<FlagEvaluation, WrittenItem>(),
  others: new WeakMap<FlagEvaluation, WrittenItem>(),
};

function writtenItem(evaluation: FlagEvaluation, revision: number, trusted: boolean): WrittenItem {
  const known = trusted ? written.trusted : written.others;
  let item = known.get(evaluation);
  if (!item) {
    const json = JSON.stringify(itemOf(evaluation, revision, trusted));
    known.set(evaluation, item = { json, digest: quickDigest(json) });
  }
  return item;
}

function itemOf(evaluation: FlagEvaluation, revision: number, trusted: boolean): Success | Failure {
  if ("errorCode" in evaluation) return { ...evaluation, errorDetails: "The context has no targetingKey." };
  const { key, value, variant, reason, ruleId, prerequisiteKey } = evaluation;
  const item = { key, value, variant, reason };
  if (!trusted) return item;
  const why = {
    ...(ruleId === undefined ? {} : { ruleId }),
    ...(prerequisiteKey === undefined ? {} : { prerequisiteKey }),
  };
  return { ...item, metadata: { revision, ...why } };
}

import type { Sql } from "postgres";

/** Whom flags are evaluated for. */
export const PERSON = {
  userId: "6f1c7c2e-8f0e-4c5b-9d5e-2f8a3b1c4d5e",
  country: "RW",
  appVersion: "3.4.1",
};
const COUNTRIES = ["RW", "UG", "KE", "TZ", "BI", "CD"];
const KINDS = ["rollout", "country", "version"] as const;

/** Twenty flags in turn: a rollout to half, a list of countries that splits into two variants, a least version. */
export const FLAGS: { key: string; kind: typeof KINDS[number] }[] = Array.from({ length: 20 }, (_, number) => ({
  key: `bench-${String(number).padStart(2, "0")}`,
  kind: KINDS[number % 3]!,
}));

const RULES = {
  rollout: [{ id: "half", variant: "on", rollout: { percentage: 50, bucket_by: ["userId"] } }],
  country: [{
    id: "countries",
    conditions: [{ attribute: "country", operator: "IN", values: COUNTRIES }],
    split: { weights: ["red", "blue"].map((variant) => ({ variant, weight: 500 })), bucket_by: ["userId"] },
  }],
  version: [{
    id: "recent",
    conditions: [{ attribute: "appVersion", operator: "SEMVER_GTE", values: ["3.0.0"] }],
    variant: "on",
  }],
};

/** Makes the flags in ours, in production. */
export async function makeOurFlags(sql: Sql): Promise<void> {
  for (const { key, kind } of FLAGS) {
    const isSplit = kind === "country";
    await sql`select public.create_feature_flag(${key}, is_client_visible => true,
      value_type => ${isSplit ? "string" : "boolean"}::public.flag_value_type,
      variants => ${isSplit ? '{"red": "red", "blue": "blue"}' : null}::text::jsonb)`;
    await sql`select public.set_feature_flag_rules(${key}, 'production', ${JSON.stringify(RULES[kind])}::text::jsonb,
      ${isSplit ? null : "off"}, ${isSplit ? null : "off"})`;
    await sql`select public.set_feature_flag_enabled(${key}, 'production', true)`;
  }
}

const VARIANTS = ["red", "blue"].map((name) => ({
  name,
  weight: 500,
  weightType: "variable",
  stickiness: "userId",
  payload: { type: "string", value: name },
}));
const STRATEGIES = {
  rollout: { rollout: "50" },
  country: {
    rollout: "100",
    constraints: [{ contextName: "country", operator: "IN", values: COUNTRIES }],
    variants: VARIANTS,
  },
  version: {
    rollout: "100",
    constraints: [{ contextName: "appVersion", operator: "SEMVER_GTE", value: "3.0.0" }],
  },
};

/** Makes the same flags in Unleash, through its admin API, in development. */
export async function makeUnleashFlags(url: string): Promise<void> {
  const features = `${url}/api/admin/projects/default/features`;
  await post(`${url}/api/admin/context`, { name: "country" }, [201, 409]);
  await post(`${url}/api/admin/context`, { name: "appVersion" }, [201, 409]);
  for (const { key, kind } of FLAGS) {
    const { rollout, ...rest } = { constraints: [], variants: [], ...STRATEGIES[kind] };
    const parameters = { rollout, stickiness: "userId", groupId: key };
    await post(features, { name: key, type: "release" }, [201]);
    await post(`${features}/${key}/environments/development/strategies`, {
      name: "flexibleRollout",
      parameters,
      ...rest,
    }, [200]);
    await post(`${features}/${key}/environments/development/on`, {}, [200]);
  }
}

async function post(url: string, body: unknown, expected: number[]): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!expected.includes(answer.status)) throw new Error(`${url}: ${answer.status} ${text}`);
}

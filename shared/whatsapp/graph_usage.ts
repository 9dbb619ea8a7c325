import * as z from "zod";

/** How much of one of Meta's call limits is used up; from 100 percent on calls are refused. */
export interface GraphUsage {
  /** The business or WhatsApp account that the limit belongs to; null for the limit of the whole app. */
  account_id: string | null;
  /** `whatsapp`, or what else Meta limits apart; `app` for the whole app. */
  type: string;
  call_percent: number;
  cpu_percent: number;
  time_percent: number;
  /** Until calls are accepted again; 0 while they are. */
  regain_seconds: number;
}

const Amount = z.number().nonnegative().catch(0);
const Limit = z.object({
  type: z.string().catch("unknown"),
  call_count: Amount,
  total_cputime: Amount,
  total_time: Amount,
  estimated_time_to_regain_access: Amount.describe("minutes"),
});
const AppLimit = Limit.extend({ type: z.literal("app").catch("app") });
const AccountLimits = z.record(z.string(), z.array(Limit).catch([]));

/**
 * Reads what Meta tells about its call limits in an answer's headers; whatever is malformed is left out.
 *
 * @see Meta, Graph API: "Rate limits", `X-App-Usage` and `X-Business-Use-Case-Usage`
 */
export function graphUsage(headers: Headers): GraphUsage[] {
  const app = AppLimit.safeParse(jsonOf(headers.get("x-app-usage"))).data;
  const accounts = AccountLimits.safeParse(jsonOf(headers.get("x-business-use-case-usage"))).data ?? {};
  return [
    ...(app ? [usage(null, app)] : []),
    ...Object.entries(accounts).flatMap(([id, limits]) => limits.map((limit) => usage(id, limit))),
  ];
}

function usage(account_id: string | null, limit: z.infer<typeof Limit>): GraphUsage {
  return {
    account_id,
    type: limit.type,
    call_percent: limit.call_count,
    cpu_percent: limit.total_cputime,
    time_percent: limit.total_time,
    regain_seconds: 60 * limit.estimated_time_to_regain_access,
  };
}

function jsonOf(header: string | null): unknown {
  try {
    return JSON.parse(header ?? "null");
  } catch {
    return null;
  }
}

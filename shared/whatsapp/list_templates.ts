import * as z from "zod";
import type { GraphApi } from "./graph_api.ts";
import { callGraph, type GraphOptions } from "./graph_call.ts";
import type { GraphFailure } from "./graph_failure.ts";

const Component = z.json();

/** A message template as Meta has it now. */
export type Template = {
  template_id: string | null;
  name: string;
  /** `en`, `en_US`, `rw_RW` */
  language: string;
  category: string;
  status: string;
  /** GREEN, YELLOW, RED or UNKNOWN; null when Meta says nothing. */
  quality: string | null;
  components: z.infer<typeof Component>[];
};

/** All templates of an account: one that is missing is gone. */
export type TemplateListing = { kind: "listed"; templates: Template[] };

const FIELDS = "id,name,language,category,status,quality_score,components";
const PAGE = 100;
/** Meta allows an account 6,000 templates; a listing that goes on is going in circles. */
const MAX_PAGES = 100;

const Page = z.object({
  data: z.array(z.object({
    id: z.string().nullable().catch(null),
    name: z.string().min(1),
    language: z.string().min(1),
    category: z.string(),
    status: z.string(),
    quality_score: z.object({ score: z.string() }).nullable().catch(null),
    components: z.array(Component).catch([]),
  })),
  paging: z.object({
    next: z.string().optional(),
    cursors: z.object({ after: z.string() }).optional(),
  }).optional(),
});

/** Lists the templates of a WhatsApp Business Account, all or none. */
export async function listTemplates(
  api: GraphApi,
  wabaId: string,
  options: GraphOptions = {},
): Promise<TemplateListing | GraphFailure> {
  const templates: Template[] = [];
  // `paging.next` is an address with the token in it, so the cursor is taken and the address is not.
  let after: string | undefined = "";
  for (let page = 0; page < MAX_PAGES; page++) {
    const query = { fields: FIELDS, limit: String(PAGE), ...(after && { after }) };
    const path = [wabaId, "message_templates"];
    const answer = await callGraph(api, { ...options, method: "GET", path, query, maxBytes: 4 * 1024 * 1024 });
    if (answer.kind !== "answered") return answer;
    const { data } = Page.safeParse(answer.body);
    if (!data) break;
    templates.push(...data.data.map(toTemplate));
    if (!data.paging?.next) return { kind: "listed", templates };
    after = data.paging.cursors?.after;
    if (!after) break;
  }
  return { kind: "unknown", reason: "unreadable_answer" };
}

function toTemplate({ id, quality_score, ...template }: z.infer<typeof Page>["data"][number]): Template {
  return { template_id: id, ...template, quality: quality_score?.score ?? null };
}

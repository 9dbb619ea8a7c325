/** A template as Graph lists it. */
export interface GraphTemplate {
  id?: string;
  name: string;
  language: string;
  category: string;
  status: string;
  quality_score?: { score: string; date?: number };
  components?: unknown[];
}

/**
 * `GET /{waba_id}/message_templates`: one page, and where the next one begins.
 *
 * @param base - the listing's own address
 */
export function templatePage(templates: readonly GraphTemplate[], base: string, query: URLSearchParams): Response {
  const limit = Number(query.get("limit") ?? 25);
  const start = Number(atob(query.get("after") ?? "") || 0);
  const end = start + limit;
  const cursors = { before: btoa(String(start)), after: btoa(String(end)) };
  const next = new URLSearchParams({ ...Object.fromEntries(query), after: cursors.after, access_token: "leaked" });
  return Response.json({
    data: templates.slice(start, end),
    paging: { cursors, ...(end < templates.length && { next: `${base}?${next}` }) },
  });
}

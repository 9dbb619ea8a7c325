import type { ISql } from "postgres";
import type { FlagEvaluation } from "../../../shared/flags/evaluate_flag.ts";
import type { FlagSnapshot } from "../../../shared/flags/snapshot.ts";

/** One question about a snapshot. */
export interface Question {
  snapshot: FlagSnapshot;
  key: string;
  context: Record<string, unknown>;
  now: number;
}

/** What SQL's evaluator says to each question. */
export async function evaluatedInSql(sql: ISql, questions: Question[]): Promise<FlagEvaluation[]> {
  const rows = await sql<{ answer: FlagEvaluation }[]>`
    select private.evaluated_flag(
      (
        select jsonb_object_agg(flag.key, private.compiled_flag(flag.value, question.element #> '{snapshot,segments}'))
        from jsonb_each(question.element #> '{snapshot,flags}') as flag
      ),
      question.element ->> 'key', question.element -> 'context', (question.element -> 'now')::bigint
    ) as answer
    from jsonb_array_elements(${JSON.stringify(questions)}::text::jsonb) with ordinality as question (element, position)
    order by question.position`;
  return rows.map(({ answer }) => answer);
}

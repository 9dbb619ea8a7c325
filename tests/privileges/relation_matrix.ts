import type { Sql } from "postgres";
import { attemptAll, type Role, ROLES } from "./attempts.ts";

interface Relation {
  name: string;
  isTable: boolean;
  columns: string[];
  /** Those that a client may give a value: neither generated nor always identities. */
  writable: string[];
}

/** How each verb is tried: on all columns, or on some. Nothing is selected to be changed, so no row stands in the way. */
const VERBS: Record<string, (relation: Relation, columns: string[]) => string | null> = {
  select: ({ name }, columns) => `select ${columns.join(", ")} from ${name} limit 3`,
  insert: ({ name, writable }, columns) => {
    const given = columns.filter((column) => writable.includes(column));
    if (given.length === 0) return null;
    return `insert into ${name} (${given.join(", ")}) select ${given.map((column) => `v.${column}`).join(", ")}
      from (select (null::${name}).*) as v where false`;
  },
  update: ({ name }, columns) =>
    `update ${name} set ${columns.map((column) => `${column} = default`).join(", ")} where false`,
};
const WHOLE_VERBS: Record<string, (relation: Relation) => string> = {
  delete: ({ name }) => `delete from ${name} where false`,
  truncate: ({ name }) => `truncate ${name}`,
};

const INSUFFICIENT_PRIVILEGE = "42501";
/** A view on a function that refuses this caller: it was reached. */
const REFUSED = "PGRST";

/** Who may do what on every table and view of public and private: tried, not read from the catalog. */
export async function relationMatrix(sql: Sql): Promise<string> {
  const relations = await sql<Relation[]>`
    select format('%I.%I', c.relnamespace::regnamespace::text, c.relname) as name, c.relkind in ('r', 'p') as "isTable",
      array_agg(quote_ident(a.attname) order by a.attname) as columns,
      coalesce(array_agg(quote_ident(a.attname) order by a.attname) filter (where a.attgenerated = '' and a.attidentity <> 'a'), '{}') as writable
    from pg_class as c
    join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind in ('r', 'p', 'v', 'm')
    group by c.oid
    order by 1`;
  const blocks: string[] = [];
  for (const relation of relations) blocks.push(await block(sql, relation));
  return blocks.join("\n");
}

async function block(sql: Sql, relation: Relation): Promise<string> {
  const lines: string[] = [];
  for (const role of ROLES) {
    const rights = await rightsOf(sql, relation, role);
    if (rights.length > 0) lines.push(`  ${role}: ${rights.join(", ")}`);
  }
  return `${relation.name}\n${lines.length > 0 ? lines.join("\n") : "  nobody"}\n`;
}

async function rightsOf(sql: Sql, relation: Relation, role: Role): Promise<string[]> {
  const may = (statements: string[]) => allowed(sql, relation, role, statements);
  const rights: string[] = [];
  for (const [verb, statementOf] of Object.entries(VERBS)) {
    const [all] = await may([statementOf(relation, relation.columns) ?? ""]);
    const tried = relation.columns.filter((column) => statementOf(relation, [column]) !== null);
    const each = all ? [] : await may(tried.map((column) => statementOf(relation, [column])!));
    const some = tried.filter((_, index) => each[index]);
    if (all) rights.push(verb);
    else if (some.length > 0) rights.push(`${verb} (${some.join(", ")})`);
  }
  const whole = await may(Object.values(WHOLE_VERBS).map((statementOf) => statementOf(relation)));
  return [...rights, ...Object.keys(WHOLE_VERBS).filter((_, index) => whole[index])];
}

async function allowed(
  sql: Sql,
  { isTable }: Relation,
  role: Role,
  statements: string[],
): Promise<boolean[]> {
  const states = await attemptAll(sql, statements.map((statement) => ({ role, statement })));
  // What fails on a table for another reason would succeed with other data; most views cannot be written at all.
  return states.map((state) => state === "00000" || state === REFUSED || (isTable && state !== INSUFFICIENT_PRIVILEGE));
}

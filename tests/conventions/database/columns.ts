import { type Convention, OURS } from "./convention.ts";

/** What times and money are stored in. */
export const COLUMNS: Record<string, Convention> = {
  "every point in time is timestamptz": {
    offenders: `
      select format('%s.%s', a.attrelid::regclass, a.attname) from pg_attribute as a
      join pg_class as c on c.oid = a.attrelid
      where c.relnamespace in ${OURS} and a.attnum > 0 and not a.attisdropped
        and a.atttypid in ('timestamp'::regtype, 'timetz'::regtype)`,
    breach: `alter table public.profiles add seen_at timestamp`,
  },
  "times end in _at (or _until, _from, _to, month), dates in _on": {
    offenders: `
      select format('%s.%s', a.attrelid::regclass, a.attname) from pg_attribute as a
      join pg_class as c on c.oid = a.attrelid
      where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind in ('r', 'p')
        and a.attnum > 0 and not a.attisdropped
        and (a.atttypid = 'timestamptz'::regtype and a.attname !~ '(_at|_until|_from|_to)$|^month$'
          or a.atttypid = 'date'::regtype and a.attname !~ '_on$|^(day|month)$')`,
    breach: `alter table public.profiles add last_visit timestamptz`,
  },
  "no money is a float": {
    offenders: `
      select format('%s.%s', a.attrelid::regclass, a.attname) from pg_attribute as a
      join pg_class as c on c.oid = a.attrelid
      where c.relnamespace in ${OURS} and a.attnum > 0 and not a.attisdropped
        and (a.atttypid = 'money'::regtype
          or a.attname ~ '(^|_)(amount|balance|price|fare|fee|cost|charge|discount|tip)s?(_|$)'
            and (a.atttypid in ('real'::regtype, 'double precision'::regtype)
              or a.atttypid = 'numeric'::regtype and c.relkind in ('r', 'p')))`,
    breach: `alter table public.profiles add balance_due numeric`,
  },
  "no function takes or gives money as a float": {
    offenders: `
      select p.oid::regprocedure from pg_proc as p
      cross join lateral unnest(p.proargnames, coalesce(p.proallargtypes, p.proargtypes::oid[])) as argument (name, type)
      where p.pronamespace in ${OURS} and argument.name ~ '(^|_)(amount|balance|price|fare|fee|cost|charge|discount|tip)s?(_|$)'
        and argument.type in ('real'::regtype, 'double precision'::regtype, 'money'::regtype)`,
    breach: `create function private.probe(amount real) returns void language sql as ''`,
  },
  "every amount of money stands beside its currency": {
    offenders: `
      select a.attrelid::regclass from pg_attribute as a
      join pg_class as c on c.oid = a.attrelid
      where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind in ('r', 'p')
        and a.attname = 'amount' and not a.attisdropped
        and not exists (
          select from pg_attribute as currency where currency.attrelid = c.oid and currency.attname = 'currency' and currency.atttypid = 'bpchar'::regtype
        )`,
    breach: `create table private.probe (amount bigint)`,
  },
};

import type { Convention } from "./convention.ts";

/** How row level security is written. */
export const POLICIES: Record<string, Convention> = {
  "policies ask who is calling once per statement: (select auth.uid())": {
    offenders: `
      select format('%s on %s', p.polname, p.polrelid::regclass) from pg_policy as p
      where regexp_replace(
        concat_ws(' ', pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)),
        '\\( SELECT \\(*(auth|private)\\.\\w+\\(\\)', '', 'g'
      ) ~ '(auth|private)\\.\\w+\\(\\)|current_setting\\('`,
    breach: `create policy "A probe" on public.profiles for delete to authenticated using (user_id = auth.uid())`,
  },
  "policies name their role": {
    offenders:
      `select format('%s on %s', p.polname, p.polrelid::regclass) from pg_policy as p where p.polroles @> '{0}'`,
    breach: `create policy "A probe" on public.profiles for delete using (false)`,
  },
  "a table has one policy per role and verb": {
    offenders: `
      select format('%s: %s %s', p.polrelid::regclass, role::regrole, verb) from pg_policy as p
      cross join lateral unnest(p.polroles) as role
      cross join lateral unnest(case p.polcmd when '*' then array['r', 'a', 'w', 'd'] else array[p.polcmd::text] end) as verb
      where p.polpermissive
      group by p.polrelid, role, verb having count(*) > 1`,
    breach: `create policy "A probe" on public.profiles for select to authenticated using (false)`,
  },
  "policies are named as sentences": {
    offenders: `
      select format('%s on %s', p.polname, p.polrelid::regclass) from pg_policy as p where p.polname !~ '^[A-Z]\\S* \\S+'`,
    breach: `create policy profiles_select on public.profiles for delete to authenticated using (false)`,
  },
};

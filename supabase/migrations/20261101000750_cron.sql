begin;

create type private.cron as (
  minutes integer[],
  hours integer[],
  days integer[],
  months integer[],
  weekdays integer[],
  is_every_day boolean,
  is_every_weekday boolean,
  is_fixed_time boolean
);
comment on type private.cron is
  'A cron expression, taken apart: what each field allows (null: it cannot be read), whether the day fields are `*`, '
  'and whether it names one single time of the day.';

create function private.read_cron_field(field text, lowest integer, highest integer, names text[] default '{}')
returns integer[]
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_field text := lower(read_cron_field.field);
  v_item text;
  v_part text[];
  v_from integer;
  v_to integer;
  v_step integer;
  v_values integer[] := '{}';
begin
  for v_position in 1..cardinality(read_cron_field.names) loop
    v_field := regexp_replace(
      v_field, '\m' || read_cron_field.names[v_position] || '\M', (read_cron_field.lowest + v_position - 1)::text, 'g'
    );
  end loop;
  foreach v_item in array string_to_array(v_field, ',') loop
    v_part := regexp_match(v_item, '^(?:\*|(\d{1,3})-(\d{1,3}))(?:/(\d{1,3}))?$|^(\d{1,3})$');
    v_from := coalesce(v_part[1], v_part[4], read_cron_field.lowest::text);
    v_to := coalesce(v_part[2], v_part[4], read_cron_field.highest::text);
    v_step := coalesce(v_part[3], '1');
    if (
      v_part is not null
      and v_from between read_cron_field.lowest and v_to
      and v_to <= read_cron_field.highest
      and v_step between 1 and read_cron_field.highest - read_cron_field.lowest + 1
    ) is not true then
      return null;
    end if;
    v_values := v_values || array(select generate_series(v_from, v_to, v_step));
  end loop;
  return nullif(array(select distinct value from unnest(v_values) as value order by value), '{}');
end;
$$;

comment on function private.read_cron_field is
  'What one field of a cron expression allows: `*`, numbers, names, ranges, lists, and steps of `*` and of ranges. Null if it says something else.';

create function private.read_cron(expression text)
returns private.cron
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_fields text[] := regexp_split_to_array(btrim(read_cron.expression, e' \t\n'), '\s+');
  v_cron private.cron;
begin
  if cardinality(v_fields) <> 5 then
    return null;
  end if;
  v_cron.minutes := private.read_cron_field(v_fields[1], 0, 59);
  v_cron.hours := private.read_cron_field(v_fields[2], 0, 23);
  v_cron.days := private.read_cron_field(v_fields[3], 1, 31);
  v_cron.months := private.read_cron_field(
    v_fields[4], 1, 12, '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}'
  );
  -- Sunday is 0 and 7, so that a range may begin or end with it.
  v_cron.weekdays := private.read_cron_field(
    regexp_replace(v_fields[5], '-sun\M', '-7', 'gi'), 0, 7, '{sun,mon,tue,wed,thu,fri,sat}'
  );
  v_cron.is_every_day := v_fields[3] = '*';
  v_cron.is_every_weekday := v_fields[5] = '*';
  v_cron.is_fixed_time :=
    v_fields[1] || v_fields[2] !~ '[*/]' and cardinality(v_cron.minutes) = 1 and cardinality(v_cron.hours) = 1;
  return v_cron;
end;
$$;

comment on function private.read_cron is 'Takes a cron expression of five fields apart; null if it has not five.';

create function private.cron_fault(expression text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_cron private.cron := private.read_cron(cron_fault.expression);
begin
  return case
    when v_cron.is_every_day is null then 'five fields are needed'
    when v_cron.minutes is null then 'minute'
    when v_cron.hours is null then 'hour'
    when v_cron.days is null then 'day of the month'
    when v_cron.months is null then 'month'
    when v_cron.weekdays is null then 'day of the week'
  end;
end;
$$;

comment on function private.cron_fault is 'What of a cron expression cannot be read; null if nothing.';

create function private.cron_allows_day(cron private.cron, day date)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_is_day boolean := extract(day from cron_allows_day.day) = any((cron_allows_day.cron).days);
  v_is_weekday boolean :=
    array[extract(dow from cron_allows_day.day), extract(isodow from cron_allows_day.day)] && (cron_allows_day.cron).weekdays::numeric[];
begin
  -- If both are restricted, either will do.
  return case
    when (cron_allows_day.cron).is_every_day or (cron_allows_day.cron).is_every_weekday then v_is_day and v_is_weekday
    else v_is_day or v_is_weekday
  end;
end;
$$;

comment on function private.cron_allows_day is 'Whether a cron expression allows a day of one of its months (POSIX, crontab).';

create function private.is_time_zone(name text)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  -- Not `at time zone`: it takes any word for an abbreviation or a POSIX rule.
  return exists (select from pg_timezone_names as zone where zone.name = is_time_zone.name);
end;
$$;

comment on function private.is_time_zone is 'Whether a zone of that name is known, such as Africa/Kigali. Slow: it looks through the files of all zones.';

create function private.utc_offset(at timestamp, time_zone text)
returns interval
language plpgsql
stable
set search_path = ''
as $$
begin
  return (utc_offset.at at time zone 'UTC' at time zone utc_offset.time_zone) - utc_offset.at;
end;
$$;

comment on function private.utc_offset is 'How far a zone''s clocks are ahead at a time given in UTC.';

create function private.first_cron_time(cron private.cron, day date, after timestamptz, time_zone text)
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
declare
  -- Of all times that this day can have anywhere on earth.
  v_offset interval := private.utc_offset(first_cron_time.day - interval '15 hours', first_cron_time.time_zone);
  v_later_offset interval := private.utc_offset(first_cron_time.day + interval '39 hours', first_cron_time.time_zone);
  v_minutes_passed integer :=
    floor(extract(epoch from (first_cron_time.after at time zone 'UTC') + v_offset - first_cron_time.day) / 60);
  v_first timestamptz;
  v_local timestamp;
begin
  if v_offset = v_later_offset then
    return (
      select (first_cron_time.day + make_interval(mins => min(hour * 60 + minute)) - v_offset) at time zone 'UTC'
      from unnest((first_cron_time.cron).hours) as hour
      cross join unnest((first_cron_time.cron).minutes) as minute
      where hour >= v_minutes_passed / 60 and hour * 60 + minute > v_minutes_passed
    );
  end if;

  -- The clocks change: a time of the day may come twice, or not at all.
  select min(instant), max(local) into v_first, v_local
  from unnest((first_cron_time.cron).hours) as hour
  cross join unnest((first_cron_time.cron).minutes) as minute
  cross join unnest(array[v_offset, v_later_offset]) as utc_offset
  cross join lateral (values (first_cron_time.day + make_interval(hours => hour, mins => minute))) as wanted (local)
  left join lateral (values ((local - utc_offset) at time zone 'UTC')) as possible (instant)
    on instant at time zone first_cron_time.time_zone = local
    and (instant > first_cron_time.after or (first_cron_time.cron).is_fixed_time);
  if v_first is null and (first_cron_time.cron).is_fixed_time then
    select min(moment) into v_first
    from generate_series(
      (v_local - greatest(v_offset, v_later_offset)) at time zone 'UTC',
      (v_local - least(v_offset, v_later_offset)) at time zone 'UTC',
      interval '1 minute'
    ) as moment
    where moment at time zone first_cron_time.time_zone > v_local;
    v_first := case when (v_first at time zone first_cron_time.time_zone)::date = first_cron_time.day then v_first end;
  end if;
  return case when v_first > first_cron_time.after then v_first end;
end;
$$;

comment on function private.first_cron_time is
  'The first time of a day, by a zone''s clocks, that a cron expression names and that comes after another; null if none does. '
  'See private.next_cron_time() for days on which the clocks change.';

create function private.next_cron_time(expression text, after timestamptz, time_zone text default 'Africa/Kigali')
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
declare
  v_cron private.cron := private.read_cron(next_cron_time.expression);
  -- A clock that was set back over midnight shows the day before again.
  v_day date := (next_cron_time.after at time zone next_cron_time.time_zone)::date - 1;
  v_last_day date := v_day + 40 * 366;
  v_next timestamptz;
begin
  while v_day <= least(v_last_day, (v_next at time zone next_cron_time.time_zone)::date + 1) loop
    if extract(month from v_day) <> all(v_cron.months) then
      v_day := date_trunc('month', v_day) + interval '1 month';
      continue;
    end if;
    if private.cron_allows_day(v_cron, v_day) then
      v_next := least(
        v_next, private.first_cron_time(v_cron, v_day, next_cron_time.after, next_cron_time.time_zone)
      );
    end if;
    v_day := v_day + 1;
  end loop;
  return v_next;
end;
$$;

comment on function private.next_cron_time is
  'The next time after another that a cron expression names by the clocks of a zone: five fields with lists, ranges, steps and English names; '
  '7 is Sunday too; if day of the month and day of the week are both restricted, either will do. '
  'One single time of the day comes once a day also when the clocks are changed: the first time if it comes twice, when the clocks have '
  'jumped if they jump over it. Anything more frequent follows the clocks: it comes in both hours that are called the same, and not in one that there is not '
  '(as croner has it, after Vixie cron). Null if the expression cannot be read, or names no day of the next forty years.';

commit;

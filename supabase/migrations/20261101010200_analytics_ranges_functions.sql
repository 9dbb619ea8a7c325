begin;

create type private.analytics_range as (from_day date, to_day date);
comment on type private.analytics_range is 'Reporting days, both included.';

create function private.reporting_day(at timestamptz)
returns date
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
  return (reporting_day.at at time zone 'Africa/Kigali')::date;
end;
$$;

comment on function private.reporting_day is 'The day that a time belongs to in every report: that of Kigali.';

create function private.analytics_range(from_day date, to_day date, most_days integer)
returns private.analytics_range
language plpgsql
stable
set search_path = ''
as $$
declare
  v_to constant date := coalesce(analytics_range.to_day, private.reporting_day(now()));
  v_from date := analytics_range.from_day;
begin
  -- Apart from the other, because days beyond these cannot all be counted with.
  if (v_to between '2000-01-01' and '2099-12-31') is not true then
    perform private.refuse('invalid_argument', '{"argument": "to_day"}');
  end if;
  v_from := coalesce(v_from, v_to - 29);
  if v_from not between v_to - (analytics_range.most_days - 1) and v_to then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', 'from_day', 'most_days', analytics_range.most_days));
  end if;
  return (v_from, v_to);
end;
$$;

comment on function private.analytics_range is
  'The days that a question is about: those given, or the 30 up to today. Refuses: invalid_argument, for more days than it may be about.';

create function private.require_count(argument text, value integer, most integer)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if (require_count.value between 1 and require_count.most) is not true then
    perform private.refuse(
      'invalid_argument', jsonb_build_object('argument', require_count.argument, 'range', '1..' || require_count.most)
    );
  end if;
end;
$$;

comment on function private.require_count is 'Refuses a number that is not between one and the most: invalid_argument.';

commit;

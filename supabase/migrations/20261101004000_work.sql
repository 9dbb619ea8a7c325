begin;

create domain private.work_priority as smallint
  constraint work_priority_is_known check (value between 0 and 9);

comment on domain private.work_priority is 'How urgent a piece of work is: 0 is done first, 9 last; 5 is usual.';

create function private.retry_delay(attempt_count integer, shortest interval, longest interval)
returns interval
language plpgsql
volatile
set search_path = ''
as $$
begin
  -- The exponent is bounded, so that no number of attempts overflows the interval.
  return least(
    retry_delay.longest,
    retry_delay.shortest * power(2, least(greatest(retry_delay.attempt_count, 1) - 1, 30))
  ) * (0.5 + random() / 2);
end;
$$;

comment on function private.retry_delay is
  'How long to wait after that many attempts: doubling from the shortest to the longest delay, less up to half of it at random '
  '(equal jitter), so that what failed together does not return together.';
grant execute on function private.retry_delay to service_role;

commit;

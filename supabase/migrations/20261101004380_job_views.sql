begin;

create view public.background_job_stats
with (security_invoker = on)
as
with scheduled as (
  select job.job_type, count(*) as job_count, min(job.scheduled_at) as since
  from public.background_jobs as job
  where job.state = 'scheduled'
  group by job.job_type
), ready as (
  select lane.job_type, sum(waiting.job_count)::bigint as job_count, min(head.scheduled_at) as since
  from (
    select twin.job_type, twin.priority, max(twin.low_position) as low_position
    from private.job_lanes as twin
    group by twin.job_type, twin.priority
  ) as lane
  cross join lateral (
    select count(*) as job_count from public.background_jobs as job
    where job.job_type = lane.job_type and job.priority = lane.priority and job.state = 'ready' and job.ready_position >= lane.low_position
  ) as waiting
  cross join lateral (
    select job.scheduled_at from public.background_jobs as job
    where job.job_type = lane.job_type and job.priority = lane.priority and job.state = 'ready' and job.ready_position >= lane.low_position
    order by job.ready_position
    limit 1
  ) as head
  group by lane.job_type
), running as (
  select job.job_type, count(*) as job_count, min(job.started_at) as since
  from public.background_jobs as job
  where job.state = 'running'
  group by job.job_type
), ended as (
  select type.job_type, state.name as state, kept.job_count, kept.since
  from public.job_types as type
  cross join (
    values ('succeeded'::public.job_state, interval '1 hour'), ('failed', interval '1 year'), ('cancelled', interval '1 hour')
  ) as state (name, counted)
  cross join lateral (
    select count(*) as job_count, min(job.finished_at) as since from public.background_jobs as job
    where job.job_type = type.job_type and job.state = state.name and job.finished_at > now() - state.counted
  ) as kept
  where kept.job_count > 0
), job as (
  select scheduled.job_type, 'scheduled'::public.job_state as state, scheduled.job_count, scheduled.since from scheduled
  union all select ready.job_type, 'ready', ready.job_count, ready.since from ready
  union all select running.job_type, 'running', running.job_count, running.since from running
  union all select ended.job_type, ended.state, ended.job_count, ended.since from ended
)
select
  job.job_type,
  job.state,
  job.job_count,
  job.since,
  case when job.state = 'ready' then now() - job.since end as oldest_ready_age,
  failure.last_failed_at,
  failure.last_error
from job
left join lateral (
  (
    select retried.last_failed_at, retried.last_error from public.background_jobs as retried
    where job.state = 'scheduled' and retried.state = 'scheduled' and retried.attempt_count > 0 and retried.job_type = job.job_type
    order by retried.last_failed_at desc
    limit 1
  )
  union all
  (
    select failed.last_failed_at, failed.last_error from public.background_jobs as failed
    where job.state = 'failed' and failed.state = 'failed' and failed.finished_at is not null and failed.job_type = job.job_type
    order by failed.finished_at desc
    limit 1
  )
) as failure on true;

comment on view public.background_job_stats is
  'Per type and state how many jobs there are: of those that live and those that failed, all; of those that succeeded or were cancelled, the last hour''s. '
  'since: scheduled, when the next is due; ready, when the oldest was due (oldest_ready_age ago); running, when the longest began; ended, when the first of them did. '
  'The last failure is that of a job that is to be tried again (scheduled) or is not (failed). Costs as much as there is to count, whatever is kept beside it.';
grant select on private.job_lanes, public.background_job_stats to service_role;

commit;

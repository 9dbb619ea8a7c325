begin;

create function private.cron_command(job private.schedule)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  if (cron_command.job).is_top_level then
    return (cron_command.job).command || ' /* private.schedule */';
  end if;
  return format('select private.run_scheduled_job(%L)', (cron_command.job).name);
end;
$$;

comment on function private.cron_command is 'What pg_cron runs for a row of the schedule, in a form by which it is known as ours.';

create function private.install_schedule()
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_count integer;
begin
  if to_regprocedure('cron.schedule(text, text, text)') is null then
    return 0;
  end if;
  execute $cron$
    select cron.unschedule(job.jobname) from cron.job as job
    where (job.command like 'select private.run_scheduled_job(%' or job.command like '%/* private.schedule */')
      and not exists (select from private.schedule as planned where planned.name = job.jobname and planned.is_enabled)
  $cron$;
  execute $cron$
    select count(cron.schedule(planned.name, planned.cron, private.cron_command(planned)))
    from private.schedule as planned where planned.is_enabled
  $cron$ into v_count;
  return v_count;
end;
$$;

comment on function private.install_schedule is
  'Gives the schedule to pg_cron and takes back what is no longer in it; says how many jobs run. Without pg_cron it does nothing. Repeating it changes nothing.';

create function private.collect_cron_runs()
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_run record;
  v_count integer := 0;
begin
  if to_regclass('cron.job_run_details') is null then
    return 0;
  end if;
  for v_run in execute $cron$
    select planned.name, run.runid, run.start_time, run.end_time, run.status, run.return_message
    from cron.job_run_details as run
    join cron.job as job using (jobid)
    join private.schedule as planned on planned.name = job.jobname
    -- A run of run_scheduled_job() keeps its own record, unless its connection failed or was ended.
    where run.runid > planned.last_cron_run_id and (run.status = 'failed' or run.status = 'succeeded' and planned.is_top_level)
    order by run.runid
  $cron$ loop
    perform private.record_scheduled_run(
      v_run.name,
      coalesce(v_run.start_time, now()),
      coalesce(v_run.end_time, now()),
      case v_run.status when 'failed' then coalesce(v_run.return_message, 'failed') end
    );
    update private.schedule as job set last_cron_run_id = v_run.runid where job.name = v_run.name;
    v_count := v_count + 1;
  end loop;
  execute $cron$
    delete from cron.job_run_details as run
    where run.end_time < now() - case run.status when 'succeeded' then interval '1 hour' else interval '7 days' end
      or run.runid < (select max(old.runid) from cron.job_run_details as old where old.end_time < now() - interval '7 days')
  $cron$;
  return v_count;
end;
$$;

comment on function private.collect_cron_runs is
  'Takes over from pg_cron how those runs went that could not say so themselves; says how many. Then prunes pg_cron''s records, which nothing '
  'else does: after an hour if the run went well, after a week in any case. Without pg_cron it does nothing.';

insert into private.schedule (name, cron, command) values
  ('collect-cron-runs', '* * * * *', 'select private.collect_cron_runs()');

commit;

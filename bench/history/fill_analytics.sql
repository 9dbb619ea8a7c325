-- So many events of 20,000 people in the last 90 days, as evenly as real ones are not: twenty names, one of them an
-- exposure to a flag. Facts follow by the table's own trigger.
with drawn as materialized (
  select
    now() - random() * interval '90 days' as at, (random() * 20000)::integer::text as user_id, (random() * 19)::integer as name
  from generate_series(1, $1::integer)
)
insert into public.analytics_events (day, id, event_name, actor_id, user_id, properties, occurred_at)
select
  (drawn.at at time zone 'Africa/Kigali')::date, gen_random_uuid(),
  case drawn.name when 0 then '$feature_flag_called' else 'event_' || drawn.name end,
  md5('user:' || drawn.user_id)::uuid, drawn.user_id,
  case drawn.name
    when 0 then '{"$feature_flag": "checkout", "$feature_flag_response": "blue"}'::jsonb
    else '{"vehicle": "moto", "fare": 1500, "currency": "RWF"}'::jsonb
  end,
  drawn.at
from drawn

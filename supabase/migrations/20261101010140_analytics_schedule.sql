begin;

insert into private.schedule (name, cron, command) values
  ('merge-analytics-actors', '5 seconds', 'select private.merge_analytics_actors(500)'),
  ('erase-suppressed-aliases', '* * * * *', 'select private.erase_suppressed_aliases()'),
  ('refresh-daily-metrics', '* * * * *', 'select public.refresh_daily_metrics()'),
  ('purge-analytics-rejections', '35 2 * * *', 'select private.purge_analytics_rejections()');

commit;

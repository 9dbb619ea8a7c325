begin;

create function private.template_parameters(template text)
returns text[]
language plpgsql
immutable
set search_path = ''
as $$
begin
  return array(
    select distinct name[1] from regexp_matches(template_parameters.template, '\{\{\s*([a-z][a-z0-9_]*)\s*\}\}', 'g') as name order by 1
  );
end;
$$;

comment on function private.template_parameters is 'The names of the {{parameters}} in a text.';

create function private.render_template(template text, parameters jsonb)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  -- Each piece is a text and the parameter after it, so that a value that looks like a parameter stays a value.
  return (
    select string_agg(concat(piece[1], render_template.parameters ->> piece[2]), '' order by position)
    from regexp_matches(
      render_template.template, '(.*?)(?:\{\{\s*([a-z][a-z0-9_]*)\s*\}\}|$)', 'g'
    ) with ordinality as split (piece, position)
  );
end;
$$;

comment on function private.render_template is 'A text with its {{parameters}} filled in; one that is not given becomes empty.';

create function private.notification_template(name text, channel public.notification_channel, locale text)
returns public.notification_templates
language plpgsql
stable
set search_path = ''
as $$
declare
  v_template public.notification_templates;
begin
  select template.* into v_template
  from public.notification_templates as template
  where template.name = notification_template.name and template.channel in (notification_template.channel, 'inbox')
  order by
    template.locale = notification_template.locale desc,
    split_part(template.locale, '-', 1) = split_part(notification_template.locale, '-', 1) desc,
    template.locale = 'en' desc,
    template.channel = notification_template.channel desc,
    template.locale
  limit 1;
  return v_template;
end;
$$;

comment on function private.notification_template is
  'The words to use: in the language asked for, else in another region''s, else in English, else in any; of two in one language the channel''s own before the inbox''s.';

create type private.notification_words as (
  title text,
  body text,
  data jsonb,
  whatsapp_template jsonb
);

comment on type private.notification_words is 'What one message on one channel says.';

create function private.words_of_notification(notification public.notifications, channel public.notification_channel)
returns private.notification_words
language plpgsql
stable
set search_path = ''
as $$
declare
  v_notification constant public.notifications := words_of_notification.notification;
  v_template public.notification_templates := private.notification_template(
    v_notification.template, words_of_notification.channel, v_notification.locale
  );
begin
  if v_template.channel is distinct from words_of_notification.channel then
    -- The inbox has its words already, as they were when the notification was made.
    return row(v_notification.title, v_notification.body, v_notification.data, null)::private.notification_words;
  end if;
  return row(
    private.render_template(v_template.title, v_notification.parameters),
    private.render_template(v_template.body, v_notification.parameters),
    v_notification.data,
    private.filled_whatsapp_template(v_template, v_notification.parameters)
  )::private.notification_words;
end;
$$;

comment on function private.words_of_notification is 'What a notification says on a channel.';

create function private.filled_whatsapp_template(template public.notification_templates, parameters jsonb)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_asked constant jsonb := (filled_whatsapp_template.template).whatsapp_template;
  v_parameters jsonb;
begin
  if v_asked is null then
    return null;
  end if;
  select jsonb_agg(jsonb_build_object('type', 'text', 'text', filled_whatsapp_template.parameters ->> name) order by position)
  into v_parameters
  from jsonb_array_elements_text(v_asked -> 'parameters') with ordinality as parameter (name, position);
  return jsonb_strip_nulls(jsonb_build_object(
    'name', v_asked -> 'name',
    'language', nullif(jsonb_strip_nulls(jsonb_build_object('code', v_asked -> 'language')), '{}'),
    'components', case when v_parameters is not null then
      jsonb_build_array(jsonb_build_object('type', 'body', 'parameters', v_parameters))
    end
  ));
end;
$$;

comment on function private.filled_whatsapp_template is 'The object of a WhatsApp template message (Meta, Messages: "Template object"), without a language unless the template names one; null without a template.';

create function private.words_of_digest(notifications public.notifications[], channel public.notification_channel)
returns private.notification_words
language plpgsql
stable
set search_path = ''
as $$
declare
  c_shown constant integer := 10;
  v_first constant public.notifications := words_of_digest.notifications[1];
  v_count constant integer := cardinality(words_of_digest.notifications);
  v_template public.notification_templates := private.notification_template('digest', words_of_digest.channel, v_first.locale);
  v_parameters jsonb;
begin
  select jsonb_build_object('count', v_count, 'items', concat(
    string_agg('- ' || coalesce(item.title, left(item.body, 200)), e'\n' order by item.id),
    case when v_count > c_shown then e'\n...' end
  )) into v_parameters
  from unnest(words_of_digest.notifications[:c_shown]) as item;
  return row(
    private.render_template(v_template.title, v_parameters),
    private.render_template(v_template.body, v_parameters),
    '{}'::jsonb,
    private.filled_whatsapp_template(v_template, v_parameters)
  )::private.notification_words;
end;
$$;

comment on function private.words_of_digest is 'What a message says that brings several notifications: how many, and the first ten.';

commit;

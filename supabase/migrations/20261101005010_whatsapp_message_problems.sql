begin;

create function private.whatsapp_text_problems(content jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return private.object_problems(whatsapp_text_problems.content, whatsapp_text_problems.pointer, '{body,preview_url}')
    || private.text_problems(whatsapp_text_problems.content, whatsapp_text_problems.pointer, 'body', 4096)
    || private.flag_problems(whatsapp_text_problems.content, whatsapp_text_problems.pointer, 'preview_url');
end;
$$;

comment on function private.whatsapp_text_problems is 'What Meta would refuse of a text (Meta, Text messages).';

create function private.whatsapp_media_problems(content jsonb, pointer text, details text[] default '{}')
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_has_id boolean := whatsapp_media_problems.content -> 'id' is not null;
  v_has_link boolean := whatsapp_media_problems.content -> 'link' is not null;
begin
  return private.object_problems(
      whatsapp_media_problems.content, whatsapp_media_problems.pointer, '{id,link}' || whatsapp_media_problems.details
    )
    || case when v_has_id = v_has_link and jsonb_typeof(whatsapp_media_problems.content) = 'object'
      then private.json_problem(whatsapp_media_problems.pointer, 'exactly one of id and link') else '[]' end
    || private.text_problems(whatsapp_media_problems.content, whatsapp_media_problems.pointer, 'id', null, false)
    || private.link_problems(whatsapp_media_problems.content, whatsapp_media_problems.pointer, 'link', false)
    || private.text_problems(whatsapp_media_problems.content, whatsapp_media_problems.pointer, 'caption', 1024, false)
    || private.text_problems(whatsapp_media_problems.content, whatsapp_media_problems.pointer, 'filename', null, false)
    || private.flag_problems(whatsapp_media_problems.content, whatsapp_media_problems.pointer, 'voice');
end;
$$;

comment on function private.whatsapp_media_problems is
  'What Meta would refuse of an image, video, audio, document or sticker: an uploaded id or a link, and those of caption, filename and voice '
  'that its kind has (Meta, Image messages and its siblings). Links must be https: media may show what is nobody else''s business.';

create function private.coordinate_problems(parent jsonb, pointer text, key text, bound integer)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_value jsonb := coordinate_problems.parent -> coordinate_problems.key;
  v_text text := v_value #>> '{}';
begin
  if v_value is null then
    return private.missing_problems(coordinate_problems.parent, coordinate_problems.pointer, coordinate_problems.key, true);
  end if;
  if jsonb_typeof(v_value) in ('number', 'string') and v_text ~ '^-?\d{1,3}(\.\d{1,20})?$' then
    if abs(v_text::numeric) <= coordinate_problems.bound then
      return '[]';
    end if;
  end if;
  return private.json_problem(
    coordinate_problems.pointer || '/' || coordinate_problems.key,
    format('must be decimal degrees from -%s to %s', coordinate_problems.bound, coordinate_problems.bound)
  );
end;
$$;

comment on function private.coordinate_problems is
  'What is wrong with a member that must be a latitude or longitude: a number, or as Meta''s examples have it a string.';

create function private.whatsapp_location_problems(content jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return private.object_problems(
      whatsapp_location_problems.content, whatsapp_location_problems.pointer, '{latitude,longitude,name,address}'
    )
    || private.coordinate_problems(whatsapp_location_problems.content, whatsapp_location_problems.pointer, 'latitude', 90)
    || private.coordinate_problems(whatsapp_location_problems.content, whatsapp_location_problems.pointer, 'longitude', 180)
    || private.text_problems(whatsapp_location_problems.content, whatsapp_location_problems.pointer, 'name', null, false)
    || private.text_problems(whatsapp_location_problems.content, whatsapp_location_problems.pointer, 'address', null, false);
end;
$$;

comment on function private.whatsapp_location_problems is 'What Meta would refuse of a location (Meta, Location messages).';

create function private.emoji_characters()
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  return '\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u2388\u23cf\u23e9-\u23f3\u23f8-\u23fa\u24c2'
    '\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2605\u2607-\u2612\u2614-\u2685\u2690-\u2705\u2708-\u2712\u2714\u2716\u271d\u2721'
    '\u2728\u2733\u2734\u2744\u2747\u274c\u274e\u2753-\u2755\u2757\u2763-\u2767\u2795-\u2797\u27a1\u27b0\u27bf\u2934\u2935'
    '\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001f0ff\U0001f10d-\U0001f10f\U0001f12f'
    '\U0001f16c-\U0001f171\U0001f17e\U0001f17f\U0001f18e\U0001f191-\U0001f19a\U0001f1ad-\U0001f1e5\U0001f201-\U0001f20f\U0001f21a'
    '\U0001f22f\U0001f232-\U0001f23a\U0001f23c-\U0001f23f\U0001f249-\U0001f53d\U0001f546-\U0001f64f\U0001f680-\U0001f6ff'
    '\U0001f774-\U0001f77f\U0001f7d5-\U0001f7ff\U0001f80c-\U0001f80f\U0001f848-\U0001f84f\U0001f85a-\U0001f85f\U0001f888-\U0001f88f'
    '\U0001f8ae-\U0001f8ff\U0001f90c-\U0001f93a\U0001f93c-\U0001f945\U0001f947-\U0001faff\U0001fc00-\U0001fffd';
end;
$$;

comment on function private.emoji_characters is
  'For a regular expression''s brackets: what Unicode 17 calls Extended_Pictographic, and the five skin tones.';

create function private.is_emoji(value text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
declare
  c_flag constant text := '[\U0001f1e6-\U0001f1ff]{2}';
  c_keycap constant text := '[0-9#*]\ufe0f?\u20e3';
  c_element constant text := format(
    '[%s]\ufe0f?[\U0001f3fb-\U0001f3ff]?\ufe0f?(?:[\U000e0020-\U000e007e]+\U000e007f)?', private.emoji_characters()
  );
begin
  return length(is_emoji.value) <= 35
    and is_emoji.value ~ format('^(?:%s|%s|%s(?:\u200d%s)*)$', c_flag, c_keycap, c_element, c_element);
end;
$$;

comment on function private.is_emoji is 'Whether a text is one emoji, of however many code points (Unicode, UTS 51: ED-17).';

create function private.whatsapp_reaction_problems(content jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_emoji jsonb := whatsapp_reaction_problems.content -> 'emoji';
begin
  return private.object_problems(whatsapp_reaction_problems.content, whatsapp_reaction_problems.pointer, '{message_id,emoji}')
    || private.text_problems(whatsapp_reaction_problems.content, whatsapp_reaction_problems.pointer, 'message_id', 512)
    || case
      when v_emoji is null then private.missing_problems(
        whatsapp_reaction_problems.content, whatsapp_reaction_problems.pointer, 'emoji', true
      )
      when v_emoji = '""' or jsonb_typeof(v_emoji) = 'string' and private.is_emoji(v_emoji #>> '{}') then '[]'
      else private.json_problem(whatsapp_reaction_problems.pointer || '/emoji', 'must be one emoji, or an empty string to take it back')
    end;
end;
$$;

comment on function private.whatsapp_reaction_problems is 'What Meta would refuse of a reaction; an empty emoji takes one back (Meta, Reaction messages).';

commit;

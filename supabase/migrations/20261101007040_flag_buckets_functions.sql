begin;

create function private.murmur3(input text, seed bigint default 0)
returns bigint
language plpgsql
immutable
set search_path = ''
as $$
declare
  c_mask constant bigint := 4294967295;
  v_bytes bytea := convert_to(murmur3.input, 'UTF8');
  v_length integer := length(v_bytes);
  v_hash bigint := murmur3.seed;
  v_block bigint;
begin
  -- Blocks are read as signed numbers, and the odd constants are the negative ones of the same 32 bits: products fit into 63.
  v_bytes := v_bytes || '\x000000';
  for v_at in 0 .. v_length - 1 by 4 loop
    v_block := (
      (
        get_byte(v_bytes, v_at) | (get_byte(v_bytes, v_at + 1) << 8) | (get_byte(v_bytes, v_at + 2) << 16) | (get_byte(v_bytes, v_at + 3) << 24)
      )::bigint * -862048943
    ) & c_mask;
    v_block := v_hash # (((((v_block << 15) | (v_block >> 17)) & c_mask) * 461845907) & c_mask);
    v_hash := case
      when v_at + 3 < v_length then ((((v_block << 13) | (v_block >> 19)) & c_mask) * 5 + 3864292196) & c_mask
      else v_block
    end;
  end loop;
  v_hash := v_hash # v_length;
  v_hash := ((v_hash # (v_hash >> 16)) * -2048144789) & c_mask;
  v_hash := ((v_hash # (v_hash >> 13)) * -1028477387) & c_mask;
  return v_hash # (v_hash >> 16);
end;
$$;

comment on function private.murmur3 is 'MurmurHash3 (x86, 32 bits) of a text''s UTF-8 bytes.';

create function private.flag_bucket_id(bucketing jsonb, context jsonb)
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_name text;
  v_id text;
begin
  for v_number in 0 .. jsonb_array_length(flag_bucket_id.bucketing -> 'bucket_by') - 1 loop
    v_name := flag_bucket_id.bucketing -> 'bucket_by' ->> v_number;
    v_id := case when v_name = '$random' then floor(random() * 1e9)::text else private.flag_attribute(flag_bucket_id.context, v_name) end;
    if v_id <> '' then
      return v_id;
    end if;
  end loop;
  return null;
end;
$$;

comment on function private.flag_bucket_id is 'By what somebody is told apart: the first field that is there and not empty; $random is always there.';

create function private.flag_threshold(ramp jsonb, at bigint)
returns bigint
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_from jsonb;
  v_to jsonb;
begin
  for v_number in 0 .. jsonb_array_length(flag_threshold.ramp) - 1 loop
    v_to := flag_threshold.ramp -> v_number;
    if (v_to -> 'at')::bigint > flag_threshold.at then
      return coalesce(
        (v_from -> 'threshold')::bigint + ((v_to -> 'threshold')::bigint - (v_from -> 'threshold')::bigint)
          * (flag_threshold.at - (v_from -> 'at')::bigint) / ((v_to -> 'at')::bigint - (v_from -> 'at')::bigint),
        (v_to -> 'threshold')::bigint
      );
    end if;
    v_from := v_to;
  end loop;
  return coalesce((v_from -> 'threshold')::bigint, 0);
end;
$$;

comment on function private.flag_threshold is
  'How many parts of a rollout are let in at that time (epoch milliseconds): it moves evenly from one point of the ramp to the next, and stays before the first and after the last.';

create function private.is_in_rollout(rollout jsonb, id text, at bigint)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return private.murmur3((is_in_rollout.rollout ->> 'seed') || ':' || is_in_rollout.id) % (is_in_rollout.rollout -> 'normalizer')::bigint + 1
    <= case
      -- A fixed percentage is a ramp of one point.
      when jsonb_array_length(is_in_rollout.rollout -> 'ramp') = 1 then (is_in_rollout.rollout -> 'ramp' -> 0 -> 'threshold')::bigint
      else private.flag_threshold(is_in_rollout.rollout -> 'ramp', is_in_rollout.at)
    end;
end;
$$;

comment on function private.is_in_rollout is 'Whether somebody belongs to the share that is let in at that time (epoch milliseconds).';

create function private.flag_split_variant(split jsonb, id text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  -- Unleash's seed for variants: who is in a rollout says nothing about the variant.
  c_seed constant bigint := 86028157;
  v_weights constant jsonb := flag_split_variant.split -> 'weights';
  v_total bigint := 0;
  v_sum bigint := 0;
  v_target bigint;
begin
  for v_number in 0 .. jsonb_array_length(v_weights) - 1 loop
    v_total := v_total + (v_weights -> v_number -> 'weight')::bigint;
  end loop;
  if v_total = 0 then
    return null;
  end if;
  v_target := private.murmur3((flag_split_variant.split ->> 'seed') || ':' || flag_split_variant.id, c_seed) % v_total + 1;
  for v_number in 0 .. jsonb_array_length(v_weights) - 1 loop
    v_sum := v_sum + (v_weights -> v_number -> 'weight')::bigint;
    if v_sum >= v_target then
      return v_weights -> v_number ->> 'variant';
    end if;
  end loop;
end;
$$;

comment on function private.flag_split_variant is 'The variant that somebody gets of a split; null when no weight is above zero.';

commit;

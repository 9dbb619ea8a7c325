begin;

create function private.whatsapp_product_problems(action jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return private.object_problems(
      whatsapp_product_problems.action, whatsapp_product_problems.pointer, '{catalog_id,product_retailer_id}'
    )
    || private.text_problems(whatsapp_product_problems.action, whatsapp_product_problems.pointer, 'catalog_id', null)
    || private.text_problems(whatsapp_product_problems.action, whatsapp_product_problems.pointer, 'product_retailer_id', null);
end;
$$;

comment on function private.whatsapp_product_problems is 'What Meta would refuse of a product (Meta, Single-product messages).';

create function private.whatsapp_product_list_problems(action jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return private.object_problems(
      whatsapp_product_list_problems.action, whatsapp_product_list_problems.pointer, '{catalog_id,sections}'
    )
    || private.text_problems(whatsapp_product_list_problems.action, whatsapp_product_list_problems.pointer, 'catalog_id', null)
    || private.whatsapp_sections_problems(
      whatsapp_product_list_problems.action, whatsapp_product_list_problems.pointer, 'product_items', 30
    );
end;
$$;

comment on function private.whatsapp_product_list_problems is 'What Meta would refuse of a list of products (Meta, Multi-product messages).';

create function private.whatsapp_catalog_problems(action jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_parameters jsonb := whatsapp_catalog_problems.action -> 'parameters';
  v_pointer text := whatsapp_catalog_problems.pointer || '/parameters';
begin
  return private.whatsapp_named_action_problems(whatsapp_catalog_problems.action, whatsapp_catalog_problems.pointer, 'catalog_message', true)
    || private.member_problems(
      whatsapp_catalog_problems.action, whatsapp_catalog_problems.pointer, 'parameters', '{thumbnail_product_retailer_id}', false
    )
    || private.text_problems(v_parameters, v_pointer, 'thumbnail_product_retailer_id', null, false);
end;
$$;

comment on function private.whatsapp_catalog_problems is 'What Meta would refuse of a catalog message (Meta, Catalog messages).';

create function private.whatsapp_media_card_problems(card jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_card jsonb := whatsapp_media_card_problems.card;
  v_pointer text := whatsapp_media_card_problems.pointer;
begin
  return private.object_problems(v_card, v_pointer, '{card_index,type,header,body,action}')
    || private.whatsapp_header_problems(v_card, v_pointer, '{image,video}', true)
    || case when v_card -> 'body' ->> 'text' ~ '(\n[^\n]*){3}'
      then private.json_problem(v_pointer || '/body/text', 'at most 2 line breaks')
      else private.whatsapp_passage_problems(v_card, v_pointer, 'body', 160, false) end
    || case when v_card -> 'action' ? 'buttons'
      then private.whatsapp_buttons_problems(v_card -> 'action', v_pointer || '/action', 'quick_reply', 10)
      else private.whatsapp_url_button_problems(v_card -> 'action', v_pointer || '/action') end;
end;
$$;

comment on function private.whatsapp_media_card_problems is
  'What is wrong with a card of a carousel that shows an image or a video: quick replies or one link. Meta names no most of quick replies; we take 10.';

create function private.whatsapp_card_problems(card jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_card jsonb := whatsapp_card_problems.card;
begin
  if jsonb_typeof(v_card) <> 'object' then
    return private.object_problems(v_card, whatsapp_card_problems.pointer);
  end if;
  return private.integer_problems(v_card, whatsapp_card_problems.pointer, 'card_index', 0, 9)
    || private.choice_problems(v_card, whatsapp_card_problems.pointer, 'type', '{cta_url,product}', v_card ->> 'type' = 'product')
    || case when v_card ->> 'type' = 'product'
      then private.object_problems(v_card, whatsapp_card_problems.pointer, '{card_index,type,action}')
        || private.whatsapp_product_problems(v_card -> 'action', whatsapp_card_problems.pointer || '/action')
      else private.whatsapp_media_card_problems(v_card, whatsapp_card_problems.pointer) end;
end;
$$;

comment on function private.whatsapp_card_problems is
  'What is wrong with a card of a carousel: a product, or media (whose type is cta_url in Meta''s examples even with quick replies, and may be left out).';

create function private.whatsapp_card_kind(card jsonb)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case
    when whatsapp_card_kind.card ->> 'type' = 'product'
      then concat('products of the catalog ', whatsapp_card_kind.card -> 'action' ->> 'catalog_id')
    when whatsapp_card_kind.card -> 'action' ? 'buttons'
      then private.list_length(whatsapp_card_kind.card -> 'action' -> 'buttons', 10) || ' quick replies'
    else 'one link'
  end;
end;
$$;

comment on function private.whatsapp_card_kind is 'What all cards of a carousel have in common.';

create function private.whatsapp_carousel_problems(action jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_cards jsonb := whatsapp_carousel_problems.action -> 'cards';
  v_pointer text := whatsapp_carousel_problems.pointer || '/cards';
  v_problems jsonb := private.object_problems(whatsapp_carousel_problems.action, whatsapp_carousel_problems.pointer, '{cards}')
    || private.list_problems(whatsapp_carousel_problems.action, whatsapp_carousel_problems.pointer, 'cards', 2, 10)
    || private.duplicate_problems(v_cards, v_pointer, '{card_index}');
begin
  for v_index in 0 .. private.list_length(v_cards, 10) - 1 loop
    v_problems := v_problems || private.whatsapp_card_problems(v_cards -> v_index, v_pointer || '/' || v_index);
    if jsonb_typeof(v_cards -> v_index -> 'action') = 'object'
      and private.whatsapp_card_kind(v_cards -> v_index) <> private.whatsapp_card_kind(v_cards -> 0) then
      v_problems := v_problems || private.json_problem(
        format('%s/%s/action', v_pointer, v_index), 'must be as on the first card: ' || private.whatsapp_card_kind(v_cards -> 0)
      );
    end if;
  end loop;
  return v_problems;
end;
$$;

comment on function private.whatsapp_carousel_problems is
  'What Meta would refuse of a carousel: cards of one kind, with the same buttons (Meta, Interactive media carousel messages and Product carousel messages).';

commit;

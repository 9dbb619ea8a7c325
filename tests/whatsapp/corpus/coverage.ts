import type { Delivery, Json } from "./delivery.ts";

/** A delivery with its body, where that is an object. */
export interface Read extends Delivery {
  text: string;
  body: Json;
}

/** What must occur in a corpus, by name, and how to find the names that do. */
export interface Dimension {
  wanted: string;
  found: (read: Read) => unknown[];
}

/** Decodes and parses what can be. */
export function read(delivery: Delivery): Read {
  const text = new TextDecoder().decode(delivery.bytes);
  try {
    const body = JSON.parse(text);
    return { ...delivery, text, body: Object(body) };
  } catch {
    return { ...delivery, text, body: {} };
  }
}

/** Every object inside of a JSON value, itself included. */
export function* objectsIn(json: unknown): Generator<Json> {
  if (typeof json !== "object" || json === null) return;
  if (!Array.isArray(json)) yield json as Json;
  for (const member of Object.values(json)) yield* objectsIn(member);
}

function changesOf({ body }: Read): Json[] {
  return [...objectsIn(body)].filter((node) => typeof node.field === "string" && "value" in node);
}

/** The values of `member` in the elements of the arrays `collection` of a field. */
function inArrays(field: string, collection: string, member: string): Dimension["found"] {
  return (read) =>
    changesOf(read).filter((change) => change.field === field).flatMap((change) => {
      const list = Object(change.value)[collection];
      return Array.isArray(list) ? list.map((element) => element?.[member]) : [];
    });
}

/** The values of `member` in the value of a field. */
function inValues(field: string, member: string): Dimension["found"] {
  return (read) => changesOf(read).filter((change) => change.field === field).map(({ value }) => Object(value)[member]);
}

/** The values of `member` in every object under `parent`. */
function under(parent: string, member: string): Dimension["found"] {
  return ({ body }) => [...objectsIn(body)].map((node) => Object(node[parent])[member]);
}

/** Which of these members an object has, for each object that has one. */
function membersOf(...members: string[]): Dimension["found"] {
  return ({ body }) => [...objectsIn(body)].map((node) => members.filter((member) => member in node).join("+"));
}

const typeOf = (member: string): Dimension["found"] => ({ body }) =>
  [...objectsIn(body)].map((node) => `${member}:${typeof node[member]}`);

/** Everything that a corpus must hold, from Meta's pages (see the facts on webhooks) and our rules. */
export const COVERAGE: Record<string, Dimension> = {
  "change field": {
    wanted: `messages standby calls history smb_message_echoes message_echoes smb_app_state_sync user_preferences
      user_id_update group_lifecycle_update group_participants_update group_settings_update group_status_update
      account_update account_alerts account_review_update account_settings_update business_capability_update
      phone_number_quality_update phone_number_name_update message_template_status_update
      message_template_quality_update message_template_components_update template_category_update
      template_correct_category_detection flows business_username_update business_username_updates messaging_handovers
      automatic_events security partner_solutions payment_configuration_update tracking_events consumer_profile
      business_status_update carrier_pigeons constructor`,
    found: (read) => changesOf(read).map(({ field }) => field),
  },
  "message type": {
    wanted: `text image video audio document sticker location contacts interactive button reaction order system edit
      revoke unsupported unknown request_welcome hologram`,
    found: inArrays("messages", "messages", "type"),
  },
  "history type": {
    wanted: "text media_placeholder",
    found: ({ body }) => [...objectsIn(body)].flatMap(({ threads }) => [...objectsIn(threads)].map(({ type }) => type)),
  },
  "echo type": { wanted: "text image edit revoke", found: inArrays("smb_message_echoes", "message_echoes", "type") },
  "interactive reply": {
    wanted: "button_reply list_reply nfm_reply call_permission_reply",
    found: under("interactive", "type"),
  },
  "system message": {
    wanted: "user_changed_number customer_changed_number user_changed_user_id customer_identity_changed",
    found: under("system", "type"),
  },
  "unsupported message": {
    wanted: `errors gif group_invite hsm image interactive keep_in_chat link_preview list location media_placeholder
      order pin poll_creation poll_update product reaction edit`,
    found: under("unsupported", "type"),
  },
  "status": {
    wanted: "sent delivered read played failed pondered",
    found: inArrays("messages", "statuses", "status"),
  },
  "price category": {
    wanted: `authentication authentication-international marketing marketing_lite referral_conversion service utility
      group_marketing group_service`,
    found: under("pricing", "category"),
  },
  "price type": { wanted: "regular free_customer_service free_entry_point", found: under("pricing", "type") },
  "failure": {
    wanted: "130472 131000 131026 131047 131049 131050 131053 132015 131051 131052 131060 2593109",
    found: ({ body }) => [...objectsIn(body)].map(({ code }) => code),
  },
  "call event": {
    wanted: "connect terminate call_created call_recording_available call_transcription_available",
    found: inArrays("calls", "calls", "event"),
  },
  "call status": { wanted: "RINGING ACCEPTED REJECTED", found: inArrays("calls", "statuses", "status") },
  "account event": {
    wanted: `ACCOUNT_DELETED ACCOUNT_VIOLATION ACCOUNT_RESTRICTION ACCOUNT_OFFBOARDED ACCOUNT_RECONNECTED
      DISABLED_UPDATE VERIFIED_ACCOUNT AD_ACCOUNT_LINKED AUTH_INTL_PRICE_ELIGIBILITY_UPDATE
      BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE MM_LITE_TERMS_SIGNED PARTNER_ADDED PARTNER_REMOVED
      PARTNER_APP_INSTALLED PARTNER_APP_UNINSTALLED PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE
      VOLUME_BASED_PRICING_TIER_UPDATE`,
    found: inValues("account_update", "event"),
  },
  "alert": {
    wanted: "BUSINESS PHONE_NUMBER CURRENT_STATUS_ID",
    found: inValues("account_alerts", "entity_type"),
  },
  "number event": {
    wanted: "ONBOARDING THROUGHPUT_UPGRADE UPGRADE DOWNGRADE FLAGGED",
    found: inValues("phone_number_quality_update", "event"),
  },
  "template event": {
    wanted: `APPROVED ARCHIVED DELETED DISABLED FLAGGED IN_APPEAL LIMIT_EXCEEDED LOCKED PAUSED PENDING REINSTATED
      PENDING_DELETION REJECTED`,
    found: inValues("message_template_status_update", "event"),
  },
  "template quality": {
    wanted: "GREEN YELLOW RED UNKNOWN",
    found: inValues("message_template_quality_update", "new_quality_score"),
  },
  "flow event": {
    wanted: `FLOW_STATUS_CHANGE CLIENT_ERROR_RATE ENDPOINT_ERROR_RATE ENDPOINT_LATENCY ENDPOINT_AVAILABILITY
      FLOW_VERSION_EXPIRY_WARNING`,
    found: inValues("flows", "event"),
  },
  "preference": {
    wanted: "stop resume signup",
    found: inArrays("user_preferences", "user_preferences", "value"),
  },
  "user name event": { wanted: "approved deleted reserved", found: inValues("business_username_update", "status") },
  "handover": { wanted: "control_passed control_taken", found: inValues("messaging_handovers", "type") },
  "security event": {
    wanted: "PIN_CHANGED PIN_RESET_REQUEST PIN_REQUEST_SUCCESS",
    found: inValues("security", "event"),
  },
  "contact sync": { wanted: "add remove", found: inArrays("smb_app_state_sync", "state_sync", "action") },
  "sender": {
    wanted: `from from+from_user_id from_user_id from_user_id+from_parent_user_id
      from+from_user_id+from_parent_user_id`,
    found: membersOf("from", "from_user_id", "from_parent_user_id"),
  },
  "contact": {
    wanted: `profile+wa_id profile+wa_id+user_id profile+user_id profile+user_id+parent_user_id
      profile+wa_id+user_id+parent_user_id wa_id wa_id+user_id user_id`,
    found: ({ body }) =>
      [...objectsIn(body)].filter(({ metadata }) => metadata).flatMap(({ contacts }) =>
        [contacts ?? []].flat().map((contact) =>
          ["profile", "wa_id", "user_id", "parent_user_id"].filter((member) => member in Object(contact)).join("+")
        )
      ),
  },
  "profile": { wanted: "name name+username", found: membersOf("name", "username") },
  "rotation": {
    wanted: "true",
    found: ({ body }) =>
      [...objectsIn(body)].filter((node) => node.previous).map((node) => node.previous !== node.current),
  },
  "participant": {
    wanted: `recipient_participant_id participant_recipient_id recipient_participant_user_id
      recipient_participant_id+recipient_participant_user_id`,
    found: membersOf("recipient_participant_id", "participant_recipient_id", "recipient_participant_user_id"),
  },
  "envelope": {
    wanted: "id:0 id:200000000000001 time:number time:string time:undefined timestamp:number timestamp:string",
    found: (read) => [
      ...[...objectsIn(read.body)].filter(({ changes }) => changes).flatMap(({ id, time }) => [
        `id:${id}`,
        `time:${typeof time}`,
      ]),
      ...typeOf("timestamp")(read),
    ],
  },
  "escape": {
    wanted: "slash non-ASCII plain indented NUL surrogate 1e400 deep huge",
    found: ({ text, bytes }) => [
      text.includes("\\/") && "slash",
      /\\u[1-9a-f][0-9a-f]{3}/.test(text) && "non-ASCII",
      /[^\p{ASCII}]/u.test(text) && "plain",
      text.startsWith("{\n") && "indented",
      /[^\\]\\u0000/.test(text) && "NUL",
      /[^\\]\\ud800[^\\]/.test(text) && "surrogate",
      text.includes(":1e400") && "1e400",
      /(\]\s*){100}/.test(text) && "deep",
      bytes.length > 5e5 && "huge",
    ],
  },
  "outcome": {
    wanted: `stored duplicate unroutable dead_letter stale not_json not_an_object invalid_id invalid_timestamp`,
    found: ({ items }) => items.flatMap(({ outcome, reason }) => [outcome, reason]),
  },
  "kind with outcome": {
    wanted: `message:stored echo:stored history:stored status:stored event:stored unknown:stored message:dead_letter
      echo:dead_letter history:dead_letter status:dead_letter event:dead_letter unknown:dead_letter message:unroutable
      echo:unroutable history:unroutable status:unroutable message:stale echo:stale history:stale status:stale
      event:stale unknown:stale message:duplicate status:duplicate event:duplicate`,
    found: ({ items }) => items.map(({ kind, outcome }) => `${kind}:${outcome}`),
  },
  "delivery": {
    wanted: "copy 1000",
    found: ({ name, items }) => [name.endsWith("(copy)") && "copy", items.length],
  },
};

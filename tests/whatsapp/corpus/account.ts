import { envelope, type Json, whole } from "./delivery.ts";
import * as scene from "./scene.ts";
import { entry, type Scenario, type Scene, table } from "./scene.ts";

type Values = (s: Scene) => Json[];

/** One value for each name, under `member`, with what belongs to all and what belongs to one. */
function each(member: string, names: string, shared: (s: Scene) => Json, own: Record<string, Json> = {}): Values {
  return (s) => names.split(" ").map((name) => ({ ...shared(s), [member]: name, ...own[name] }));
}

const nothing = () => ({});
const once = (value: (s: Scene) => Json): Values => (s) => [value(s)];
const display = ({ phone: { display_phone_number } }: Scene) => ({ display_phone_number });

const template = (s: Scene) => ({
  message_template_id: Number(scene.digits(s)),
  message_template_name: "trip_receipt/v2",
  message_template_language: s.random.pick(["en", "fr", "rw", "sw"]),
});

const PORTFOLIO = "300000000000001";
const ACCOUNT_EVENTS =
  "ACCOUNT_DELETED ACCOUNT_VIOLATION ACCOUNT_RESTRICTION ACCOUNT_OFFBOARDED ACCOUNT_RECONNECTED DISABLED_UPDATE VERIFIED_ACCOUNT AD_ACCOUNT_LINKED AUTH_INTL_PRICE_ELIGIBILITY_UPDATE BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE MM_LITE_TERMS_SIGNED VOLUME_BASED_PRICING_TIER_UPDATE";
const PARTNER_EVENTS =
  "PARTNER_ADDED PARTNER_REMOVED PARTNER_APP_INSTALLED PARTNER_APP_UNINSTALLED PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE";

const ACCOUNT_DETAILS: Record<string, Json> = {
  ACCOUNT_VIOLATION: { violation_info: { violation_type: "SCAM", remediation: "Stop/appeal" } },
  ACCOUNT_RESTRICTION: {
    restriction_info: [{ restriction_type: "RESTRICTED_BIZ_INITIATED_MESSAGING", expiration: 1893456000 }],
  },
  DISABLED_UPDATE: { ban_info: { waba_ban_state: "SCHEDULE_FOR_DISABLE", waba_ban_date: "December 1, 2026" } },
  ACCOUNT_OFFBOARDED: { disconnection_info: { reason: "PRIMARY_INACTIVITY", initiated_by: "SYSTEM" } },
  VOLUME_BASED_PRICING_TIER_UPDATE: {
    volume_tier_info: {
      tier_update_time: 1793456000,
      pricing_category: "UTILITY",
      tier: "250000:750000",
      effective_month: "2026-11",
      region: "Rest of Africa",
    },
  },
};

/** Every field whose value is one event, and the values it takes. */
const EVENTS: Record<string, Values> = {
  account_update: each("event", ACCOUNT_EVENTS, nothing, ACCOUNT_DETAILS),
  account_alerts: (s) =>
    ["BUSINESS CRITICAL", "PHONE_NUMBER WARNING", "CURRENT_STATUS_ID INFORMATIONAL"].map((pair) => {
      const [entity_type, alert_severity] = pair.split(" ");
      const alert_info = { alert_severity, alert_status: "ACTIVE", alert_type: "OBA_APPROVED", alert_description: "…" };
      return { entity_type, entity_id: scene.digits(s), alert_info };
    }),
  account_review_update: each("decision", "APPROVED REJECTED PENDING DEFERRED", nothing),
  account_settings_update: once((s) => ({
    type: "phone_number_settings",
    phone_number_settings: { phone_number_id: s.phone.phone_number_id, calling: { status: "ENABLED" } },
  })),
  business_capability_update: (s) => [
    { max_daily_conversations_per_business: s.random.between(250, 10_000), max_phone_numbers_per_business: 20 },
    { max_daily_conversations_per_business: "TIER_UNLIMITED", max_phone_numbers_per_waba: 25 },
  ],
  phone_number_quality_update: each(
    "event",
    "ONBOARDING THROUGHPUT_UPGRADE UPGRADE DOWNGRADE FLAGGED UNFLAGGED",
    display,
    {
      UPGRADE: { old_limit: "TIER_2K", current_limit: "TIER_10K" },
      DOWNGRADE: { max_daily_conversations_per_business: "TIER_250" },
    },
  ),
  phone_number_name_update: each("decision", "APPROVED REJECTED DEFERRED PENDING", display, {
    APPROVED: { requested_verified_name: "EasyMO / Kigali", rejection_reason: null },
    REJECTED: { requested_verified_name: "WhatsApp", rejection_reason: "NAME_EMPLOYEE_ISSUE" },
  }),
  message_template_status_update: each(
    "event",
    "APPROVED ARCHIVED DELETED DISABLED FLAGGED IN_APPEAL LIMIT_EXCEEDED LOCKED PAUSED PENDING REINSTATED PENDING_DELETION REJECTED",
    (s) => ({ ...template(s), message_template_category: "UTILITY", reason: null }),
    {
      PAUSED: { other_info: { title: "FIRST_PAUSE", description: "3 h" } },
      DISABLED: { other_info: { title: "DISABLED" }, disable_info: { disable_date: "2026-11-01" } },
      REJECTED: { reason: "INCORRECT_CATEGORY", rejection_info: { reason: "…", recommendation: "…" } },
    },
  ),
  message_template_quality_update: each("new_quality_score", "GREEN YELLOW RED UNKNOWN", (s) => ({
    previous_quality_score: s.random.pick(["GREEN", "YELLOW"]),
    ...template(s),
  })),
  message_template_components_update: once((s) => ({
    ...template(s),
    message_template_title: "Igihe",
    message_template_element: "Muraho {{1}}, {{2}} RWF",
    message_template_footer: "EasyMO",
    message_template_buttons: [{
      message_template_button_type: "URL",
      message_template_button_url: "https://e.example/{{1}}",
    }],
  })),
  template_category_update: (s) => [
    {
      ...template(s),
      correct_category: "MARKETING",
      new_category: "UTILITY",
      category_update_timestamp: s.now + scene.DAY,
    },
    { ...template(s), previous_category: "UTILITY", new_category: "MARKETING" },
  ],
  template_correct_category_detection: once((s) => ({
    ...template(s),
    category: "UTILITY",
    correct_category: "MARKETING",
  })),
  flows: each(
    "event",
    "FLOW_STATUS_CHANGE CLIENT_ERROR_RATE ENDPOINT_ERROR_RATE ENDPOINT_LATENCY ENDPOINT_AVAILABILITY FLOW_VERSION_EXPIRY_WARNING",
    (s) => ({ message: "Flow changed", flow_id: scene.digits(s) }),
    {
      FLOW_STATUS_CHANGE: { old_status: "DRAFT", new_status: "PUBLISHED" },
      ENDPOINT_LATENCY: { p90_latency: 4200, threshold: 3000, alert_state: "ACTIVATED" },
      CLIENT_ERROR_RATE: { errors: [{ error_type: "INVALID_SCREEN", error_rate: 0.14, error_count: 3 }] },
    },
  ),
  business_username_update: each("status", "approved deleted reserved", display, {
    approved: { username: "easymo.rw" },
  }),
  business_username_updates: each("status", "approved", display, { approved: { username: "easymo.rw" } }),
  messaging_handovers: (s) =>
    ["control_passed", "control_taken"].map((type) => ({
      sender: { phone_number: "250788000321" },
      recipient: { phone_number_id: s.phone.phone_number_id },
      type,
      timestamp: String(s.now - 4 * scene.DAY),
      [type]: { previous_owner_role: "primary", new_owner_role: "secondary", metadata: s.random.token(12) },
    })),
  automatic_events: once((s) => ({
    ...scene.product(s),
    automatic_events: [{ id: scene.wamid(s), event_name: "Purchase" }],
  })),
  security: each("event", "PIN_CHANGED PIN_RESET_REQUEST PIN_REQUEST_SUCCESS", display, {
    PIN_CHANGED: { requester: "61555822107539" },
  }),
  payment_configuration_update: once(() => ({ configuration_name: "momo", provider_name: "upi", status: "Active" })),
  tracking_events: once((s) => ({ ...scene.product(s), events: [{ name: "view", id: scene.wamid(s) }] })),
  consumer_profile: once((s) => ({ profile: s.random.token(8) })),
  business_status_update: each("event", "COMPROMISED RESTORED", nothing),
};

/** One delivery for one to three of a field's values. */
function updates(field: string, values: Values, id?: string): Scenario {
  return (s) => {
    const changes = values(s).map((value) => {
      const at = typeof value.timestamp === "string" ? Number(value.timestamp) : undefined;
      return whole(field, value, { kind: "event", at });
    });
    const drafts = [];
    while (changes.length > 0) drafts.push(envelope(entry(s, changes.splice(0, s.random.between(1, 3)), { id })));
    return drafts;
  };
}

const partners = each(
  "event",
  PARTNER_EVENTS,
  (s) => ({ waba_info: { waba_id: s.phone.waba_id, owner_business_id: PORTFOLIO } }),
);

/** What Meta tells about the account, its numbers and its templates. The entry of a partner's event is a portfolio. */
export const ACCOUNT_SCENARIOS: Record<string, Scenario> = {
  ...table("all of", EVENTS, (values, field) => updates(field, values)),
  "account_update of partners": updates("account_update", partners, PORTFOLIO),
  "partner_solutions": updates(
    "partner_solutions",
    each(
      "event",
      "SOLUTION_CREATED SOLUTION_UPDATED",
      (s) => ({ solution_id: scene.digits(s), solution_status: "ACTIVE" }),
    ),
    PORTFOLIO,
  ),
};

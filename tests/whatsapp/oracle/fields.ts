import type { Kind } from "../corpus/delivery.ts";

const MESSAGES: Record<string, Kind> = {
  messages: "message",
  statuses: "status",
  errors: "event",
  user_actions: "event",
};
const GROUPS: Record<string, Kind> = { groups: "event" };
const ECHOES: Record<string, Kind> = { message_echoes: "echo" };

const ARRAYS: Record<string, Record<string, Kind>> = {
  messages: MESSAGES,
  standby: MESSAGES,
  calls: { calls: "event", statuses: "event", errors: "event" },
  history: { history: "event", messages: "history", message_echoes: "echo" },
  smb_message_echoes: ECHOES,
  message_echoes: ECHOES,
  smb_app_state_sync: { state_sync: "event" },
  user_preferences: { user_preferences: "event" },
  user_id_update: { user_id_update: "event" },
  group_lifecycle_update: GROUPS,
  group_participants_update: GROUPS,
  group_settings_update: GROUPS,
  group_status_update: GROUPS,
};

/** The arrays whose elements are items, by field. */
export const EXPLODED = new Map<unknown, Record<string, Kind>>(Object.entries(ARRAYS));

const ACCOUNT = `
  account_update account_alerts account_review_update account_settings_update business_capability_update
  phone_number_quality_update phone_number_name_update message_template_status_update message_template_quality_update
  message_template_components_update template_category_update template_correct_category_detection flows
  business_username_update business_username_updates messaging_handovers automatic_events security partner_solutions
  payment_configuration_update tracking_events consumer_profile business_status_update`;

/** The fields whose value is one event. */
export const EVENTS = new Set<unknown>(ACCOUNT.trim().split(/\s+/));

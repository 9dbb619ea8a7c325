import { type Element, envelope, exploded, type Json } from "./delivery.ts";
import { moved, PEOPLE, type Person } from "./people.ts";
import * as scene from "./scene.ts";
import { entry, type Scenario, type Scene } from "./scene.ts";

type Maker = (s: Scene, person: Person, at: number) => Json;

/** A change with one element, which carries its own time. */
function single(field: string, collection: string, make: Maker, contact?: (person: Person) => Json): Scenario {
  return (s) => {
    const at = scene.recent(s);
    const person = s.random.pick(PEOPLE.slice(-5));
    const element: Element = { collection, json: make(s, person, at), claim: { kind: "event", at } };
    const contacts = contact && { contacts: [contact(person)] };
    return envelope(entry(s, exploded(field, { ...scene.product(s), ...contacts }, [element])));
  };
}

function preference(value: string): Scenario {
  const contact = ({ name, wa_id, user_id }: Person) => ({ profile: { name }, wa_id, user_id });
  return single("user_preferences", "user_preferences", (s, { wa_id, user_id }, timestamp) => ({
    ...s.random.pick([{ wa_id }, { user_id }, { wa_id, user_id }]),
    detail: `User requested to ${value} marketing messages`,
    category: "marketing_messages",
    value,
    ...(value === "signup" && { signup_id: s.random.token(16) }),
    timestamp,
  }), contact);
}

/** Each type of group webhook, by field. */
const GROUPS: Record<string, Record<string, Json>> = {
  group_lifecycle_update: {
    group_create: { subject: "Moto / Kimironko", invite_link: "https://chat.whatsapp.com/x" },
    group_delete: {},
  },
  group_participants_update: {
    group_participants_add: { added_participants: [{ wa_id: "250788000110" }], reason: "invite_link" },
    group_participants_remove: {
      initiated_by: "business",
      removed_participants: [{ wa_id: "250788000111" }],
      failed_participants: [{ input: "250788000112", errors: [{ code: 131206 }] }],
    },
    group_join_request_created: { join_request_id: "1" },
    group_join_request_revoked: { join_request_id: "1" },
  },
  group_settings_update: {
    group_settings_update: { group_subject: { text: "Umurenge", update_successful: true }, errors: [{ code: 131000 }] },
  },
  group_status_update: { group_suspend: {}, group_suspend_cleared: {} },
};

/** Who the users are and what they want: preferences, new user ids, groups. */
export const CONTACT_SCENARIOS: Record<string, Scenario> = {
  "user_preferences stop": preference("stop"),
  "user_preferences resume": preference("resume"),
  "user_preferences signup": preference("signup"),
  "user_id_update": single(
    "user_id_update",
    "user_id_update",
    (_, person, at) => ({
      wa_id: moved(person).wa_id,
      detail: "User changed number",
      user_id: { previous: person.user_id, current: moved(person).user_id },
      parent_user_id: { previous: person.parent_user_id, current: moved(person).parent_user_id },
      timestamp: String(at),
    }),
    (person) => ({ wa_id: moved(person).wa_id, user_id: moved(person).user_id }),
  ),
  ...Object.fromEntries(
    Object.entries(GROUPS).flatMap(([field, types]) =>
      Object.entries(types).map(([type, extra]) => [
        `${field} ${type}`,
        single(field, "groups", (s, _, at) => ({
          timestamp: String(at),
          group_id: s.random.token(24),
          type,
          request_id: s.random.token(12),
          ...extra,
        })),
      ])
    ),
  ),
};

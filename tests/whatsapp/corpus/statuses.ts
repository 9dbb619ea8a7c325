import { type Claim, type Draft, type Element, envelope, type Json } from "./delivery.ts";
import { inbound, post } from "./messages.ts";
import { named, PEOPLE, type Person } from "./people.ts";
import * as scene from "./scene.ts";
import { entry, type Scenario, type Scene, someone, table } from "./scene.ts";

const ERRORS: Record<number, string> = {
  130472: "User's number is part of an experiment",
  131000: "Something went wrong",
  131026: "Message undeliverable",
  131047: "Re-engagement message",
  131049: "This message was not delivered to maintain healthy ecosystem engagement",
  131050: "User has stopped marketing messages",
  131053: "Media upload error",
  132015: "Template is paused",
};

type Options = Partial<Claim> & { id?: string; recipient?: scene.Named; bare?: boolean; extra?: Json };

/** One element of `statuses`; `bare` leaves the recipient out of it. */
export function status(s: Scene, name: string, options: Options = {}): Element {
  const { id = scene.wamid(s), recipient = someone(s), bare, extra = {}, at = scene.recent(s), ...claim } = options;
  return {
    collection: "statuses",
    json: {
      id,
      status: name,
      timestamp: scene.stamp(s, at),
      ...(!bare && named("recipient", recipient.identity)),
      ...extra,
    },
    claim: { kind: "status", at, ...claim },
    contact: scene.contactOf(s, recipient),
  };
}

function pricing(category: string, type: string): Json {
  return { pricing: { billable: type === "regular", pricing_model: "PMP", type, category } };
}

const PRICES = Object.fromEntries(
  "authentication authentication-international marketing marketing_lite service utility group_marketing group_service"
    .split(" ")
    .map((category) => [category, pricing(category, "regular")]),
);

function failure(code: number): Json {
  const title = ERRORS[code];
  const href = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/";
  return { errors: [{ code, title, message: title, error_data: { details: `${title}.` }, href }] };
}

const alone = (make: (s: Scene) => Element): Scenario => (s) => post(s, [make(s)]);

/** Several statuses of one message, a delivery each, a few seconds apart and delivered in the order given. */
function course(...names: string[]): Scenario {
  const ORDER = ["failed early", "sent", "delivered", "read", "played", "failed"];
  return (s) => {
    const shared = { id: scene.wamid(s), recipient: someone(s) };
    const start = scene.recent(s);
    return names.map((name): Draft => {
      const at = start + 3 * ORDER.indexOf(name);
      return post(s, [status(s, name.split(" ")[0]!, { ...shared, at })]);
    });
  };
}

/** One message to a group: the members named each in `forms`' way, all with the same id and status. */
function group(forms: ((member: Person) => Json)[]): Scenario {
  return (s) => {
    const id = scene.wamid(s);
    const members = s.random.shuffle(PEOPLE);
    const recipient = { recipient_id: s.random.token(24), recipient_type: "group" };
    const at = scene.recent(s);
    const changes = ["delivered", "read"].map((name, later) =>
      inbound(
        s,
        forms.map((form, index) => {
          const extra = { ...recipient, ...form(members[index]!) };
          return { ...status(s, name, { id, bare: true, at: at + later, extra }), contact: undefined };
        }),
      )
    );
    return envelope(entry(s, changes));
  };
}

/** Statuses: prices, failures, recipients, groups and every awkward order. */
export const STATUS_SCENARIOS: Record<string, Scenario> = {
  ...table(
    "sent",
    PRICES,
    (price) => alone((s) => status(s, "sent", { extra: { biz_opaque_callback_data: s.random.token(36), ...price } })),
  ),
  ...table("failed", ERRORS, (_, code) =>
    alone((s) => {
      const options = { recipient: someone(s, "phone"), extra: failure(Number(code)) };
      return { ...status(s, "failed", options), contact: undefined };
    })),
  "failed with a contact of a number only": alone((s) => {
    const recipient = someone(s, "phone");
    return { ...status(s, "failed", { recipient, extra: failure(131026) }), contact: { ...recipient.identity } };
  }),
  "delivered free": alone((s) => status(s, "delivered", { extra: pricing("service", "free_customer_service") })),
  "sent in a free entry point": alone((s) =>
    status(s, "sent", {
      extra: {
        conversation: {
          id: s.random.token(32),
          expiration_timestamp: String(s.now + scene.DAY),
          origin: { type: "referral_conversion" },
        },
        ...pricing("referral_conversion", "free_entry_point"),
      },
    })
  ),
  "read without delivered": alone((s) => status(s, "read", { extra: { recipient_identity_key_hash: "DF2lS5v2W6x=" } })),
  "played": alone((s) => status(s, "played")),
  "recipient by user id": alone((s) => status(s, "delivered", { recipient: someone(s, "user_id") })),
  "recipient by user id and parent": alone((s) =>
    status(s, "delivered", { recipient: someone(s, "user_id_and_parent") })
  ),
  "recipient absent": alone((s) => ({ ...status(s, "sent", { bare: true }), contact: undefined })),
  "a new status": alone((s) => status(s, "pondered", { kind: "unknown" })),
  "status warning": alone((s) => status(s, "warning", { kind: "unknown" })),
  "the whole course": course("sent", "delivered", "read", "played"),
  "an older status after a newer": course("read", "delivered", "sent"),
  "played before delivered": course("played", "delivered"),
  "failed after sent": course("sent", "failed"),
  "failed after delivered": course("sent", "delivered", "failed"),
  "failed after read": course("read", "failed"),
  "delivered after failed": course("failed early", "delivered"),
  "sent after failed": course("failed", "sent"),
  "group by number": group([
    ({ wa_id }) => ({ recipient_participant_id: wa_id }),
    ({ wa_id }) => ({ recipient_participant_id: wa_id }),
    ({ wa_id, user_id }) => ({ recipient_participant_id: wa_id, recipient_participant_user_id: user_id }),
  ]),
  "group by user id": group([
    ({ user_id }) => ({ recipient_participant_user_id: user_id }),
    ({ user_id }) => ({ recipient_participant_user_id: user_id }),
  ]),
  "group in the other spelling": group([
    ({ wa_id }) => ({ participant_recipient_id: wa_id }),
    ({ wa_id, user_id }) => ({ participant_recipient_id: wa_id, recipient_participant_user_id: user_id }),
  ]),
};

/**
 * The oracle of the WhatsApp inbound path: what each delivery contains and what must become of it. It is written from
 * Meta's pages and our rules alone and shares no code with the system.
 */
export { expectedItems } from "./oracle/items.ts";
export { canonical } from "./oracle/json.ts";
export {
  type ExpectedEvent,
  type ExpectedMessage,
  type ExpectedStatus,
  type ExpectedStore,
  expectedStore,
} from "./oracle/store.ts";

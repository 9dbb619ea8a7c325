import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import type { Sql } from "postgres";
import { LOCAL_KEYS } from "../stack/development.ts";
import { Phone, until } from "./phone.ts";

/** Where the story is told: a running stack. */
export interface Stage {
  apiUrl: string;
  /** As the owner of the database: sets the stage and looks behind it. */
  sql: Sql;
  /** Says what happens. */
  tell: (line: string) => void;
  /** What lets the payer's provider decide, once the trip has ended; by default it does by itself. */
  letPay?: () => Promise<void>;
}

/** A driver of the story: at a phone with WhatsApp, and signed in to our app. */
export interface Driver {
  id: string;
  phone: Phone;
  app: SupabaseClient;
}

/** Where the story takes place: near Huye, a little elsewhere each time so that no other driver comes in between. */
export function places(): { pickup: [number, number]; dropoff: [number, number] } {
  const [lat, lng] = [-2.5 - Math.random() / 2, 29.5 + Math.random() / 2];
  return { pickup: [lat, lng], dropoff: [lat + 0.02, lng + 0.02] };
}

/** A phone with a number that nobody else has. */
export function newPhone({ apiUrl, sql }: Stage, name: string): Phone {
  const number = `2507881${String(crypto.getRandomValues(new Uint32Array(1))[0]! % 100_000).padStart(5, "0")}`;
  return new Phone(number, name, `${apiUrl}/functions/v1/whatsapp-webhook`, sql);
}

/** An approved moto driver who is online at a place. */
export async function enlist(stage: Stage, name: string, plate: string, [lat, lng]: [number, number]): Promise<Driver> {
  const { sql } = stage;
  const phone = newPhone(stage, name);
  const app = await signIn(stage, phone);
  const { data } = await app.auth.getUser();
  const [profile] = await sql`
    insert into public.profiles (user_id, phone, full_name) values (${data.user!.id}, ${`+${phone.number}`}, ${name})
    returning id`;
  const id: string = profile!.id;
  await rpc(app, "apply_driver", { vehicle_type: "moto", plate });
  await sql`select public.set_driver_state(${id}, 'approved')`;
  await rpc(app, "set_driver_online", { is_online: true });
  await rpc(app, "report_driver_position", { lat, lng });
  return { id, phone, app };
}

/** Calls a function of the database as somebody; throws what it refuses with. */
export async function rpc(app: SupabaseClient, name: string, args: Record<string, unknown>): Promise<unknown> {
  const { data, error } = await app.rpc(name, args);
  if (error) throw error;
  return data;
}

/** Waits for a row. */
export async function untilRow(what: string, ask: () => PromiseLike<readonly unknown[]>) {
  return await until(what, async () => (await ask())[0] as Record<string, unknown> | undefined);
}

async function signIn({ apiUrl }: Stage, { number, name }: Phone): Promise<SupabaseClient> {
  const quiet = { auth: { persistSession: false, autoRefreshToken: false } };
  const office = createClient(apiUrl, LOCAL_KEYS.secretKey, quiet);
  const person = { phone: `+${number}`, password: crypto.randomUUID() };
  const made = await office.auth.admin.createUser({ ...person, phone_confirm: true, user_metadata: { name } });
  if (made.error) throw made.error;
  const app = createClient(apiUrl, LOCAL_KEYS.publishableKey, quiet);
  const { error } = await app.auth.signInWithPassword(person);
  if (error) throw error;
  return app;
}

import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../support/database.ts";

const database = await createTestDatabase();

const PREDECESSOR = `
  create schema old;
  create table old.stops (phone text, stopped_at timestamptz);
  create table old.profiles (id uuid, phone text, full_name text, locale text);
  create table old.drivers (profile_id uuid, vehicle_type text, plate text);
  create table old.places (profile_id uuid, label text, lat float8, lng float8);
  insert into old.stops values ('+250788000041', '2026-10-01'), ('250788000042', null);
  insert into old.profiles values
    ('00000000-0000-7000-8000-000000000041', '+250788000041', 'Aline', 'rw'),
    ('00000000-0000-7000-8000-000000000043', '+250788000043', 'Jean', 'de'),
    ('00000000-0000-7000-8000-000000000044', '0788000044', 'Nobody', 'rw');
  insert into old.drivers values ('00000000-0000-7000-8000-000000000043', 'moto', 'RA 123 B');
  insert into old.places values ('00000000-0000-7000-8000-000000000041', 'Home', -1.95, 30.06)`;

Deno.test(
  "the guide's SQL moves stops, people, drivers and places, once however often it is run",
  rolledBack(database, async (sql) => {
    const page = await Deno.readTextFile("docs/migrating.md");
    const blocks = [...page.matchAll(/^```sql\n([\s\S]*?)^```/gm)].map(([, block]) => block!);
    await sql.unsafe(PREDECESSOR);
    await sql`select set_config('request.jwt.claims', '{"role": "service_role"}', true)`;

    for (const block of [...blocks, ...blocks]) await sql.unsafe(block);

    const [found] = await sql`
      select
        (select count(*)::int from public.whatsapp_consents where evidence like 'predecessor %') as stops,
        (select array_agg(full_name || ' ' || locale order by phone) from public.profiles where phone in ('+250788000041', '+250788000043')) as people,
        (select count(*)::int from public.drivers where profile_id = '00000000-0000-7000-8000-000000000043') as drivers,
        (select count(*)::int from public.locations where owner_id = '00000000-0000-7000-8000-000000000041') as places`;
    assertEquals({ ...found }, { stops: 2, people: ["Aline rw", "Jean rw"], drivers: 1, places: 1 });
  }),
);

Deno.test(
  "a stop that was moved holds for its person, who becomes known only later",
  rolledBack(database, async (sql) => {
    const page = await Deno.readTextFile("docs/migrating.md");
    await sql.unsafe(PREDECESSOR);
    await sql.unsafe(page.match(/## Stops[\s\S]*?^```sql\n([\s\S]*?)^```/m)![1]!);

    const [contact] = await sql`select private.whatsapp_contact_for('wa_id', '250788000041') as id`;

    const [consent] = await sql`select to_jsonb(private.whatsapp_consent_of(${contact!.id})) as told`;
    assertEquals(Object.values(consent!.told).filter((value) => value === "stop").length, 2);
  }),
);

import { assert, assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { refusalOf } from "../events/events.ts";
import { asUser, createUser } from "../foundation/people.ts";
import { claim, createEndpoint, deliveriesOf, type Endpoint, endpointOf, happened } from "./webhooks.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

async function rotate(sql: TransactionSql, { id }: Endpoint, overlapSeconds = 86_400): Promise<string> {
  const [row] = await sql`select public.rotate_webhook_secret(${id}, ${overlapSeconds}) ->> 'secret' as secret`;
  return row!.secret;
}

/** The secrets that sign what is sent now. */
async function signing(sql: TransactionSql, { id }: Endpoint): Promise<string[]> {
  const [row] = await sql`select private.webhook_secrets_of(${id}) as secrets`;
  return row!.secrets;
}

test("create_webhook_endpoint() shows a secret of 32 random bytes once", async (sql) => {
  const endpoint = await createEndpoint(sql);

  const [listed] = await sql`select * from public.list_webhook_endpoints()`;
  assertEquals(endpoint.secret.slice(0, 6), "whsec_");
  assertEquals(atob(endpoint.secret.slice(6)).length, 32);
  assertEquals([listed!.id, JSON.stringify(listed).includes(endpoint.secret)], [endpoint.id, false]);
});

test("a copy of our tables holds no secret: only the Vault does, and not in clear", async (sql) => {
  const endpoint = await createEndpoint(sql);
  await happened(sql);
  const tables = await sql<{ name: string }[]>`
    select c.oid::regclass::text as name from pg_class as c
    where c.relkind = 'r' and c.relnamespace in ('public'::regnamespace, 'private'::regnamespace, 'partitions'::regnamespace, 'vault'::regnamespace)`;

  for (const { name } of tables) {
    const found = await sql.unsafe(`select from ${name} as kept where strpos(kept::text, $1) > 0`, [
      endpoint.secret.slice(6),
    ]);
    assertEquals([name, found.length], [name, 0]);
  }
});

for (
  const url of [
    "https://hooks.example.com",
    "https://hooks.example.com/easymo?tenant=1",
    "https://hooks.example.com:8443/x",
    "https://xn--bcher-kva.example/",
    "HTTPS://Hooks.Example.Com/x",
    "http://127.0.0.1:8080/hook",
    "http://localhost:8080",
  ]
) {
  test(`an endpoint may be ${url}`, async (sql) => {
    const { id } = await createEndpoint(sql, { url });

    assertEquals((await sql`select url from public.webhook_endpoints where id = ${id}`)[0]!.url, url);
  });
}

for (
  const url of [
    "http://hooks.example.com/",
    "ftp://hooks.example.com/",
    "hooks.example.com",
    "https://user:secret@hooks.example.com/",
    "https://hooks.example.com\\@evil.example/",
    "https://hooks.example.com/#fragment",
    "https://hooks.example.com/a b",
    "https://hooks.example.com/\u00e9",
    "https://intranet/",
    "https://metadata.google.internal/",
    "https://db.svc.local/",
    "https://10.0.0.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0x7f.0x1/",
    "https://[::1]/",
    "https://hooks.example.com./",
    "http://127.0.0.1/",
    "http://127.0.0.2:80/",
    "http://127.0.0.1:80@evil.example/",
    "http://localhost:80.evil.example/",
    `https://hooks.example.com/${"x".repeat(2048)}`,
  ]
) {
  test(`an endpoint may not be ${url.slice(0, 60)}`, async (sql) => {
    const refusal = await refusalOf(sql, (inner) => createEndpoint(inner, { url }));

    assertEquals(refusal, ["invalid_argument", { argument: "url" }]);
  });
}

for (
  const event_types of [[], ["payment"], ["wallet.*"], ["payment.*", null], ["*.succeeded"], ["payment.Succeeded"]]
) {
  test(`an endpoint may not ask for ${JSON.stringify(event_types)}`, async (sql) => {
    const refusal = await refusalOf(sql, (inner) => createEndpoint(inner, { event_types }));

    assertEquals(refusal, ["invalid_argument", { argument: "event_types" }]);
  });
}

test("the same address is registered once for each owner", async (sql) => {
  const url = "https://hooks.example.com/once";
  const [profile] = await sql`insert into public.profiles (locale) values ('rw') returning id`;
  await createEndpoint(sql, { url });
  await createEndpoint(sql, { url, profile_id: profile!.id });

  const [code] = await refusalOf(sql, (inner) => createEndpoint(inner, { url }));

  assertEquals(code, "webhook_endpoint_exists");
});

const CALLS: Record<string, (sql: TransactionSql, id: string) => Promise<unknown>> = {
  create: (sql) => createEndpoint(sql),
  update: (sql, id) => sql`select public.update_webhook_endpoint(${id}, description => 'Books')`,
  rotate: (sql, id) => sql`select public.rotate_webhook_secret(${id})`,
  disable: (sql, id) => sql`select public.disable_webhook_endpoint(${id})`,
  enable: (sql, id) => sql`select public.enable_webhook_endpoint(${id})`,
  list: (sql) => sql`select public.list_webhook_endpoints()`,
  list_deliveries: (sql, id) => sql`select public.list_webhook_deliveries(${id})`,
  test: (sql, id) => sql`select public.send_test_webhook(${id})`,
  replay: (sql, id) => sql`select public.replay_webhook_deliveries(${id}, now())`,
  delete: (sql, id) => sql`select public.delete_webhook_endpoint(${id})`,
};
const OPERATOR = { app_metadata: { role: "operator" } };

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name} is for registered operators: a token alone is not enough`, async (sql) => {
    const { id } = await createEndpoint(sql);
    const [user, claimant, operator] = [await createUser(sql), await createUser(sql), await createUser(sql)];
    await sql`insert into private.operators (user_id, reason) values (${operator}, 'webhooks')`;

    const codes = [
      await asUser(sql, user, (client) => refusalOf(client, (inner) => call(inner, id))),
      await asUser(sql, claimant, (client) => refusalOf(client, (inner) => call(inner, id)), OPERATOR),
    ].map(([code]) => code);
    await asUser(sql, operator, (client) => call(client, id), OPERATOR);

    assertEquals(codes, ["operator_required", "operator_required"]);
  });

  if (name === "create" || name === "list") continue;
  test(`${name} refuses an endpoint that does not exist`, async (sql) => {
    assertEquals((await refusalOf(sql, (inner) => call(inner, crypto.randomUUID())))[0], "webhook_endpoint_not_found");
  });
}

test("a rotation lets both secrets sign for its overlap, the new one first", async (sql) => {
  const endpoint = await createEndpoint(sql);
  await happened(sql);

  const next = await rotate(sql, endpoint);

  assertEquals(await signing(sql, endpoint), [next, endpoint.secret]);
  assertEquals((await claim(sql))[0]!.secrets, [next, endpoint.secret]);
});

test("two secrets sign at most, however often one rotates", async (sql) => {
  const endpoint = await createEndpoint(sql);

  const second = await rotate(sql, endpoint);
  const third = await rotate(sql, endpoint);

  assertEquals(await signing(sql, endpoint), [third, second]);
});

test("a rotation without overlap ends the secret that has leaked at once", async (sql) => {
  const endpoint = await createEndpoint(sql);

  const next = await rotate(sql, endpoint, 0);

  assertEquals(await signing(sql, endpoint), [next]);
});

test("secrets leave the Vault when their overlap is over, and with their endpoint", async (sql) => {
  const kept = async () => (await sql`select from vault.secrets where description like 'Signs webhooks%'`).length;
  const endpoint = await createEndpoint(sql);
  await rotate(sql, endpoint, 0);

  const before = await kept();
  const [purged] = await sql`select private.purge_webhook_secrets() as count`;
  const between = await kept();
  await sql`select public.delete_webhook_endpoint(${endpoint.id})`;

  assertEquals([before, purged!.count, between, await kept()], [2, 1, 1, 0]);
});

test("update_webhook_endpoint() changes what is given and nothing else", async (sql) => {
  const endpoint = await createEndpoint(sql, { description: "Books" });

  await sql`select public.update_webhook_endpoint(${endpoint.id}, event_types => '{refund.*}')`;

  const { event_types, description, status } = await endpointOf(sql, endpoint);
  assertEquals([event_types, description, status], [["refund.*"], "Books", "enabled"]);
});

test("a new address begins well, whatever the old one was", async (sql) => {
  const endpoint = await createEndpoint(sql);
  await sql`update public.webhook_endpoints set failing_from = now() - interval '4 days', paused_until = now() + interval '1 day'`;

  await sql`select public.update_webhook_endpoint(${endpoint.id}, url => 'https://hooks.example.com/new')`;
  await happened(sql);

  assertEquals([(await claim(sql)).length, (await endpointOf(sql, endpoint)).failing_from], [1, null]);
});

test("a disabled endpoint is sent nothing, and what waits for it is cancelled", async (sql) => {
  const endpoint = await createEndpoint(sql);
  const before = await happened(sql);

  await sql`select public.disable_webhook_endpoint(${endpoint.id})`;
  await happened(sql);
  const claimed = await claim(sql);
  await sql`select private.cancel_webhook_deliveries(100)`;

  assertEquals(claimed, []);
  assertEquals((await deliveriesOf(sql, endpoint)).map(({ event_id, state }) => [event_id, state]), [[
    before,
    "cancelled",
  ]]);
  const { disabled_reason } = await endpointOf(sql, endpoint);
  assertEquals(disabled_reason, "operator");
});

test("an endpoint that is enabled again starts afresh", async (sql) => {
  const endpoint = await createEndpoint(sql);
  await sql`select public.disable_webhook_endpoint(${endpoint.id})`;

  await sql`select public.enable_webhook_endpoint(${endpoint.id})`;
  const eventId = await happened(sql);

  assertEquals((await claim(sql)).map(({ event_id }) => event_id), [eventId]);
  const { disabled_reason, disabled_at, failing_from } = await endpointOf(sql, endpoint);
  assertEquals([disabled_reason, disabled_at, failing_from], [null, null, null]);
});

test("deleting an endpoint cancels what waits for it, whoever is sending it", async (sql) => {
  const endpoint = await createEndpoint(sql);
  await happened(sql);
  await happened(sql);
  await claim(sql, 1);

  await sql`select public.delete_webhook_endpoint(${endpoint.id})`;

  const left = await sql`select state from public.webhook_delivery_history where endpoint_id = ${endpoint.id}`;
  assertEquals(left.map(({ state }) => state), ["cancelled", "cancelled"]);
  assert(await claim(sql).then((claimed) => claimed.length === 0));
});

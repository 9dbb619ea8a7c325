import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { readOptions } from "../../scripts/stack/options.ts";
import { connect, SUPERUSER, urlOf } from "../../scripts/stack/connection.ts";
import { dataFolder } from "../../scripts/stack/data_folder.ts";
import { freePort } from "../../scripts/stack/port.ts";
import { StackError } from "../../scripts/stack/stack_error.ts";
import { deliver } from "../../scripts/fakes/graph/deliver.ts";
import { LOCAL_KEYS } from "../../scripts/stack/development.ts";
import { messages, NUMBER, text } from "../support/deliveries.ts";
import { CHECKOUT, runScript, serversOn, type StackProcess, startStack, temporaryData } from "./stack_process.ts";
import { until } from "../support/until.ts";

/** Whether the stack takes a signed delivery, and whether it had it already. */
async function sendDelivery(stack: StackProcess, body: Uint8Array<ArrayBuffer>): Promise<[number, boolean]> {
  const answer = await deliver(fetch, `${stack.url}/functions/v1/whatsapp-webhook`, body);
  return [answer.status, (await answer.json()).is_copy];
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** What a stack that has ended may have left on a data folder. */
async function leftOn(data: string): Promise<{ servers: number[]; hasState: boolean }> {
  return { servers: await serversOn(data), hasState: await exists(join(dataFolder(data), "stack.json")) };
}

const NOTHING = { servers: [], hasState: false };

async function untilServerRuns(data: string): Promise<void> {
  await until(async () => (await serversOn(data)).length > 0, "a server runs");
}

Deno.test("a stack from its first start to its last", async (t) => {
  await using data = temporaryData();
  await using otherData = temporaryData();
  const body = messages(text());
  const start = async (check: (stack: StackProcess) => Promise<void>) => {
    await using stack = startStack(data.path);
    await stack.ready();
    await check(stack);
  };

  await t.step("it starts on an empty folder, beside another, and answers a signed delivery", async () => {
    await using other = startStack(otherData.path);
    await start(async (stack) => {
      await other.ready();

      assertMatch(stack.stdout(), /^applied 20261101000000_schemas.sql$/m);
      assertEquals(await sendDelivery(stack, body), [200, false]);
      assertEquals(await sendDelivery(other, body), [200, false]);
    });
    other.signal("SIGINT", "group");
    const { code, errors } = await other.ended;
    assertEquals([code, errors], [0, []]);
    assertEquals(await leftOn(otherData.path), NOTHING);
  });

  await t.step(
    "a second start finds its data and nothing to apply, and status prints what it printed",
    () =>
      start(async (stack) => {
        assertEquals(stack.stdout().includes("applied"), false);
        assertEquals(await sendDelivery(stack, body), [200, true]);
        const { code, stdout, errors } = await runScript("status", ["--data", data.path]);

        assertEquals([code, errors], [0, []]);
        assertMatch(stdout, new RegExp(`^API_URL="${stack.url}"$`, "m"));
        assertMatch(stdout, new RegExp(`^DB_URL="${stack.databaseUrl}"$`, "m"));
        assertEquals(stack.stdout().includes(stdout), true);
      }),
  );

  await t.step(
    "a message that is enqueued leaves, is printed, and its statuses come back",
    () =>
      start(async (stack) => {
        await sendDelivery(stack, messages(text()));
        const answer = await fetch(`${stack.url}/rest/v1/rpc/enqueue_whatsapp_message`, {
          method: "POST",
          headers: { apikey: LOCAL_KEYS.secretKey, "content-type": "application/json" },
          body: JSON.stringify({
            phone_number_id: NUMBER,
            recipient_phone: "+250788000001",
            message_type: "text",
            message_payload: { text: { body: "Murakaza neza" } },
          }),
        });

        assertEquals(answer.status, 200);
        await answer.body?.cancel();
        const sql = connect(stack.databaseUrl);
        await until(
          async () => (await sql`select from public.whatsapp_message_statuses where status = 'read'`).length > 0,
          "the message is read",
        );
        await sql.end();
        assertStringIncludes(stack.stdout(), 'whatsapp to +250788000001: text {"body":"Murakaza neza"}');
      }),
  );

  await t.step("while it runs, its folder and ports are nobody else's", () =>
    start(async (stack) => {
      const [port, databasePort] = [stack.url, stack.databaseUrl].map((url) => new URL(url).port);
      const inUse = `the data folder ${data.path} is in use by a running stack (pid ${stack.pid}): stop it first`;
      await using third = temporaryData();
      const attempts = [
        { ...await runScript("reset", ["--data", data.path]), expected: inUse },
        { ...await startStack(data.path).ended, expected: inUse },
        {
          ...await startStack(third.path, ["--port", port!]).ended,
          expected: `port ${port} (API) is taken: stop what listens there, or choose another with --port`,
        },
        {
          ...await startStack(third.path, ["--db-port", databasePort!]).ended,
          expected:
            `port ${databasePort} (database) is taken: stop what listens there, or choose another with --db-port`,
        },
      ];

      for (const { code, errors, expected } of attempts) assertEquals([code, errors], [1, [expected]]);
      assertEquals(await leftOn(third.path), NOTHING);
      assertEquals(await sendDelivery(stack, body), [200, true]);
    }));

  await t.step("after it, status says that nothing runs", async () => {
    assertEquals(await leftOn(data.path), NOTHING);
    const { code, stdout, errors } = await runScript("status", ["--data", data.path]);

    assertEquals([code, stdout, errors], [1, "", ["EasyMO Edge is not running here: start it with `deno task start`"]]);
  });

  await t.step("SIGTERM ends it although a request hangs", async () => {
    await using stack = startStack(data.path);
    await stack.ready();
    const sql = connect(stack.databaseUrl);
    await sql`begin`;
    await sql`lock table public.whatsapp_delivery_keys`;
    const hanging = sendDelivery(stack, messages(text())).catch(() => {});
    await until(async () => (await sql`select from pg_locks where not granted`).length > 0, "the request hangs");

    stack.signal("SIGTERM");

    assertEquals((await stack.ended).code, 0);
    assertEquals(await leftOn(data.path), NOTHING);
    await hanging;
    await sql.end({ timeout: 0 });
  });

  await t.step("SIGTERM before it is ready leaves nothing", async () => {
    await using stack = startStack(data.path);
    await untilServerRuns(data.path);
    stack.signal("SIGTERM");

    await stack.ended;
    assertEquals(await leftOn(data.path), NOTHING);
  });

  await t.step("killed with -9, it leaves Postgres behind, and the next start takes over", async () => {
    await using killed = startStack(data.path);
    await killed.ready();
    killed.signal("SIGKILL");
    await killed.ended;
    const [orphan] = await serversOn(data.path);
    assertEquals(typeof orphan, "number");
    assertEquals((await runScript("status", ["--data", data.path])).code, 1);

    await start(async (stack) => {
      assertEquals((await serversOn(data.path)).includes(orphan!), false);
      assertEquals(await sendDelivery(stack, body), [200, true]);
    });
  });

  await t.step("a number in postmaster.pid that is another process's by now is left alone", async () => {
    const bystander = new Deno.Command("sleep", { args: ["600"] }).spawn();
    await Deno.writeTextFile(join(data.path, "postgres/postmaster.pid"), `${bystander.pid}\n`);

    await start((stack) => sendDelivery(stack, body).then((sent) => assertEquals(sent, [200, true])));

    bystander.kill();
    assertEquals((await bystander.status).signal, "SIGTERM");
  });

  await t.step("reset empties it, even behind a killed stack", async () => {
    await using killed = startStack(data.path);
    await killed.ready();
    killed.signal("SIGKILL");
    await killed.ended;

    assertEquals((await runScript("reset", ["--data", data.path])).code, 0);

    assertEquals(await leftOn(data.path), NOTHING);
    assertEquals(await exists(join(data.path, "postgres")), false);
    assertEquals((await runScript("reset", ["--data", data.path])).code, 0);
  });
});

Deno.test("a stack on somebody's own Postgres works there and leaves it running", async () => {
  const clusterPort = Number(Deno.env.get("TEST_POSTGRES_PORT"));
  const cluster = connect(urlOf(clusterPort, "postgres", SUPERUSER));
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  await cluster.unsafe(`create database ${name}`);
  await using data = temporaryData();

  await using stack = startStack(data.path, ["--db-url", urlOf(clusterPort, name, SUPERUSER)]);
  await stack.ready();
  assertEquals(await sendDelivery(stack, messages(text())), [200, false]);
  assertMatch((await runScript("status", ["--data", data.path])).stdout, new RegExp(`^DB_URL=".*/${name}"$`, "m"));
  stack.signal("SIGTERM");
  assertEquals((await stack.ended).code, 0);

  assertEquals(await leftOn(data.path), NOTHING);
  assertEquals((await cluster`select from pg_database where datname = ${name}`).length, 1);
  await cluster.end();
});

const USAGE = "Usage: deno task start [--port 54321] [--db-port 54322] [--data .local] [--db-url postgresql://...]";

for (
  const [args, expected] of [
    [["--prot", "1"], `--prot is not known here. ${USAGE}`],
    [["now"], `now is not known here. ${USAGE}`],
    [["--help"], `--help is not known here. ${USAGE}`],
    [["--port", "http"], "--port needs a port, not http"],
    [["--port", "0"], "--port needs a port, not 0"],
    [["--db-port", "65536"], "--db-port needs a port, not 65536"],
    [["--port", "5000", "--db-port", "5000"], "--port and --db-port need two ports"],
    [["--data="], "--data needs a folder"],
  ] as const
) {
  Deno.test(`readOptions() refuses ${args.join(" ")}`, () => {
    assertEquals(assertThrows(() => readOptions([...args]), StackError).message, expected);
  });
}

Deno.test("what the user can mend is said in one line", async (t) => {
  await using data = temporaryData();
  await Deno.mkdir(join(data.path, "closed"), { recursive: true });
  await Deno.chmod(join(data.path, "closed"), 0o500);
  const file = join(data.path, "file");
  await Deno.writeTextFile(file, "");
  const nowhere = freePort();
  const lesser = urlOf(Number(Deno.env.get("TEST_POSTGRES_PORT")), "postgres", "postgres");
  const mistakes: ["start" | "status" | "reset", string[], string][] = [
    ["start", ["-v"], `-v is not known here. ${USAGE}`],
    ["status", ["-v"], `-v is not known here. ${USAGE}`],
    ["reset", ["-v"], `-v is not known here. ${USAGE}`],
    ["start", ["--data", file], `the data folder ${file} is not usable: `],
    ["start", ["--data", join(file, "below")], `the data folder ${file}/below is not usable: `],
    ["start", ["--db-url", "nonsense"], "the database of --db-url cannot be used: "],
    ["start", ["--db-url", urlOf(nowhere)], "the database of --db-url cannot be used: connect ECONNREFUSED"],
    ["start", ["--db-url", lesser], "the database of --db-url cannot be used: it takes a superuser to make roles"],
    ["reset", ["--db-url", lesser], "reset empties only the local database, never one given with --db-url"],
  ];
  const closed = join(data.path, "closed/data");
  if (Deno.uid() !== 0) mistakes.push(["start", ["--data", closed], `the data folder ${closed} is not usable: `]);

  for (const [script, args, expected] of mistakes) {
    await t.step(`${script} ${args.join(" ")}`, async () => {
      const usual = ["--port", `${freePort()}`, "--db-port", `${freePort()}`, "--data", join(data.path, "data")];

      const { code, stdout, errors } = await runScript(script, [...usual, ...args]);

      assertEquals([code, stdout, errors.length], [1, "", 1]);
      assertStringIncludes(errors[0]!, expected);
    });
  }
});

/** A copy of what `deno task start` needs, in a folder that only its owner can enter, as root's home is. */
async function closedCheckout(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  for (const part of ["deno.json", "deno.lock", "scripts", "shared", "supabase"]) {
    await run("cp", "-R", join(CHECKOUT, part), path);
  }
  // Hard links where that is possible: packages are large.
  const packages = join(CHECKOUT, "node_modules");
  await run("cp", "-al", packages, path).catch(() => run("cp", "-R", packages, path));
  return {
    path,
    async [Symbol.asyncDispose]() {
      await Deno.remove(dataFolder(join(path, ".local")), { recursive: true }).catch(() => {});
      await Deno.remove(path, { recursive: true });
    },
  };
}

async function run(command: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

Deno.test("a stack in a folder that only its owner can enter", async (t) => {
  await using checkout = await closedCheckout();
  const data = join(checkout.path, ".local");

  await t.step("it starts there, as root too, and answers a signed delivery", async () => {
    await using stack = startStack(".local", [], checkout.path);
    await stack.ready();

    assertEquals(await sendDelivery(stack, messages(text())), [200, false]);
    assertMatch((await runScript("status", [], checkout.path)).stdout, new RegExp(`^API_URL="${stack.url}"$`, "m"));
  });

  await t.step("a migration that fails is said in one line, and nothing is left running", async () => {
    await Deno.writeTextFile(
      join(checkout.path, "supabase/migrations/20990101000000_broken.sql"),
      "begin;\n\nalter table public.no_such_table add column a integer;\n\ncommit;\n",
    );

    const { code, errors } = await startStack(".local", [], checkout.path).ended;

    assertEquals([code, errors], [1, [
      '20990101000000_broken.sql:3: relation "public.no_such_table" does not exist in: alter table public.no_such_table add column a integer',
    ]]);
    assertEquals(await leftOn(data), NOTHING);
  });

  await t.step("a migration that has changed names the way out, and reset is one", async () => {
    await Deno.remove(join(checkout.path, "supabase/migrations/20990101000000_broken.sql"));
    const first = join(checkout.path, "supabase/migrations/20261101000000_schemas.sql");
    await Deno.writeTextFile(first, "create table public.changed ();\n", { append: true });

    const { code, errors } = await startStack(".local", [], checkout.path).ended;

    assertEquals([code, errors], [1, [
      "20261101000000_schemas.sql has changed since it was applied here: run `deno task reset` to rebuild the local database",
    ]]);
    assertEquals((await runScript("reset", [], checkout.path)).code, 0);
    assertEquals(await exists(join(dataFolder(data), "postgres")), false);
  });

  await t.step("a seed that fails is said in one line, and that it is sown only once", async () => {
    await Deno.writeTextFile(join(checkout.path, "supabase/seed.sql"), "select 1;\nselect no_such_column;\n");

    const { code, errors } = await startStack(".local", [], checkout.path).ended;

    assertEquals([code, errors], [1, [
      'seed.sql:2: column "no_such_column" does not exist in: select no_such_column ' +
      "(mend it and run `deno task reset`: the seed is sown only once)",
    ]]);
    assertEquals(await leftOn(data), NOTHING);
  });
});

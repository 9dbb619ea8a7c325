import { assertEquals } from "@std/assert";
import { AS_SERVICE, asUser, get, post, refusalOf, serviceTest, startService } from "./service.ts";

const { fetch } = await startService(`
  create table public.accounts (
    id integer primary key,
    parent integer references public.accounts deferrable initially deferred,
    balance integer not null default 0 constraint accounts_not_negative check (balance >= 0)
  );
  insert into public.accounts values (1);
  grant select, insert, update on public.accounts to authenticated;

  create function public.raise(sqlstate text, message text default 'No', detail text default null, hint text default null)
  returns void language plpgsql as $$
  begin
    raise exception using errcode = raise.sqlstate, message = raise.message,
      detail = coalesce(raise.detail, ''), hint = coalesce(raise.hint, '');
  end $$;
  create function public.refuse() returns void language plpgsql as $$
  begin
    raise exception 'I refuse!' using detail = 'Pretty simple', hint = 'There is nothing you can do.';
  end $$;
  create function public.add_account(id integer, parent integer default null, balance integer default 0) returns void
    language sql as 'insert into public.accounts values (add_account.id, add_account.parent, add_account.balance)';
  create function public.no_table() returns void language plpgsql as 'begin perform from nowhere; end';
  create function public.no_function() returns void language plpgsql as 'begin perform nowhere(); end';
  create function public.divide(a integer, b integer) returns integer language sql as 'select a / b';
  create function public.two_rows() returns integer language sql as 'select (select generate_series(1, 2))';
  create function public.no_detail() returns void language plpgsql as $$
    begin raise sqlstate 'PGRST' using message = '{"code":"1","message":"m"}'; end $$;
`);

async function raising(sqlstate: string, message = "No", detail = "", hint = ""): Promise<Response> {
  return await fetch(post("raise", { sqlstate, message, detail, hint }));
}

serviceTest("rpc passes on what RAISE says, as 400", async () => {
  const answer = await fetch(post("refuse"));

  assertEquals(answer.status, 400);
  assertEquals(answer.headers.get("content-type"), "application/json; charset=utf-8");
  assertEquals(await answer.json(), {
    code: "P0001",
    details: "Pretty simple",
    hint: "There is nothing you can do.",
    message: "I refuse!",
  });
});

serviceTest("rpc answers null where an error says nothing", async () => {
  assertEquals(await (await fetch(post("divide", { a: 1, b: 0 }))).json(), {
    code: "22012",
    details: null,
    hint: null,
    message: "division by zero",
  });
});

serviceTest("rpc maps a SQLSTATE to its HTTP status", async () => {
  // PostgREST, Errors: "HTTP Status Codes"
  const documented: [sqlstate: string, status: number][] = [
    ["08006", 503],
    ["09000", 500],
    ["0L000", 403],
    ["0P000", 403],
    ["22023", 400],
    ["23502", 400],
    ["23503", 409],
    ["23505", 409],
    ["23514", 400],
    ["25006", 405],
    ["25001", 500],
    ["28000", 403],
    ["2D000", 500],
    ["38000", 500],
    ["39000", 500],
    ["3B000", 500],
    ["40001", 500],
    ["40P01", 500],
    ["42501", 401],
    ["42601", 400],
    ["42883", 404],
    ["42P01", 404],
    ["42P17", 500],
    ["53300", 503],
    ["53400", 500],
    ["54001", 500],
    ["55P03", 500],
    ["57014", 500],
    ["57P01", 503],
    ["58030", 500],
    ["F0000", 500],
    ["HV000", 500],
    ["P0001", 400],
    ["P0002", 500],
    ["P0004", 500],
    ["XX000", 500],
  ];
  for (const [sqlstate, status] of documented) {
    assertEquals(await refusalOf(await raising(sqlstate)), [status, sqlstate]);
  }
});

serviceTest("rpc passes on the errors of Postgres itself", async () => {
  assertEquals(await refusalOf(await fetch(post("no_table"))), [404, "42P01"]);
  assertEquals(await refusalOf(await fetch(post("no_function"))), [404, "42883"]);
  assertEquals(await refusalOf(await fetch(post("two_rows"))), [500, "21000"]);
});

serviceTest("rpc answers a conflict with 409, also when it shows at commit only", async () => {
  assertEquals(await refusalOf(await fetch(post("add_account", { id: 1 }, AS_SERVICE))), [403, "42501"]);
  const user = await asUser();
  assertEquals(await refusalOf(await fetch(post("add_account", { id: 1 }, user))), [409, "23505"]);
  assertEquals(await refusalOf(await fetch(post("add_account", { id: 2, parent: 9 }, user))), [409, "23503"]);
  assertEquals(await refusalOf(await fetch(post("add_account", { id: 3, balance: -1 }, user))), [400, "23514"]);
});

serviceTest("rpc answers a missing privilege with 401 to anon and 403 to others", async () => {
  const toAnon = await fetch(post("add_account", { id: 4 }));
  assertEquals(toAnon.headers.get("www-authenticate"), "Bearer");
  assertEquals(await refusalOf(toAnon), [401, "42501"]);
  assertEquals(await refusalOf(await fetch(post("add_account", { id: 4 }, AS_SERVICE))), [403, "42501"]);
});

serviceTest("rpc answers PTnnn with status nnn", async () => {
  const answer = await raising("PT402", "Payment Required", "Quota exceeded", "Upgrade your plan");

  assertEquals(answer.status, 402);
  assertEquals(await answer.json(), {
    code: "PT402",
    details: "Quota exceeded",
    hint: "Upgrade your plan",
    message: "Payment Required",
  });
});

serviceTest("rpc answers 500 to a PTnnn that is no status", async () => {
  assertEquals(await refusalOf(await raising("PT40A")), [500, "PT40A"]);
  assertEquals(await refusalOf(await raising("PT700")), [500, "PT700"]);
});

serviceTest("rpc lets a function refuse with status, headers and a body of its own", async () => {
  const answer = await raising(
    "PGRST",
    JSON.stringify({
      code: "insufficient_funds",
      message: "Payment Required",
      details: "available: 7",
      hint: "Top up",
    }),
    JSON.stringify({ status: 402, headers: { "X-Powered-By": "Nerd Rage", "Retry-After": "30" } }),
  );

  assertEquals(answer.status, 402);
  assertEquals(answer.headers.get("x-powered-by"), "Nerd Rage");
  assertEquals(answer.headers.get("retry-after"), "30");
  assertEquals(await answer.json(), {
    code: "insufficient_funds",
    details: "available: 7",
    hint: "Top up",
    message: "Payment Required",
  });
});

serviceTest("rpc lets a function's headers replace its own", async () => {
  const answer = await raising(
    "PGRST",
    JSON.stringify({ code: "busy", message: "Try later" }),
    JSON.stringify({ status: 503, headers: { "Retry-After": "30" } }),
  );

  assertEquals(answer.headers.get("retry-after"), "30");
});

serviceTest("rpc needs neither details nor hint of such a refusal", async () => {
  const answer = await raising("PGRST", '{"code":"123","message":"ABC"}', '{"status":332,"headers":{}}');

  assertEquals(answer.status, 332);
  assertEquals(await answer.json(), { code: "123", details: null, hint: null, message: "ABC" });
});

serviceTest("rpc answers PGRST121 to a refusal that PostgREST could not read", async () => {
  const good = { message: '{"code":"1","message":"m"}', detail: '{"status":402,"headers":{}}' };
  const bad = [
    { ...good, message: "INVALID" },
    { ...good, message: '{"code":"1"}' },
    { ...good, message: '{"code":1,"message":"m"}' },
    { ...good, message: '{"code":"1","message":"m","details":{"available":7}}' },
    { ...good, message: '["1","m"]' },
    { ...good, detail: "INVALID" },
    { ...good, detail: '{"status":402}' },
    { ...good, detail: '{"status":"402","headers":{}}' },
    { ...good, detail: '{"status":402,"headers":{"Retry-After":30}}' },
  ];
  for (const { message, detail } of bad) {
    assertEquals(await refusalOf(await raising("PGRST", message, detail)), [500, "PGRST121"], message + detail);
  }
  assertEquals(await refusalOf(await fetch(post("no_detail"))), [500, "PGRST121"]);
});

serviceTest("rpc refuses other methods", async () => {
  for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS"]) {
    assertEquals(await refusalOf(await fetch(get("refuse", { method }))), [405, "PGRST101"]);
  }
});

serviceTest("rpc refuses other paths", async () => {
  for (const path of ["", "refuse/", "a/b", "%ff"]) {
    assertEquals(await refusalOf(await fetch(get(path))), [404, "PGRST125"], path);
  }
});

serviceTest("rpc names the error to proxies", async () => {
  assertEquals((await fetch(post("refuse"))).headers.get("proxy-status"), "PostgREST; error=P0001");
});

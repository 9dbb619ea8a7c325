import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { asUser, createUser } from "../foundation/people.ts";
import { refusalOf } from "../wallet/wallets.ts";
import { cancel, get, type Move, move, openDriver, openRider, pass, request, tend } from "./trips.ts";

const database = await createTestDatabase();

const LOOKING = { "rider cancel": "cancelled", "operator cancel": "cancelled", "system cancel": "cancelled" };
const DRIVING = { "driver start": "started", "driver cancel": "returned", "driver no_show": "cancelled", ...LOOKING };
/** From which states each side may move a trip whereto: written down once more, not read from the table. */
const MODEL: Record<string, Record<string, string>> = {
  scheduled: { "system tend": "requested", "system expire": "cancelled", ...LOOKING },
  requested: { "operator offer": "offered", "system offer": "offered", "system expire": "expired", ...LOOKING },
  offered: { "driver accept": "accepted", "system expire": "expired", ...LOOKING },
  accepted: { "driver arrive": "arrived", ...DRIVING },
  arrived: DRIVING,
  started: {
    "driver complete": "completed",
    "operator complete": "completed",
    "driver cancel": "cancelled",
    "driver no_show": "cancelled",
    "operator cancel": "cancelled",
    "system cancel": "cancelled",
  },
  // Requested again, of which the driver who gave it back is not asked again.
  returned: { "system expire": "expired", ...LOOKING },
  completed: {},
  cancelled: {},
  expired: {},
};
/** What is taken and changes nothing: said again, or not due. */
const IDLE: Record<string, string[]> = {
  requested: ["system tend"],
  offered: ["operator offer", "system offer", "system tend"],
  accepted: ["driver accept", "system tend", "system expire"],
  arrived: ["driver arrive", "system tend", "system expire"],
  started: ["driver start", "system tend", "system expire"],
  returned: ["driver cancel", "driver no_show", "operator offer", "system offer", "system tend"],
  completed: ["driver complete", "operator complete", "system tend", "system expire"],
  cancelled: ["rider cancel", "system tend", "system expire"],
  expired: ["system expire"],
};
const ACTS = [
  ...["accept", "arrive", "start", "complete", "cancel"].map((verb) => `rider ${verb}`),
  ...["accept", "arrive", "start", "complete", "cancel", "no_show"].map((verb) => `driver ${verb}`),
  ...["offer", "complete", "cancel"].map((verb) => `operator ${verb}`),
  ...["offer", "tend", "expire", "cancel"].map((verb) => `system ${verb}`),
];
const TAKEN = ["system offer", "driver accept"];
const PATHS: Record<string, string[]> = {
  scheduled: [],
  requested: [],
  offered: ["operator offer"],
  accepted: TAKEN,
  arrived: [...TAKEN, "driver arrive"],
  started: [...TAKEN, "driver start"],
  returned: [...TAKEN, "driver cancel"],
  completed: [...TAKEN, "driver start", "driver complete"],
  cancelled: ["rider cancel"],
  expired: ["system expire"],
};

for (const [state, path] of Object.entries(PATHS)) {
  Deno.test(
    `a trip that is ${state} moves exactly as the model says`,
    rolledBack(database, async (sql) => {
      for (const act of ACTS) {
        const stage = await open(sql, state === "scheduled");
        for (const step of path) await stage.act(step);

        const refusal = await stage.act(act);

        const isIdle = IDLE[state]?.includes(act) ?? false;
        const expected = MODEL[state]![act];
        // The schedule refuses nobody; there is nothing due of a trip that has expired.
        const isTaken = isIdle || expected !== undefined || act === "system tend";
        assertEquals([act, refusal === "accepted"], [act, isTaken]);
        assertEquals([act, await stage.status()], [act, statusIn(expected ?? state)]);
      }
    }),
  );
}

Deno.test(
  "any walk of moves ends where the model ends",
  rolledBack(database, async (sql) => {
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(fc.constantFrom(...ACTS, ...TAKEN), { maxLength: 14 }),
        async (isScheduled, walk) => {
          const stage = await open(sql, isScheduled);
          let state = isScheduled ? "scheduled" : "requested";
          for (const act of walk) {
            await stage.act(act);
            state = MODEL[state]![act] ?? state;
            assertEquals([act, await stage.status()], [act, statusIn(state)]);
          }
        },
      ),
      { numRuns: 40 },
    );
  }),
);

function statusIn(state: string): string {
  return state === "returned" ? "requested" : state;
}

/** A trip, now or in an hour, and a driver who gets it only if it is offered by hand, as nobody knows where they are. */
async function open(sql: TransactionSql, isScheduled: boolean) {
  const [rider, driver] = [await openRider(sql), await openDriver(sql)];
  await sql`delete from private.driver_positions`;
  const trip = await request(sql, rider.id, { at: isScheduled ? new Date(Date.now() + 3_600_000) : null });
  const operator = await createUser(sql);
  await sql`insert into private.operators (user_id, reason) values (${operator}, 'tried')`;
  const ids: Record<string, string | null> = { rider: rider.id, driver: driver.id, operator: null, system: null };

  async function does(sql: TransactionSql, side: string, verb: string): Promise<unknown> {
    if (verb === "cancel") return await cancel(sql, trip.id, "other", ids[side]!);
    if (verb === "no_show") return await cancel(sql, trip.id, "rider_no_show", ids[side]!);
    if (verb === "offer") return await sql`select public.offer_trip(${trip.id}, ${[driver.id]}::uuid[])`;
    if (verb === "tend" || verb === "expire") return await passAndTend(sql, trip.id, verb === "expire");
    return await move(sql, verb as Move, trip.id, ids[side]!);
  }
  return {
    status: async () => (await get(sql, trip.id)).status,
    act: (act: string) => {
      const [side, verb] = act.split(" ") as [string, string];
      const claims = { app_metadata: { role: "operator" } };
      return refusalOf(
        sql,
        (sql) =>
          side === "operator" ? asUser(sql, operator, (sql) => does(sql, side, verb), claims) : does(sql, side, verb),
      );
    },
  };
}

/** The schedule looks at the trip: now, or when all its times are over. */
async function passAndTend(sql: TransactionSql, trip: string, isOver: boolean): Promise<void> {
  if (isOver) await pass(sql, trip, "2 hours");
  await sql`update public.trips set next_action_at = now() - interval '1 day' where id = ${trip}`;
  await tend(sql);
}
